"""Random streams: every draw of a run derives from its one seed along named axes.

A stream depends on its name alone, not on how many numbers another stream has drawn, so that
adding a random choice to one part of a run leaves all the others as they were.
"""

from __future__ import annotations

import hashlib

import torch


def derive(seed: int, *axes: str | int) -> int:
    """Return a 63-bit integer that depends on `seed` and on the names in `axes`, on any machine."""
    text = "/".join([str(seed), *map(str, axes)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def generator(seed: int, *axes: str | int) -> torch.Generator:
    """Return a CPU generator for the stream `axes`.

    Draws are made on the CPU whatever the device, so that a run on a GPU sees the same patch
    positions and flips as one on a CPU.
    """
    return torch.Generator().manual_seed(derive(seed, *axes))
