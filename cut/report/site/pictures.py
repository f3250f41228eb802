"""The test images of a data set and what every run made of them, as lists for the page's script.

The page holds names once and a folder a column; it builds addresses and elements when they are
looked at, so that a test set of thousands costs little.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cut.base.images import list_images
from cut.report.site.links import Links
from cut.results.run import Run


@dataclass(frozen=True)
class Shelf:
    """A folder of images that stands in one column.

    The page shows a column a `group` (a method, or what stands beside them), that of the seed and
    of the epoch ("last" or "best") which its reader chooses; both are None for what has neither.
    """

    label: str
    group: str
    folder: Path
    chosen: bool  # whether the grid shows its group at first
    seed: int | None = None
    epoch: str | None = None

    def files(self) -> dict[str, str]:
        """Return its images: name without extension -> file name."""
        return {path.stem: path.name for path in list_images(self.folder)}


def pictures(dataset: str, runs: Sequence[Run], links: Links) -> dict[str, Any]:
    """Return one data set's images, as JSON holds them.

    `names` has every image once. A column's image `i` is `folder` + `names[i]` + `ext` (to be
    quoted), but for those in `other`: {i: its file name, or null where there is none}. `left` and
    `right` are the columns compared at first; `absent` says what has no column.
    """
    shelves, absent = _shelves(runs)
    files = [shelf.files() for shelf in shelves]
    inputs = bool(shelves) and shelves[0].label == "input"
    every = files[:1] if inputs else files
    names = sorted({name for found in every for name in found}, key=natural)
    height, width = runs[0].facts["size"]
    first = next((i for i, s in enumerate(shelves) if s.chosen and s.label != "input"), 0)
    right = min(first + (not inputs), len(shelves) - 1)
    return {
        "dataset": dataset,
        "width": width,
        "height": height,
        "names": names,
        "columns": [_column(*both, names, links) for both in zip(shelves, files, strict=True)],
        "left": 0,
        "right": max(right, 0),
        "absent": absent,
    }


def natural(name: str) -> tuple[list[str | int], str]:
    """Return what sorts names as their readers count: img_20 before img_131."""
    parts = re.split("([0-9]+)", name)  # words and numbers in turn
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def _shelves(runs: Sequence[Run]) -> tuple[list[Shelf], list[str]]:
    """Return the columns (input, each run's last and best epoch, true counterpart), and in words
    what has none.
    """
    # RESULTS/<dataset>/test stands beside RESULTS/<dataset>/<row>/seed<k>.
    test = next((t for run in runs if (t := run.folder.absolute().parents[1] / "test").is_dir()),
                None)  # fmt: skip
    shelves, absent = _of_runs(runs)
    if test:
        shelves.insert(0, Shelf("input", "input", test / "source", True))
        if (test / "truth").is_dir():
            shelves.append(Shelf("true counterpart", "true counterpart", test / "truth", True))
    else:
        absent.insert(0, "input: there is no folder test beside the runs")
    absent += [f"{shelf.label}: there is no folder {shelf.folder.name}"
               for shelf in shelves if not shelf.folder.is_dir()]  # fmt: skip
    return [shelf for shelf in shelves if shelf.folder.is_dir()], absent


def _of_runs(runs: Sequence[Run]) -> tuple[list[Shelf], list[str]]:
    """Return the folders of every run's translations, and in words the runs without."""
    shelves: list[Shelf] = []
    absent: dict[str, None] = {}
    names = [run.facts["method"] for run in runs]
    for run, method in zip(runs, names, strict=True):
        seed, control = run.facts["seed"], " (control)" * run.control
        group = f"{method}{control}"
        label = (method if names.count(method) == 1 else f"{method}, seed {seed}") + control
        if run.facts["algorithm"] == "real":
            absent[f"{group}: its images show other scenes than the inputs"] = None
            continue
        chosen = not run.control
        shelves.append(Shelf(label, group, run.folder / "translated", chosen, seed, "last"))
        best = run.folder / "best" / "translated"
        if run.best is not None and best.is_dir():
            label = f"{label}, best epoch ({run.best['epoch']})"
            shelves.append(Shelf(label, group, best, chosen, seed, "best"))
    return shelves, list(absent)


def _column(
    shelf: Shelf, files: dict[str, str], names: Sequence[str], links: Links
) -> dict[str, Any]:
    ends = [Path(file).suffix for file in files.values()]
    usual = max(sorted(set(ends)), key=ends.count, default="")
    other = {i: files.get(name) for i, name in enumerate(names) if files.get(name) != name + usual}
    return {
        "label": shelf.label,
        "group": shelf.group,
        "seed": shelf.seed,
        "epoch": shelf.epoch,
        "folder": links.folder(shelf.folder),
        "ext": usual,
        "chosen": shelf.chosen,
        "other": other,
    }
