"""Draw inputs and translations: one row per test image, one column per method."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from cut.base.errors import UserError
from cut.base.image_files import by_stem
from cut.base.image_form import RGB, Form
from cut.base.images import shown
from cut.metrics.image_folder import exported
from cut.records.images import form_of
from cut.records.run import RunRecord
from cut.report.figures.image_page import POINT, Frame, ImagePage, fitted, frame
from cut.report.figures.text import PAGE, hard_cut, shortened, text_width, wrapped
from cut.results.run import one_dataset

# Inches: the longer side of an image. It may be less than the least where a column is narrower,
# and the page may become longer to keep it.
LEAST, MOST = 0.4, 1.3
GAP, MARGIN = 0.03, 0.04  # inches between images, and around all of them
NAMES = 0.12  # inches left of the images, for their names
SIZES, SMALL = (8, 7), 5.5  # points: of the columns' labels, one or the other; of images' names
LINES = 3  # of a horizontal label, at most


@dataclass(frozen=True)
class ImageColumn:
    """A column: its label, its images by name without extension, and their form."""

    label: str
    images: Mapping[str, Path]
    form: Form = RGB

    @classmethod
    def of(cls, label: str, folder: Path) -> ImageColumn:
        """Return the column of a folder of images."""
        return cls(label, by_stem(folder), form_of(folder))


def columns(test: Path, runs: Sequence[Path]) -> list[ImageColumn]:
    """Return the columns: input, methods, and true counterparts where there are some.

    The first given seed of each method is shown. Controls are left out: the floor is the input, and
    the ceiling shows other scenes.

    Raises:
        UserError: a folder is missing, or runs are of different data sets.
    """
    found = {"input": ImageColumn.of("input", exported(test / "source").path)}
    records = [RunRecord.read(run / "run.json") for run in runs]
    one_dataset(records)
    for run, record in zip(runs, records, strict=True):
        if not record.control and record.method not in found:
            found[record.method] = ImageColumn.of(record.method, run / "translated")
    truth = (
        [ImageColumn.of("truth", exported(test / "truth").path)]
        if (test / "truth").is_dir()
        else []
    )
    return [*found.values(), *truth]


def draw(columns: Sequence[ImageColumn], chosen: Sequence[str]) -> Figure:
    """Draw the `chosen` images (names without extension) of all columns, at most a page wide.

    Raises:
        UserError: a column lacks a chosen image.
    """
    for column in columns:
        for name in chosen:
            if name not in column.images:
                raise UserError(
                    f"{column.label} has no image for {name}; translate its whole test set"
                )
    size = shown(columns[0].images[chosen[0]], columns[0].form).size
    labels, place = _layout([column.label for column in columns], size, len(chosen))
    (w, h), top = place.inches, labels.height
    width = NAMES + len(columns) * (w + GAP) - GAP + MARGIN
    page = ImagePage(width, top + len(chosen) * (h + GAP) - GAP + MARGIN, place.dpi)
    for j, (column, label) in enumerate(zip(columns, labels.texts, strict=True)):
        x = NAMES + j * (w + GAP)
        page.text(x + w / 2, top - 0.05, label, fontsize=labels.size, **labels.style)
        for i, name in enumerate(chosen):
            image = fitted(shown(column.images[name], column.form), place.pixels)
            page.image(x, top + i * (h + GAP), image)
    upright = {"fontsize": SMALL, "ha": "right", "va": "center", "rotation": 90, "color": "0.35"}
    for i, name in enumerate(_names(chosen, h)):
        page.text(NAMES - 0.02, top + i * (h + GAP) + h / 2, name, **upright)
    return page.figure()


@dataclass(frozen=True)
class Labels:
    """The columns' labels in lines: font size in points, height in inches."""

    texts: list[str]
    size: float
    height: float
    upright: bool = False

    @property
    def style(self) -> dict[str, Any]:
        """Return matplotlib's options of the labels."""
        if self.upright:
            return {"ha": "center", "va": "bottom", "rotation": 90, "multialignment": "left"}
        return {"ha": "center", "va": "baseline"}


def _layout(names: Sequence[str], size: tuple[int, int], rows: int) -> tuple[Labels, Frame]:
    """Return the columns' labels and the frame of images of `size` (width, height).

    The labels' height limits that of the images, and the images' width decides how labels break:
    three rounds are enough to settle both.
    """
    room = (PAGE[0] - NAMES - MARGIN + GAP) / len(names) - GAP
    w = min(room, MOST)
    for _ in range(3):
        labels = _labels(names, w)
        high = (PAGE[1] - labels.height - MARGIN + GAP) / rows - GAP
        place = frame(size, min(room, MOST), min(MOST, max(LEAST, high)))
        w = place.inches[0]
    return _labels(names, w), place


def _labels(names: Sequence[str], width: float) -> Labels:
    """Return labels for columns of `width` inches.

    Long names over narrow columns are upright: horizontal ones would be cut inside a word.
    """
    for size in SIZES:
        texts = [wrapped(name, width, size) for name in names]
        lines = max(text.count("\n") + 1 for text in texts)
        if lines <= LINES and not any(hard_cut(text) for text in texts):
            return Labels(texts, size, lines * 1.2 * size * POINT + 0.06)
    for tall in (1.4, 2.0, 3.0, 4.0):
        texts = [wrapped(name, tall, size) for name in names]
        if max(text.count("\n") + 1 for text in texts) * 1.2 * size * POINT <= width + GAP:
            break
    tall = max(text_width(line, size) for text in texts for line in text.splitlines())
    return Labels(texts, size, tall + 0.08, upright=True)


def _names(chosen: Sequence[str], width: float) -> list[str]:
    """Return the images' names in `width` inches.

    The middle is left out, or where that makes names equal, their common beginning and end.
    """
    names = [shortened(name, width, SMALL) for name in chosen]
    if len(set(names)) < len(set(chosen)):
        begin = len(os.path.commonprefix(list(chosen)))
        end = len(os.path.commonprefix([name[begin:][::-1] for name in chosen]))
        own = [f"…{name[begin : len(name) - end]}{'…' if end else ''}" for name in chosen]
        names = [shortened(name, width, SMALL) for name in own]
    return names
