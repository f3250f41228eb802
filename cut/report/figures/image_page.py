"""Pages of images: every image pixel for pixel at one resolution, with text beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

DPI = 300  # enough for photographs in print
FILLED = 0.85  # the least share of its frame that an enlarged image fills at that resolution
POINT = 1 / 72  # inches


@dataclass(frozen=True)
class Frame:
    """The size of an image on a page: (width, height) in pixels, and pixels per inch."""

    pixels: tuple[int, int]
    dpi: int

    @property
    def inches(self) -> tuple[float, float]:
        """Return width and height in inches."""
        return self.pixels[0] / self.dpi, self.pixels[1] / self.dpi


def frame(size: tuple[int, int], width: float, height: float) -> Frame:
    """Return the frame of images of `size` (width, height) in `width` x `height` inches.

    Small images are enlarged by a whole factor, so that every pixel stays a square. Where that
    leaves much of the frame empty, the factor is one more and the resolution finer.
    """
    room = min(width / size[0], height / size[1])  # inches per pixel
    factor = int(room * DPI)
    if factor < 1:
        return Frame((max(1, int(size[0] * room * DPI)), max(1, int(size[1] * room * DPI))), DPI)
    dpi = DPI
    if factor < FILLED * room * DPI:
        factor += 1
        dpi = math.ceil(factor / room)
    return Frame((size[0] * factor, size[1] * factor), dpi)


def fitted(image: Image.Image, box: tuple[int, int]) -> Image.Image:
    """Return `image` as large as `box` (pixels) allows.

    It is enlarged by a whole factor, or reduced by a Lanczos filter, which avoids aliasing.
    """
    share = min(box[0] / image.width, box[1] / image.height)
    share = int(share) if share >= 1 else share
    size = max(1, round(image.width * share)), max(1, round(image.height * share))
    return image.resize(size, Image.Resampling.NEAREST if share >= 1 else Image.Resampling.LANCZOS)


class ImagePage:
    """A white page of `width` x `height` inches; positions are inches from the upper left."""

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
        """Place `text` at (x, y); `how` are options of matplotlib's text."""
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
