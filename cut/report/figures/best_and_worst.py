"""Drawing the best and the worst translations of each method, by a score of single images.

The score is L1 to the true counterpart where those are known. Elsewhere it is the distance of a
translation's Inception features (pool3) to those of the nearest real test image: low where some
real image looks alike, whatever the input was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

from cut.base.errors import NothingToShow, UserError
from cut.base.images import by_stem, counterparts, list_images, read_image
from cut.metrics import paired
from cut.metrics.image_folder import ImageFolder
from cut.metrics.inception import features
from cut.records.run_record import CONTROLS
from cut.report.figures.image_page import POINT, Cell, Sheet, cell, fitted
from cut.report.figures.text import PAGE, text_width, wrapped
from cut.results.run import load_facts, one_dataset

CELL = (0.38, 1.0)  # inches: an image's width at least, though the page end, and at most
ACROSS = 4  # methods beside each other, at most
WORDS = 0.4  # inches left of a method's images, for what its lines are
RIGHT, GAP = 0.08, 0.03  # inches right of a method's images, and between two
MIDDLE = 0.12  # inches between the best and the worst
HEAD = 0.24  # inches for the line that says what the score is
NAME, SMALL, TINY = 8, 6.5, 4.5  # points: a method's name, words and scores, images' names
LEADING = 1.2 * NAME * POINT  # inches from a name's line to the next
TITLE, SCORE, STEM, BELOW = 0.13, 0.12, 0.08, 0.08  # inches: of a line of each, and after a block
DECIMALS = {"truth": 3, "features": 2}
LABELS = {
    "truth": "L1 to the true counterpart",
    "features": "the distance of Inception features to the nearest real test image",
}
SAME = ("extractor", "resize", "dims")  # what two files of features must agree in


@dataclass(frozen=True)
class Cases:
    """One run's translations by score, the lowest (best) first: (stem, score)."""

    method: str
    folder: Path
    ranked: list[tuple[str, float]]


def rank(run: Path, test: Path) -> list[tuple[str, float]]:
    """Return (stem, score) of every translation of a run, the best first.

    Raises:
        UserError: there is neither a counterpart nor a file of features to score by, or the
            features are not of these translations, or not of the reference's network.
    """
    folder = run / "translated"
    if (test / "truth").is_dir():
        pairs = counterparts(list_images(folder), list_images(test / "truth"))
        scores = {mine.stem: paired.l1(_pixels(mine), _pixels(true)) for mine, true in pairs}
    else:
        scores = _nearest(folder, run / "features.npz", test / "target.npz")
    return sorted(scores.items(), key=lambda item: (item[1], item[0]))


def _pixels(path: Path) -> np.ndarray:
    return np.asarray(read_image(path), np.float64) / 255


def _nearest(folder: Path, translated: Path, reference: Path) -> dict[str, float]:
    given, real = features.load(translated), features.load(reference)
    if reason := given.reason or real.reason:
        raise NothingToShow(f"no image can be scored by itself: no true counterparts, and {reason}")
    if given.protocol.images_sha256 != ImageFolder(folder).digest:
        raise UserError(f"{translated} is of other images than those in {folder}; score them again")
    if _network(given) != _network(real):
        raise UserError(
            f"{translated} and {reference} were not computed by one network and resize; compute"
            " both again with the same weights"
        )
    least = cdist(given.values, real.values).min(axis=1)
    return {Path(name).stem: float(d) for name, d in zip(given.names, least, strict=True)}


def _network(given: features.Features) -> list[Any]:
    side = given.protocol
    return [getattr(side, key) for key in SAME] + [side.weights and side.weights.tensors_sha256]


def find(test: Path, runs: Sequence[Path]) -> list[Cases]:
    """Return each method's ranked translations; controls left out, of seeds the first given.

    Raises:
        UserError: runs of several data sets, no method among them, or as `rank`.
    """
    found: dict[str, Cases] = {}
    facts = [load_facts(run) for run in runs]
    one_dataset(facts)
    for run, fact in zip(runs, facts, strict=True):
        name = fact["method"]
        if fact["algorithm"] not in CONTROLS and name not in found:
            found[name] = Cases(name, run / "translated", rank(run, test))
    if not found:
        raise UserError("no method is among these runs, only controls; give a method's run")
    return list(found.values())


@dataclass(frozen=True)
class Layout:
    """How methods stand on the page: how many beside and above each other, images, inches."""

    across: int
    down: int
    pitch: float  # inches from a method to the one beside it
    count: int  # images on either side
    cell: Cell
    name: int  # lines of the longest name
    stems: bool  # whether the images' names stand below them

    def height(self, lines: int) -> float:
        """Return the height in inches of a method with `lines` lines of images."""
        words = self.name * LEADING + TITLE + SCORE + self.stems * STEM + BELOW
        return words + lines * (self.cell.inches[1] + GAP)


def lay_out(cases: Sequence[Cases], most: int, lines: int, size: tuple[int, int]) -> Layout:
    """Return the layout of the most images a side that stay legible on a page.

    Args:
        cases: the methods.
        most: images a side, at most.
        lines: of images: inputs, translations, counterparts.
        size: width and height of an image in its own pixels.
    """
    for fewer in range(most):
        count, found = most - fewer, []
        for across in range(1, min(ACROSS, len(cases)) + 1):
            down, room = -(-len(cases) // across), PAGE[0] / across
            name = max(len(_title(case.method, room).splitlines()) for case in cases)
            wide = (room - WORDS - RIGHT - MIDDLE + GAP) / (2 * count) - GAP
            words = name * LEADING + TITLE + SCORE + STEM + BELOW
            high = ((PAGE[1] - HEAD) / down - words) / lines - GAP
            w = min(CELL[1], wide, high * size[0] / size[1])
            found.append((w, -across, down, wide, name))
        if max(found)[0] >= CELL[0]:
            break
    w, across, down, wide, name = max(found)
    w = min(wide, max(w, CELL[0]))
    place = cell(size, w, w * size[1] / size[0])
    shown = [stem for case in cases for stem, _ in [*case.ranked[:count], *case.ranked[-count:]]]
    stems = all(text_width(stem, TINY) <= place.inches[0] for stem in shown)
    titles = [_title(case.method, PAGE[0] / -across) for case in cases]
    widest = max(text_width(line, NAME) for title in titles for line in title.splitlines())
    images = WORDS + 2 * count * (place.inches[0] + GAP) - GAP + MIDDLE + RIGHT
    pitch = min(PAGE[0] / -across, max(images, widest + 0.15))
    return Layout(-across, down, pitch, count, place, name, stems)


def draw(test: Path, runs: Sequence[Path], count: int) -> Figure:
    """Draw the best and worst translations of each method, up to `count`, under their inputs.

    Raises:
        UserError: as `find`, or fewer than one image a side.
    """
    if count < 1:
        raise UserError(f"--count is {count}; give 1 or more")
    cases = find(test, runs)
    count = min(count, max(1, len(cases[0].ranked) // 2))
    lines = {"input": by_stem(test / "source"), "output": {}}
    if (test / "truth").is_dir():
        lines["truth"] = by_stem(test / "truth")
    first = read_image(next(iter(lines["input"].values())))
    layout = lay_out(cases, count, len(lines), first.size)
    h = layout.height(len(lines))
    kind = "truth" if "truth" in lines else "features"
    words = f"Best and worst by {LABELS[kind]} (below each)"
    width = max(layout.across * layout.pitch, text_width(words, NAME) + 0.1)
    sheet = Sheet(width, HEAD + layout.down * h, layout.cell.dpi)
    sheet.text(0.05, 0.05, words, va="top", fontsize=NAME)
    for i, case in enumerate(cases):
        down, across = divmod(i, layout.across)
        corner = across * layout.pitch, HEAD + down * h
        _block(sheet, corner, case, lines, layout, DECIMALS[kind])
    return sheet.figure()


def _title(name: str, room: float) -> str:
    return wrapped(name, room - 0.1, NAME)


def _block(
    sheet: Sheet,
    corner: tuple[float, float],
    case: Cases,
    lines: Mapping[str, Mapping[str, Path]],
    layout: Layout,
    decimals: int,
) -> None:
    """Draw one method's best translations on the left and its worst on the right."""
    x, y = corner
    (w, h), count = layout.cell.inches, layout.count
    y += layout.name * LEADING
    words = _title(case.method, PAGE[0] / layout.across)
    sheet.text(x + 0.05, y - 0.04, words, va="baseline", fontsize=NAME)
    y += TITLE
    half = count * (w + GAP) + MIDDLE - GAP
    for words, side in (("best", 0), ("worst", half)):
        sheet.text(x + WORDS + side, y - 0.04, words, va="baseline", fontsize=SMALL + 0.5)
    for j, line in enumerate(lines):
        sheet.text(x + WORDS - 0.04, y + j * (h + GAP) + h / 2, line, ha="right", va="center",
                   fontsize=SMALL)  # fmt: skip
    places = [side + i * (w + GAP) for side in (0, half) for i in range(count)]
    shown = [*case.ranked[:count], *case.ranked[-count:]]
    for place, (stem, score) in zip(places, shown, strict=True):
        left, below = x + WORDS + place, y + len(lines) * (h + GAP)
        for j, (line, paths) in enumerate(lines.items()):
            own = case.folder / f"{stem}.png" if line == "output" else paths.get(stem)
            if own is None:
                raise UserError(f"{case.folder / stem}.png has no {line} of its name")
            sheet.image(left, y + j * (h + GAP), fitted(read_image(own), layout.cell.pixels))
        middle = {"ha": "center", "va": "top"}
        sheet.text(left + w / 2, below, f"{score:.{decimals}f}", fontsize=SMALL, **middle)
        if layout.stems:
            sheet.text(left + w / 2, below + SCORE, stem, fontsize=TINY, color="0.35", **middle)
