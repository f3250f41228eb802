"""One image of any size through a generator, whole and by tiles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_methods import build
from trained_generators import GAIN

from cut.apply.image import Tiling, overview, padded, translate_image
from cut.apply.tiles import starts
from cut.base.image_form import DEFAULT
from cut.base.tensors import to_image, to_tensor
from cut.nets.networks import InstanceNorm

FILE = Path("image.png")


@pytest.fixture(scope="module")
def method():
    return build("cut", init_gain=GAIN, n_blocks=1, nce_layers=[0]).train(False)


def bright(height=96, width=160) -> Image.Image:
    """Return a smooth image whose left is much darker than its right, with a fine pattern."""
    y, x = np.mgrid[:height, :width] / width
    pattern = 12 * np.sin(160 * x) * np.sin(160 * y)
    channels = [255 * x + pattern, 220 - 180 * x - pattern, 100 + 200 * y * x + pattern]
    return Image.fromarray(np.stack(channels, -1).clip(0, 255).astype(np.uint8))


@pytest.mark.parametrize("size", [(32, 48), (33, 50), (5, 90), (1, 1), (17, 3)])
@pytest.mark.parametrize("tiling", [None, Tiling(16, 4), Tiling(16, 4, "image")])
def test_height_and_width_are_kept(method, size, tiling):
    image = bright(64, 96).crop((0, 0, size[1], size[0]))
    assert translate_image(method, image, tiling, FILE).size == image.size


def test_an_odd_size_is_continued_by_reflection_and_cut(method):
    image = bright(33, 50)
    pixels = padded(np.asarray(image), 4)
    assert pixels.shape == (36, 52, 3)
    assert np.array_equal(pixels[33:, :50], np.asarray(image)[31:28:-1])
    assert np.array_equal(pixels[:33, 50:], np.asarray(image)[:, 48:46:-1])
    with torch.no_grad():
        whole = to_image(method.G(to_tensor(Image.fromarray(pixels))[None])[0])
    found = translate_image(method, image, None, FILE)
    assert np.array_equal(np.asarray(found), np.asarray(whole)[:33, :50])


@pytest.mark.parametrize("size", [(3000, 4000), (20, 2000), (64, 64), (17, 30)])
def test_an_overview_has_the_pixels_of_a_tile(size):
    image = Image.new("RGB", size[::-1])
    small = overview(image, 64, 4)
    assert small.width % 4 == small.height % 4 == 0 and min(small.size) >= 16
    assert small.width * small.height <= 1.1 * max(64 * 64, 16 * max(small.size))
    if size == (64, 64):
        assert small.size == image.size


def seam(pixels: np.ndarray, borders: list[int]) -> float:
    """Return the mean step across borders of columns, relative to the mean step elsewhere."""
    steps = np.abs(np.diff(pixels.astype(float), axis=1)).mean((0, 2))
    at = np.array(borders) - 1
    return steps[at].mean() / np.delete(steps, at).mean()


class Normed:
    """A method that is an instance norm, so that statistics alone make its seams."""

    name, stride, device, images = "normed", 4, torch.device("cpu"), DEFAULT
    norm = InstanceNorm(3)

    def translate(self, images):
        return torch.tanh(self.norm(images))


def by_tiles(method, image: Image.Image, tiling: Tiling) -> tuple[float, float]:
    """Return the seam relative to that of the whole image's translation, and the distance to it."""
    whole = np.asarray(translate_image(method, image, None, FILE)).astype(float)
    found = np.asarray(translate_image(method, image, tiling, FILE)).astype(float)
    borders = starts(image.width, tiling.tile, tiling.overlap, 4)[1:]
    return seam(found, borders) / seam(whole, borders), np.abs(found - whole).mean()


def test_overlap_removes_the_step_of_a_seam(method):
    hard, _ = by_tiles(method, bright(), Tiling(32, 0))
    blended, _ = by_tiles(method, bright(), Tiling(32, 16))
    assert hard > 5 and blended < 0.3 * hard


def test_statistics_of_the_image_make_tiles_alike():
    step, distance = by_tiles(Normed(), bright(), Tiling(32, 0))
    step_alike, distance_alike = by_tiles(Normed(), bright(), Tiling(32, 0, "image"))
    assert step > 3 and distance > 20
    assert step_alike < 1.1 and distance_alike < 2
    # Blending alone hides the step, and leaves each tile with a brightness of its own.
    step, distance = by_tiles(Normed(), bright(), Tiling(32, 16))
    assert step < 2 and distance > 10
