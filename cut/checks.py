"""What a plan asks for and can't have, said before anything runs.

What a configuration says is checked in `cut.config.make_plan`, by the functions that stand first
here. `check_inputs` looks at the files that it names: the workflow and `python -m cut.config` call
it, a command that only reads results does not.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from cut.cut import Cut
from cut.errors import UserError, unknown
from cut.methods import Method
from cut.networks import Generator
from cut.prepare import source_folder, stands
from cut.registry import NAME, Entry
from cut.verify import find_root, listing

if TYPE_CHECKING:
    from cut.config import Config, Plan

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


def check_layers(method: type[Method], options: Any, row: str) -> None:
    """Refuse feature layers that the generator of a variant of CUT doesn't have.

    Raises:
        UserError: the layer, and the range there is.
    """
    if not issubclass(method, Cut):
        return
    with torch.device("meta"):  # shapes alone: no memory, no random numbers
        generator = Generator(
            options.ngf, options.n_blocks, options.antialias, options.antialias_up
        )
    try:
        generator.channels(options.nce_layers)
    except UserError as error:
        raise UserError(f"option nce_layers of row {row}: {error}") from None


def check_inputs(plan: Plan) -> None:
    """Refuse a plan whose files are not there, or whose data sets can't give what it asks for.

    Raises:
        UserError: one sentence about the first thing that is missing.
    """
    for key in ("fid_weights", "segmenter"):
        path = getattr(plan.config, key)
        if path is not None and not Path(path).is_file():
            raise UserError(
                f"{key} is {path!r}, and there is no such file; give one, or leave the key out"
            )
    for entry in plan.entries.values():
        try:
            images = known_images(entry)
        except UserError:
            if not stands(entry, Path(plan.config.data) / entry.name):
                raise
            continue  # what the set was made from is gone, the set is here
        counts = {folder: len(names) for folder, names in images.items()}
        for n in _held_out(plan):
            _check_held_out(entry, n, entry.expected_counts() or counts)
        names = images.get(f"test{entry.letters[0]}")
        for name in plan.config.grid.names if names else ():
            if name not in names and Path(name).stem not in names:
                raise UserError(unknown(f"image in grid.names for {entry.name}", name, names))


def known_images(entry: Entry) -> dict[str, list[str]]:
    """Return the images of each folder, without endings; nothing where they aren't known yet.

    They are known of sets with a list of digests, of generated ones, and of folders here.

    Raises:
        UserError: the set's folder or archive is given and isn't there, or is none.
    """
    if entry.conversion is not None and entry.source is None:
        return {}  # archives that only the user can get: the rule that needs them says which
    folder = source_folder(entry)
    if folder is not None:
        found = listing(find_root(folder), entry)
        return {name: [path.stem for path in paths] for name, paths in found.items()}
    if entry.generator is not None:  # numbered, as `cut.scenes` does
        return {name: [f"{k:04d}" for k in range(n)] for name, n in entry.expected_counts().items()}
    images: dict[str, list[str]] = {}
    for path in entry.expected_digests() or ():
        images.setdefault(path.split("/")[0], []).append(Path(path).stem)
    return images


def _held_out(plan: Plan) -> set[int]:
    """Return how many images of each domain trainings leave out."""
    if plan.config.best:
        return {plan.config.best.held_out}
    return {row.training.get("held_out", 0) for row in plan.rows.values()}


def _check_held_out(entry: Entry, n: int, counts: dict[str, int]) -> None:
    """Raise where a domain with known images has too few; see `Dataset.held_out`."""
    for folder in ("trainA", "trainB"):
        if n and folder in counts and not 2 <= n <= counts[folder] - 2:
            raise UserError(
                f"held_out is {n}, but {entry.name} has {counts[folder]} images in {folder}: give"
                " 0, or leave at least two on either side"
            )
