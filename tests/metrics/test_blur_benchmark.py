"""FIDs of blurred images, with pixels in place of Inception's features."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from benchmarks.blur import blurred_fid
from cut.metrics.image_folder import ImageFolder


def pixels(images: ImageFolder) -> SimpleNamespace:
    """Return each image's pixels as its features."""
    each = [np.asarray(Image.open(path), float).ravel() for path in images.paths]
    return SimpleNamespace(values=np.stack(each))


def test_blur_alone_raises_the_distance_and_the_images_stay(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(6):
        levels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        Image.fromarray(levels).save(tmp_path / f"{i}.png")
    images = ImageFolder(tmp_path)
    before = pixels(images).values
    extractor = SimpleNamespace(features=pixels)
    none, little, much = (blurred_fid(images, s, before, extractor) for s in (0, 0.7, 2))
    assert none == pytest.approx(0, abs=1e-6)
    assert 0 < little < much
    assert np.array_equal(pixels(ImageFolder(tmp_path)).values, before)
