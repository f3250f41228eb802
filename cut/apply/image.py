"""Translate one image of any height and width, whole or by tiles."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from cut.apply.statistics import Statistics
from cut.apply.tiles import Pixels, check_tiles, count, translate_tiles
from cut.apply.trained import Trained
from cut.base.errors import UserError
from cut.base.images import AnyImage, image_of, pixels_of, resize
from cut.base.tensors import to_image, to_tensor
from cut.methods.contract import Method
from cut.methods.translated import check_output

# Pixels per side that every network translates: at a quarter of the size, its maps can be padded.
LEAST = 16


@dataclass(frozen=True)
class Tiling:
    """How an image is cut into tiles.

    Attributes:
        tile: side of a tile in pixels.
        overlap: of neighbours, in pixels.
        statistics: whose mean and deviation instance norm uses: each tile's own, or those of the
            whole image at low resolution.
    """

    tile: int
    overlap: int
    statistics: Literal["tile", "image"] = "tile"

    def check(self, trained: Trained) -> None:
        """Refuse tiles of a wrong size, and methods whose tiles would not fit together.

        Raises:
            UserError: what is wrong, and what to do.
        """
        check_tiles(self.tile, self.overlap, trained.method.stride, LEAST)
        if not trained.one_result:
            raise UserError(
                f"method {trained.method.name} draws random numbers from an image's pixels, so its"
                " tiles would not fit together; leave out --tile, and give a smaller --size"
            )


def translate_image(method: Method, image: AnyImage, tiling: Tiling | None, file: Path) -> AnyImage:
    """Return the translation of an image, at the same height and width.

    A side that is no multiple of the method's stride is continued by reflection at its end, and the
    translation is cut.

    Args:
        method: with trained weights.
        image: of the form of the source.
        tiling: how to cut it; None translates it whole.
        file: the name of the image for an error.

    Raises:
        UserError: the translation is not finite, or of another shape or range.
    """
    source, target = method.images.source, method.images.target
    pixels = padded(pixels_of(image), method.stride)

    def translate(part: Pixels) -> Tensor:
        return _translate(method, image_of(part, source), file)

    if tiling is None:
        out = pixels_of(to_image(translate(pixels), target))
    elif tiling.statistics == "tile":
        out = _by_tiles(translate, pixels, tiling, method)
    else:
        statistics = Statistics()
        small = overview(image, tiling.tile, method.stride)
        with statistics:
            _translate(method, small, file)

        def translate_alike(part: Pixels) -> Tensor:
            with statistics:
                return translate(part)

        out = _by_tiles(translate_alike, pixels, tiling, method)
    return image_of(np.ascontiguousarray(out[: image.height, : image.width]), target)


def padded(pixels: Pixels, stride: int) -> Pixels:
    """Return (H, W, C) pixels, continued by reflection to multiples of `stride` from `LEAST`."""
    more = [max(LEAST, side) - side for side in pixels.shape[:2]]
    more = [m + -(side + m) % stride for m, side in zip(more, pixels.shape[:2], strict=True)]
    return np.pad(pixels, ((0, more[0]), (0, more[1]), (0, 0)), mode="reflect")


def overview(image: AnyImage, tile: int, stride: int) -> AnyImage:
    """Return the whole image with at most about as many pixels as a tile, sides as `padded`'s."""
    scale = min(1.0, tile / (image.height * image.width) ** 0.5)
    sides = [
        max(1, LEAST // stride, round(side * scale / stride)) * stride
        for side in (image.height, image.width)
    ]
    return resize(image, (sides[0], sides[1]))


def _by_tiles(
    translate: Callable[[Pixels], Tensor], pixels: Pixels, tiling: Tiling, method: Method
) -> Pixels:
    how = (tiling.tile, tiling.overlap, method.stride)
    n = count(*pixels.shape[:2], *how)
    with tqdm(total=n, desc="tiles", unit="tile", disable=None, leave=False) as bar:
        return translate_tiles(translate, pixels, *how, bar.update, method.images.target)


@torch.no_grad()
def _translate(method: Method, image: AnyImage, file: Path) -> Tensor:
    """Return the translation, (C, H, W) in [-1, 1] on the CPU."""
    given = to_tensor(image)[None]
    output = method.translate(given.to(method.device))
    check_output(method.name, given, output, [file], method.images.target.channels)
    return output[0].float().cpu()
