"""Check the files that a plan needs before anything runs."""

from __future__ import annotations

from os.path import splitext
from pathlib import Path

from cut.base.errors import UserError, unknown
from cut.data.prepare import stands
from cut.data.registry import Entry
from cut.data.source import source_folder
from cut.data.verify import find_root, listed_names
from cut.plan.finished_runs import begun_from
from cut.plan.plan import Plan


def check_inputs(plan: Plan) -> None:
    """Refuse a plan if files are missing, or if data sets do not have what it asks for.

    Raises:
        UserError: one sentence about the first thing that is missing.
    """
    for key in ("fid_weights", "segmenter"):
        path = getattr(plan.config, key)
        if path is not None and not Path(path).is_file():
            raise UserError(
                f"{key} is {path!r}, and there is no such file; give one, or leave the key out"
            )
    for row in plan.rows.values():
        place = row.training.get("begin_from")
        if place and not begun_from(row):
            raise UserError(
                f"begin_from of row {row.name} is {place!r}; give a run's folder, or a generator.pt"
            )
    for entry in plan.entries.values():
        try:
            images = known_images(entry)
        except UserError:
            if not stands(entry, Path(plan.config.data) / entry.name):
                raise
            continue  # the data set is prepared already; its source is not needed
        counts = {folder: len(names) for folder, names in images.items()}
        for n in _held_out(plan):
            _check_held_out(entry, n, entry.expected_counts() or counts)
        names = images.get(f"test{entry.letters[0]}")
        for name in plan.config.grid.names if names else ():
            if name not in names and Path(name).stem not in names:
                raise UserError(unknown(f"image in grid.names for {entry.name}", name, names))


def known_images(entry: Entry) -> dict[str, list[str]]:
    """Return the names of the images in each folder, without endings, as far as they are known.

    They are known for data sets with a list of digests, generated ones, and local folders.

    Raises:
        UserError: the given folder or archive of the data set is missing, or is neither.
    """
    if entry.conversion is not None and entry.source is None:
        return {}  # only the user can get the archives; the rule that needs them asks for them
    folder = source_folder(entry)
    if folder is not None:
        found = listed_names(find_root(folder), entry)
        return {inside: [splitext(name)[0] for name in names] for inside, names in found.items()}
    if entry.generator is not None:  # `cut.data.synthetic` numbers its images
        return {name: [f"{k:04d}" for k in range(n)] for name, n in entry.expected_counts().items()}
    images: dict[str, list[str]] = {}
    for path in entry.expected_digests() or ():
        images.setdefault(path.split("/")[0], []).append(Path(path).stem)
    return images


def _held_out(plan: Plan) -> set[int]:
    """Return the numbers of images per domain that trainings leave out."""
    if plan.config.best:
        return {plan.config.best.held_out}
    return {row.training.get("held_out", 0) for row in plan.rows.values()}


def _check_held_out(entry: Entry, n: int, counts: dict[str, int]) -> None:
    """Raise if a domain with known images has too few for `n` held-out ones."""
    for folder in ("trainA", "trainB"):
        if n and folder in counts and not 2 <= n <= counts[folder] - 2:
            raise UserError(
                f"held_out is {n}, but {entry.name} has {counts[folder]} images in {folder}: give"
                " 0, or leave at least two on either side"
            )
