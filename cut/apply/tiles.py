"""Cut a large image into overlapping tiles, translate each, and blend them.

Beside the image and its translation in 8 bits, memory holds one tile's pass and one row of tiles.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from cut.base.errors import UserError
from cut.base.image_form import RGB, Form
from cut.base.images import pixels_of
from cut.base.tensors import to_image

Pixels = np.ndarray  # (H, W, C): uint8 of RGB images, float32 of another form


def check_tiles(tile: int, overlap: int, stride: int, least: int) -> None:
    """Refuse tiles that a network of this stride can't translate, or that leave seams.

    Args:
        tile: side of a tile in pixels.
        overlap: of neighbours, in pixels.
        stride: of the network: a tile's place has to be a multiple, so that the same pixel is
            sampled in each of the tiles that it is in.
        least: the smallest side that the network translates.

    Raises:
        UserError: names the number and what it may be.
    """
    if tile < least or tile % stride:
        raise UserError(
            f"--tile is {tile}; give a multiple of {stride} of at least {least} pixels, as 512"
        )
    if not 0 <= overlap <= tile // 2 or overlap % stride:
        raise UserError(
            f"--overlap is {overlap}; give a multiple of {stride} from 0 to half of the tile,"
            f" {tile // 2}"
        )


def starts(length: int, tile: int, overlap: int, stride: int) -> list[int]:
    """Return the first pixels of tiles that cover `length` pixels, as evenly as can be.

    Neighbours share `overlap` pixels or more. All numbers are multiples of `stride`.
    """
    if length <= tile:
        return [0]
    rest = (length - tile) // stride
    steps = math.ceil(rest / ((tile - overlap) // stride))
    return [stride * (i * rest // steps) for i in range(steps + 1)]


def weights(first: Sequence[int], tile: int, length: int, overlap: int) -> list[Tensor]:
    """Return the weights of each tile, (tile,) float64; at each of `length` pixels they add to one.

    Towards a neighbour a weight falls to zero as a squared cosine over `overlap` pixels. Where two
    tiles share exactly `overlap` pixels, the two weights add to one by themselves; elsewhere they
    are divided by their sum.
    """
    way = (torch.arange(overlap, dtype=torch.double) + 0.5) / max(overlap, 1)
    rise = torch.sin(way * math.pi / 2) ** 2
    total = torch.zeros(length, dtype=torch.double)
    windows = []
    for start in first:
        window = torch.ones(min(tile, length), dtype=torch.double)
        if start > 0:
            window[:overlap] = rise
        if start + tile < length:
            window[tile - overlap :] = rise.flip(0)
        total[start : start + len(window)] += window
        windows.append(window)
    return [w / total[s : s + len(w)] for s, w in zip(first, windows, strict=True)]


def translate_tiles(
    translate: Callable[[Pixels], Tensor],
    pixels: Pixels,
    tile: int,
    overlap: int,
    stride: int,
    advance: Callable[[], object] = lambda: None,
    form: Form = RGB,
) -> Pixels:
    """Return the translation of an image, blended from those of its tiles.

    Args:
        translate: from (h, w, C) pixels to (C', h, w) in [-1, 1] on the CPU.
        pixels: (H, W, C) of the image; both sides multiples of `stride`.
        tile: as in `check_tiles`.
        overlap: as in `check_tiles`.
        stride: of the network.
        advance: called after each tile.
        form: of the translation.
    """
    height, width = pixels.shape[:2]
    tops, lefts = (starts(side, tile, overlap, stride) for side in (height, width))
    down = weights(tops, tile, height, overlap)
    across = weights(lefts, tile, width, overlap)
    h, w = min(tile, height), min(tile, width)
    kind = np.uint8 if form == RGB else np.float32
    out = np.empty((height, width, form.channels), kind)
    strip = torch.zeros(form.channels, h, width)  # the rows that tiles to come may still add to
    for i, top in enumerate(tops):
        for left, weight in zip(lefts, across, strict=True):
            part = translate(pixels[top : top + h, left : left + w])
            strip[:, :, left : left + w] += part * torch.outer(down[i], weight).float()
            advance()
        final = (tops[i + 1] if i + 1 < len(tops) else height) - top
        out[top : top + final] = pixels_of(to_image(strip[:, :final], form))
        strip = torch.cat([strip[:, final:], torch.zeros(form.channels, final, width)], dim=1)
    return out


def count(height: int, width: int, tile: int, overlap: int, stride: int) -> int:
    """Return the number of tiles of an image."""
    return math.prod(len(starts(side, tile, overlap, stride)) for side in (height, width))
