"""The test images of a data set and the translations of every run, as lists for the page's script.

The page stores each name once and one folder per column, and builds addresses and elements when
they are needed, so that a test set of thousands of images costs little.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cut.base.image_files import list_images
from cut.report.columns import name_of
from cut.report.site.links import Links
from cut.report.site.shown_images import shown_folder
from cut.results.families import family_of
from cut.results.rows import Row, runs_of
from cut.results.run import Run


@dataclass(frozen=True)
class Shelf:
    """A folder of images that fills one column.

    The page shows one column per `group` (a method, the inputs or the counterparts): the one of the
    seed and the epoch ("last" or "best") that its reader chooses. Both are None for inputs and
    counterparts. `chosen` groups are shown in the grid at first. `family` is the method's.
    """

    label: str
    group: str
    folder: Path
    chosen: bool
    family: str = ""
    seed: int | None = None
    epoch: str | None = None

    def files(self) -> dict[str, str]:
        """Return its images: name without extension -> file name."""
        return {path.stem: path.name for path in list_images(self.folder)}


def pictures(rows: Sequence[Row], links: Links) -> dict[str, Any]:
    """Return one data set's images as a JSON object.

    `names` lists the images. Image `i` of a column is `folder` + `names[i]` + `ext` (to be quoted),
    except for those in `other`: {i: its file name, or null where there is none}. `left` and `right`
    are the columns compared at first; `absent` says which columns there are none of, and why.
    """
    shelves, absent = _shelves(rows)
    shelves = [replace(s, folder=shown_folder(s.folder, links.base)) for s in shelves]
    files = [shelf.files() for shelf in shelves]
    inputs = bool(shelves) and shelves[0].label == "input"
    every = files[:1] if inputs else files
    names = sorted({name for found in every for name in found}, key=natural)
    height, width = rows[0].first.record.size
    first = next((i for i, s in enumerate(shelves) if s.chosen and s.label != "input"), 0)
    right = min(first + (not inputs), len(shelves) - 1)
    return {
        "dataset": rows[0].dataset,
        "width": width,
        "height": height,
        "names": names,
        "columns": [_column(*both, names, links) for both in zip(shelves, files, strict=True)],
        "left": 0,
        "right": max(right, 0),
        "absent": absent,
    }


def natural(name: str) -> tuple[list[str | int], str]:
    """Return a sort key with numbers in their order: img_20 before img_131."""
    parts = re.split("([0-9]+)", name)  # words and numbers in turn
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def _shelves(rows: Sequence[Row]) -> tuple[list[Shelf], list[str]]:
    """Return the columns (inputs, each run's last and best epoch, true counterparts), and in words
    those that are absent.
    """
    shelves = [shelf for row in rows for run in row.runs for shelf in _of_run(row, run)]
    absent = [
        f"{name_of(row)}: its images show other scenes than the inputs"
        for row in rows
        if not row.first.translates
    ]
    # RESULTS/<dataset>/test is beside RESULTS/<dataset>/<row>/seed<k>.
    places = (run.folder.absolute().parents[1] / "test" for run in runs_of(rows))
    test = next((place for place in places if place.is_dir()), None)
    if test:
        shelves.insert(0, Shelf("input", "input", test / "source", True))
        if (test / "truth").is_dir():
            shelves.append(Shelf("true counterpart", "true counterpart", test / "truth", True))
    else:
        absent.insert(0, "input: there is no folder test beside the runs")
    absent += [
        f"{shelf.label}: there is no folder {shelf.folder.name}"
        for shelf in shelves
        if not shelf.folder.is_dir()
    ]
    return [shelf for shelf in shelves if shelf.folder.is_dir()], absent


def _of_run(row: Row, run: Run) -> list[Shelf]:
    """Return the folders of a run's translations."""
    if not run.translates:
        return []
    seed, control = run.record.seed, " (control)" * run.control
    label = (row.name if len(row.runs) == 1 else f"{row.name}, seed {seed}") + control
    folder, chosen, family = run.folder / "translated", not run.control, family_of(row)
    found = [Shelf(label, name_of(row), folder, chosen, family, seed, "last")]
    best = run.folder / "best" / "translated"
    if run.best is not None and best.is_dir():
        label = f"{label}, best epoch ({run.best.record.epoch})"
        found.append(Shelf(label, name_of(row), best, chosen, family, seed, "best"))
    return found


def _column(
    shelf: Shelf, files: Mapping[str, str], names: Sequence[str], links: Links
) -> dict[str, Any]:
    ends = [Path(file).suffix for file in files.values()]
    usual = max(sorted(set(ends)), key=ends.count, default="")
    other = {i: files.get(name) for i, name in enumerate(names) if files.get(name) != name + usual}
    return {
        "label": shelf.label,
        "group": shelf.group,
        "family": shelf.family,
        "seed": shelf.seed,
        "epoch": shelf.epoch,
        "folder": links.folder(shelf.folder),
        "ext": usual,
        "chosen": shelf.chosen,
        "other": other,
    }
