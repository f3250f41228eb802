"""Drawing inputs and translations: a row a test image, a column a method."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from cut.base.errors import UserError
from cut.base.images import by_stem, read_image
from cut.records.run_record import CONTROLS
from cut.report.figures.image_page import POINT, Sheet, cell, fitted
from cut.report.figures.text import PAGE, hard_cut, shortened, text_width, wrapped
from cut.results.run import load_facts, one_dataset

CELL = (0.4, 1.3)  # inches: an image's longer side at least, though the page end, and at most
GAP, MARGIN = 0.03, 0.04  # inches between images, and around all of them
NAMES = 0.12  # inches left of the images, for their names
SIZES, SMALL = (8, 7), 5.5  # points: of the columns' labels, one or the other; of images' names
LINES = 3  # of a label, at most, that lies

Columns = Sequence[tuple[str, Mapping[str, Path]]]


def columns(test: Path, runs: Sequence[Path]) -> list[tuple[str, dict[str, Path]]]:
    """Return (label, images by stem) of every column: input, methods, truth.

    Of a method's seeds the first given is shown. Controls are left out: `copy` is the input, and
    `real` shows other scenes than the row's.

    Raises:
        UserError: a folder is missing, or runs are of different data sets.
    """
    found = [("input", by_stem(test / "source"))]
    facts = [load_facts(run) for run in runs]
    one_dataset(facts)
    labels = {"input"}
    for run, fact in zip(runs, facts, strict=True):
        if fact["algorithm"] in CONTROLS or fact["method"] in labels:
            continue
        labels.add(fact["method"])
        found.append((fact["method"], by_stem(run / "translated")))
    if (test / "truth").is_dir():
        found.append(("truth", by_stem(test / "truth")))
    return found


def draw(cols: Columns, chosen: Sequence[str]) -> Figure:
    """Draw the `chosen` images (stems) of all columns, a page wide at most.

    Raises:
        UserError: a column lacks a chosen image.
    """
    for label, images in cols:
        for name in chosen:
            if name not in images:
                raise UserError(f"{label} has no image for {name}; translate its whole test set")
    room = (PAGE[0] - NAMES - MARGIN + GAP) / len(cols) - GAP
    first = read_image(cols[0][1][chosen[0]])
    w = min(room, CELL[1])
    # The labels' height decides what is left for images, and the images' width how labels break.
    for _ in range(3):
        labels = _labels([label for label, _ in cols], w)
        high = (PAGE[1] - labels.height - MARGIN + GAP) / len(chosen) - GAP
        place = cell(first.size, min(room, CELL[1]), min(CELL[1], max(CELL[0], high)))
        w, h = place.inches
    labels = _labels([label for label, _ in cols], w)
    top, width = labels.height, NAMES + len(cols) * (w + GAP) - GAP + MARGIN
    sheet = Sheet(width, top + len(chosen) * (h + GAP) - GAP + MARGIN, place.dpi)
    how = {"ha": "center", "va": "baseline"}
    if labels.upright:
        how = {"ha": "center", "va": "bottom", "rotation": 90, "multialignment": "left"}
    for j, ((_, images), label) in enumerate(zip(cols, labels.texts, strict=True)):
        x = NAMES + j * (w + GAP)
        sheet.text(x + w / 2, top - 0.05, label, fontsize=labels.size, **how)
        for i, name in enumerate(chosen):
            sheet.image(x, top + i * (h + GAP), fitted(read_image(images[name]), place.pixels))
    for i, name in enumerate(_names(chosen, h)):
        sheet.text(NAMES - 0.02, top + i * (h + GAP) + h / 2, name, fontsize=SMALL, ha="right",
                   va="center", rotation=90, color="0.35")  # fmt: skip
    return sheet.figure()


def _names(chosen: Sequence[str], width: float) -> list[str]:
    """Return the images' names in `width` inches: the middle left out, or what all begin with."""
    names = [shortened(name, width, SMALL) for name in chosen]
    if len(set(names)) < len(set(chosen)):
        begin = len(os.path.commonprefix(list(chosen)))
        end = len(os.path.commonprefix([name[begin:][::-1] for name in chosen]))
        own = [f"…{name[begin : len(name) - end]}{'…' if end else ''}" for name in chosen]
        names = [shortened(name, width, SMALL) for name in own]
    return names


@dataclass(frozen=True)
class Labels:
    """Labels in lines, their size in points, their height in inches, and whether they stand."""

    texts: list[str]
    size: float
    height: float
    upright: bool = False


def _labels(labels: Sequence[str], width: float) -> Labels:
    """Return labels for columns of `width` inches.

    Long names over narrow columns stand upright: lying they would be cut in the midst of a word.
    """
    for size in SIZES:
        texts = [wrapped(label, width, size) for label in labels]
        lines = max(text.count("\n") + 1 for text in texts)
        if lines <= LINES and not any(hard_cut(text) for text in texts):
            return Labels(texts, size, lines * 1.2 * size * POINT + 0.06)
    for tall in (1.4, 2.0, 3.0, 4.0):
        texts = [wrapped(label, tall, size) for label in labels]
        if max(text.count("\n") + 1 for text in texts) * 1.2 * size * POINT <= width + GAP:
            break
    tall = max(text_width(line, size) for text in texts for line in text.splitlines())
    return Labels(texts, size, tall + 0.08, upright=True)
