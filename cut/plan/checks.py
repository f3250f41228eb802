"""What a plan asks for and can't have, said before anything runs.

What a configuration says is checked in `cut.plan.plan.make_plan`, by the functions that stand first
here. `check_inputs` looks at the files that it names: the workflow and `python -m cut config` call
it, a command that only reads results does not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from cut.base.errors import UserError
from cut.data.registry import NAME
from cut.plan.config import Config

# Names that are taken: folders beside the rows' and the data sets', files in `tables/` and `data/`.
ROWS_TAKEN = ("test", "train", "held_out")
SETS_TAKEN = ("tables", "logs", "figures", "site", "scores", "seeds", "overview", "ablation",
              "inception.json")  # fmt: skip
# Of tables beside a data set's own: `set-scores.md`.
ENDINGS_TAKEN = ("-scores", "-seeds")
# What `best` decides, and by which of its keys.
BEST_DECIDES = {"snapshot_every": "every", "held_out": "held_out"}


def check_names(
    what: str, names: Collection[str], taken: Sequence[str], endings: Sequence[str] = ()
) -> None:
    """Refuse names that can't be a folder's of their own, or end in one of `endings` after another.

    Raises:
        UserError: a name has other characters, is taken, ends as another's tables do, or differs
            from another in case alone.
    """
    seen: dict[str, str] = {}
    for name in names:
        if not NAME.fullmatch(name):
            raise UserError(
                f"{what} {name!r}: a name starts with a letter or digit, then those and . _ -"
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
                    f"{place}.{option} stands beside best, which decides it; give best.{key} alone"
                )
