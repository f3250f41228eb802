"""Which training images are held out, to choose an epoch by."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path


def split(files: Sequence[Path], n: int) -> tuple[list[Path], list[Path]]:
    """Return (the images to train on, the `n` held out), each in the order of `files`.

    The choice depends on the file names alone, not on a run's seed: every method and every seed
    leaves out the same images.
    """
    order = sorted(files, key=lambda file: hashlib.sha256(file.name.encode()).digest())
    out = set(order[:n])
    return [f for f in files if f not in out], [f for f in files if f in out]
