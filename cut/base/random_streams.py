"""Random streams. Every random draw of a run derives from its one seed and a name.

A stream depends on its name only, and not on how many numbers another stream has drawn. Adding a
random choice to one part of a run therefore changes no other part.
"""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor


def derive(seed: int, *axes: str | int) -> int:
    """Return a 63-bit integer from `seed` and the names in `axes`, the same on any machine."""
    text = "/".join([str(seed), *map(str, axes)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *axes: str | int) -> torch.Generator:
    """Return a CPU generator for the stream `axes`.

    Draws are made on the CPU for every device, so that a run on a GPU uses the same patch positions
    and flips as a run on a CPU.
    """
    return torch.Generator().manual_seed(derive(seed, *axes))


def of_images(images: Tensor, *axes: str | int) -> list[torch.Generator]:
    """Return a CPU generator for each of (N, 3, H, W) images in [-1, 1], from its 8-bit pixels.

    Draws for an image differ between images and do not depend on the batch, the run or the machine.
    """
    pixels = ((images.detach().float().cpu().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    digests = [hashlib.sha256(image.numpy().tobytes()).hexdigest() for image in pixels]
    return [generator(0, *axes, digest) for digest in digests]
