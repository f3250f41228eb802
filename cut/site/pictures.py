"""The test images of a data set and what every run made of them, as lists for the page's script.

The page holds names once and a folder a column; it builds addresses and elements when they are
looked at, so that a test set of thousands costs little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cut.images import list_images
from cut.results import Run
from cut.site.links import Links


@dataclass(frozen=True)
class Shelf:
    """A folder of images that stands in one column."""

    label: str
    folder: Path
    files: dict[str, str]  # name without extension -> file name
    chosen: bool  # whether the grid shows it at first


def pictures(dataset: str, runs: Sequence[Run], links: Links) -> dict[str, Any]:
    """Return one data set's images, as JSON holds them.

    `names` has every image once. A column's image `i` is `folder` + `names[i]` + `ext` (to be
    quoted), but for those in `other`: {i: its file name, or null where there is none}. `left` and
    `right` are the columns compared at first; `absent` says what has no column.
    """
    shelves, absent = _shelves(runs)
    inputs = next((shelf for shelf in shelves if shelf.label == "input"), None)
    every = {name for shelf in shelves for name in shelf.files}
    names = sorted(inputs.files if inputs else every)
    height, width = runs[0].facts["size"]
    columns = [_column(shelf, names, links) for shelf in shelves]
    first = next((i for i, s in enumerate(shelves) if s.chosen and s is not inputs), 0)
    right = min(first + (inputs is None), len(shelves) - 1)
    return {
        "dataset": dataset,
        "width": width,
        "height": height,
        "names": names,
        "columns": columns,
        "left": 0,
        "right": max(right, 0),
        "absent": absent,
    }


def _shelves(runs: Sequence[Run]) -> tuple[list[Shelf], list[str]]:
    """Return the columns (input, each run's last and best epoch, true counterpart), and in words
    what has none.
    """
    # RESULTS/<dataset>/test stands beside RESULTS/<dataset>/<row>/seed<k>.
    test = next((t for run in runs if (t := run.folder.absolute().parents[1] / "test").is_dir()),
                None)  # fmt: skip
    places, absent = _places(runs)
    if test:
        truth = [("true counterpart", test / "truth", True)] * (test / "truth").is_dir()
        places = [("input", test / "source", True), *places, *truth]
    else:
        absent.insert(0, "input: there is no folder test beside the runs")
    shelves = []
    for label, folder, chosen in places:
        if folder.is_dir():
            files = {path.stem: path.name for path in list_images(folder)}
            shelves.append(Shelf(label, folder, files, chosen))
        else:
            absent.append(f"{label}: there is no folder {folder.name}")
    return shelves, absent


def _places(runs: Sequence[Run]) -> tuple[list[tuple[str, Path, bool]], list[str]]:
    """Return (label, folder, whether the grid shows it at first) of every run's translations."""
    places: list[tuple[str, Path, bool]] = []
    absent: list[str] = []
    names = [run.facts["method"] for run in runs]
    shown: set[str] = set()
    for run, method in zip(runs, names, strict=True):
        label = method if names.count(method) == 1 else f"{method}, seed {run.facts['seed']}"
        label += " (control)" if run.control else ""
        if run.facts["algorithm"] == "real":
            absent.append(f"{label}: its images show other scenes than the inputs")
            continue
        places.append((label, run.folder / "translated", not run.control and method not in shown))
        shown.add(method)
        best = run.folder / "best" / "translated"
        if run.best is not None and best.is_dir():
            places.append((f"{label}, best epoch ({run.best['epoch']})", best, False))
    return places, absent


def _column(shelf: Shelf, names: Sequence[str], links: Links) -> dict[str, Any]:
    ends = [Path(file).suffix for file in shelf.files.values()]
    usual = max(sorted(set(ends)), key=ends.count, default="")
    other = {i: shelf.files.get(name) for i, name in enumerate(names)
             if shelf.files.get(name) != name + usual}  # fmt: skip
    return {
        "label": shelf.label,
        "folder": links.folder(shelf.folder),
        "ext": usual,
        "chosen": shelf.chosen,
        "other": other,
    }
