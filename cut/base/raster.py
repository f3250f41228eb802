"""Images with any number of channels, at the depth of their files."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from cut.base.image_form import Form


@dataclass(frozen=True)
class Raster:
    """An image of any form. Its methods are those of Pillow's images that are used here.

    Attributes:
        values: (H, W, C) float32, in the unit of the file, inside the form's range.
        form: channels, range and kind of file.
    """

    values: np.ndarray
    form: Form

    @property
    def width(self) -> int:
        """Return the width in pixels."""
        return self.values.shape[1]

    @property
    def height(self) -> int:
        """Return the height in pixels."""
        return self.values.shape[0]

    @property
    def size(self) -> tuple[int, int]:
        """Return (width, height), as Pillow does."""
        return self.width, self.height

    def resize(
        self,
        size: tuple[int, int],
        resample: Image.Resampling = Image.Resampling.BICUBIC,
        box: tuple[float, float, float, float] | None = None,
    ) -> Raster:
        """Return the image, or the part in `box`, at `size` (width, height), channel by channel.

        Pillow's filters are applied to floating-point values, so that nothing is rounded. Values
        that a filter takes out of the range are clipped.
        """
        channels = np.moveaxis(self.values, 2, 0)
        parts = [
            Image.fromarray(np.ascontiguousarray(c)).resize(size, resample, box=box)
            for c in channels
        ]
        values = np.stack([np.asarray(part) for part in parts], axis=2)
        return Raster(values.clip(self.form.low, self.form.high), self.form)

    def crop(self, box: tuple[int, int, int, int]) -> Raster:
        """Return the pixels in `box` (left, top, right, bottom)."""
        left, top, right, bottom = box
        return Raster(self.values[top:bottom, left:right], self.form)

    def unit(self) -> np.ndarray:
        """Return the values as (H, W, C) float64 in [0, 1]."""
        low, high = self.form.low, self.form.high
        return (self.values.astype(np.float64) - low) / (high - low)

    def shown(self) -> Image.Image:
        """Return three channels of 8 bits by the form's mapping, or else the first one in grey."""
        chosen = [channel - 1 for channel in self.form.rgb or (1, 1, 1)]
        return Image.fromarray(np.rint(self.unit()[..., chosen] * 255).astype(np.uint8))
