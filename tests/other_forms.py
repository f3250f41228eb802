"""Small data sets whose images are not 8-bit RGB."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from cut.base.image_form import Form
from cut.base.raster import Raster
from cut.base.raster_files import write_raster

COUNTS = {"trainA": 3, "trainB": 3, "testA": 2, "testB": 3}
GREY = Form(channels=1, high=65535.0, dtype="uint16", rgb=(1, 1, 1))
BANDS = Form(channels=4, low=-1.0, high=3.0, dtype="float32", file="npy", rgb=None)
COLOURS = Form(channels=3, high=4095.0, dtype="uint16", file="tiff", rgb=None)


def noise(form: Form, seed: int = 0, size: tuple[int, int] = (24, 32)) -> Raster:
    """Return an image of uniform noise over a form's range, with both ends."""
    values = np.random.default_rng(seed).uniform(form.low, form.high, (*size, form.channels))
    values = values.astype(np.float32) if form.dtype.startswith("float") else np.rint(values)
    values[0, :2] = [[form.low] * form.channels, [form.high] * form.channels]
    return Raster(values.astype(np.float32), form)


def write_set(root: Path, a: Form, b: Form, of: Callable[..., Raster] = noise) -> Path:
    """Write a data set of noise whose domains have the forms `a` and `b`."""
    for folder, n in COUNTS.items():
        (root / folder).mkdir(parents=True)
        form = a if folder.endswith("A") else b
        for k in range(n):
            image = of(form, seed=k + 10 * (folder in ("trainB", "testB")))
            write_raster(root / folder / f"{k}{form.suffix}", image)
    return root
