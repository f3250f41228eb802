"""Pages of images: each image pixel for pixel at one resolution, words beside them as text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

DPI = 300  # what print asks of photographs; more makes files large and shows nothing
FILLED = 0.85  # of its place, at least, an image that is enlarged at that resolution fills
POINT = 1 / 72  # inches


@dataclass(frozen=True)
class Cell:
    """The place of an image on a page: its pixels, and how many of them are an inch."""

    pixels: tuple[int, int]
    dpi: int

    @property
    def inches(self) -> tuple[float, float]:
        """Return width and height."""
        return self.pixels[0] / self.dpi, self.pixels[1] / self.dpi


def cell(size: tuple[int, int], width: float, height: float) -> Cell:
    """Return the place of images of `size` pixels in `width` x `height` inches.

    Small images are enlarged in whole multiples, so that every pixel stays a square; where that
    leaves much of the place empty, by one more, at a finer resolution.
    """
    room = min(width / size[0], height / size[1])  # inches for a pixel
    times = int(room * DPI)
    if times < 1:
        return Cell((max(1, int(size[0] * room * DPI)), max(1, int(size[1] * room * DPI))), DPI)
    dpi = DPI
    if times < FILLED * room * DPI:
        times += 1
        dpi = math.ceil(times / room)
    return Cell((size[0] * times, size[1] * times), dpi)


def fitted(image: Image.Image, box: tuple[int, int]) -> Image.Image:
    """Return `image` as large as `box` (pixels) allows: enlarged by squares or reduced by a filter.

    The filter is Lanczos', which leaves no steps.
    """
    share = min(box[0] / image.width, box[1] / image.height)
    share = int(share) if share >= 1 else share
    size = max(1, round(image.width * share)), max(1, round(image.height * share))
    return image.resize(size, Image.Resampling.NEAREST if share >= 1 else Image.Resampling.LANCZOS)


class Sheet:
    """A white page of `width` x `height` inches; places are inches from its upper left corner."""

    def __init__(self, width: float, height: float, dpi: int = DPI) -> None:
        """Begin an empty page."""
        self.dpi = dpi
        self.canvas = np.full((round(height * dpi), round(width * dpi), 3), 255, np.uint8)
        self.texts: list[tuple[float, float, str, dict[str, Any]]] = []

    def image(self, x: float, y: float, image: Image.Image) -> None:
        """Place `image` with its upper left corner at (x, y)."""
        left, top = round(x * self.dpi), round(y * self.dpi)
        part = self.canvas[top : top + image.height, left : left + image.width]
        part[:] = np.asarray(image)[: part.shape[0], : part.shape[1]]

    def text(self, x: float, y: float, text: str, **how: Any) -> None:
        """Place `text` at (x, y); `how` as matplotlib's text."""
        self.texts.append((x, y, text, how))

    def figure(self) -> Figure:
        """Return the page as a figure of its size and resolution."""
        h, w = self.canvas.shape[:2]
        figure = plt.figure(figsize=(w / self.dpi, h / self.dpi), dpi=self.dpi)
        axes = figure.add_axes((0, 0, 1, 1), frameon=False)
        axes.imshow(self.canvas, interpolation="none", aspect="auto")
        axes.set_axis_off()
        for x, y, text, how in self.texts:
            figure.text(x * self.dpi / w, 1 - y * self.dpi / h, text, linespacing=1.0, **how)
        return figure
