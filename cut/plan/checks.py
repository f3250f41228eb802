"""Checks of the names and options in a configuration.

They need no files: `cut.plan.inputs` checks the files that a configuration names.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cut.base.errors import UserError
from cut.data.registry import NAME
from cut.plan.config import Config

# Reserved names: folders beside those of rows and data sets, and files in `tables/` and `data/`.
ROWS_TAKEN = ("test", "train", "held_out")
SETS_TAKEN = (
    "tables",
    "logs",
    "figures",
    "site",
    "scores",
    "seeds",
    "overview",
    "ablation",
    "inception.json",
)
# Reserved endings: the other tables of a data set, as `set-scores.md`.
ENDINGS_TAKEN = ("-scores", "-seeds")
# Options of the loop that `best` sets, and the key of `best` for each.
BEST_DECIDES = {"snapshot_every": "every", "held_out": "held_out"}


def check_names(
    what: str, names: Collection[str], taken: Sequence[str], endings: Sequence[str] = ()
) -> None:
    """Refuse names that cannot be folders of their own.

    Args:
        what: what has the names, such as "row".
        names: the names to check.
        taken: reserved names.
        endings: reserved endings of names.

    Raises:
        UserError: a name has a character that is not allowed, is reserved, is another name with a
            reserved ending, or differs from another name only in case.
    """
    seen: dict[str, str] = {}
    for name in names:
        if not NAME.fullmatch(name):
            raise UserError(
                f"{what} {name!r}: a name starts with a letter or digit, then those and . _ -, and"
                " has at most 80 characters"
            )
        if name.lower() in taken:
            raise UserError(
                f"{what} {name!r}: the workflow keeps files of its own under that name; choose"
                " another"
            )
        for end in endings:
            if name.endswith(end) and name.removesuffix(end) in names:
                raise UserError(
                    f"{what} {name!r} would share tables with {name.removesuffix(end)!r}, whose"
                    f" end in {end}; choose another"
                )
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise UserError(
                f"{what} {name!r} differs from {other!r} in case alone, which some file systems"
                " don't tell apart; choose another"
            )


def check_best(config: Config, row: str) -> None:
    """Refuse options of the loop that `best` would override.

    Raises:
        UserError: the option, and where to give it instead.
    """
    own = config.methods[row].training if row in config.methods else {}
    for place, given in (("training", config.training), (f"methods.{row}.training", own)):
        for option, key in BEST_DECIDES.items():
            if config.best and option in given:
                raise UserError(
                    f"{place}.{option} is given, and best decides it; give best.{key} alone"
                )
