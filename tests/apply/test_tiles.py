"""Overlapping tiles: where they lie, and how they are blended."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from cut.apply.tiles import check_tiles, count, starts, translate_tiles, weights
from cut.base.errors import UserError

# length, tile, overlap, stride
GRIDS = [
    (512, 512, 64, 4),
    (516, 512, 64, 4),
    (300, 512, 64, 4),
    (3000, 512, 64, 4),
    (1000, 128, 64, 4),
    (200, 64, 0, 4),
    (97, 16, 8, 1),
    (104, 32, 12, 2),
]


@pytest.mark.parametrize("grid", GRIDS)
def test_tiles_cover_a_side_and_overlap_enough(grid):
    length, tile, overlap, stride = grid
    found = starts(*grid)
    assert found[0] == 0 and all(start % stride == 0 for start in found)
    assert found[-1] + min(tile, length) == length
    steps = np.diff(found)
    assert len(steps) == 0 or 0 < steps.min() <= steps.max() <= tile - overlap
    # One tile fewer could not cover the side.
    assert len(found) == 1 or (len(found) - 1) * (tile - overlap) + overlap < length


@pytest.mark.parametrize("grid", GRIDS)
def test_the_weights_are_a_partition_of_unity(grid):
    length, tile, overlap, _ = grid
    total, first = torch.zeros(length, dtype=torch.double), starts(*grid)
    for start, weight in zip(first, weights(first, tile, length, overlap), strict=True):
        assert float(weight.min()) > 0
        total[start : start + len(weight)] += weight
    torch.testing.assert_close(total, torch.ones_like(total), rtol=0, atol=1e-15)


def test_the_weights_of_a_regular_grid_are_squares_of_sine_and_cosine():
    left, middle, right = weights([0, 12, 24], tile=16, length=40, overlap=4)
    angle = (torch.arange(4, dtype=torch.double) + 0.5) * math.pi / 8
    one = torch.ones(12, dtype=torch.double)
    torch.testing.assert_close(left, torch.cat([one, angle.cos() ** 2]))
    torch.testing.assert_close(middle, torch.cat([angle.sin() ** 2, one[:8], angle.cos() ** 2]))
    torch.testing.assert_close(right, torch.cat([angle.sin() ** 2, one]))


def to_tensor(pixels):
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1).float() / 127.5 - 1


@pytest.mark.parametrize("shape", [(40, 40), (16, 100), (92, 8), (132, 68)])
def test_unchanged_tiles_give_the_image(shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), dtype=np.uint8)
    seen = []

    def translate(part):
        seen.append(part.shape)
        return to_tensor(part)

    out = translate_tiles(translate, pixels, 32, 8, 4)
    assert np.array_equal(out, pixels)
    assert len(seen) == count(*shape, 32, 8, 4)
    assert max(side for part in seen for side in part[:2]) <= 32


def test_two_tiles_fade_into_each_other():
    values = iter([-1.0, 1.0])
    out = translate_tiles(
        lambda part: torch.full((3, *part.shape[:2]), next(values)),
        np.zeros((16, 28, 3), np.uint8),
        tile=16,
        overlap=4,
        stride=4,
    )
    rise = np.sin((np.arange(4) + 0.5) * np.pi / 8) ** 2
    expected = np.concatenate([np.zeros(12), np.round(255 * rise), np.full(12, 255)])
    assert np.array_equal(out, np.broadcast_to(expected[None, :, None], out.shape))


@pytest.mark.parametrize(
    ("tile", "overlap", "named"),
    [
        (30, 8, "--tile"),
        (8, 0, "--tile"),
        (32, 20, "--overlap"),
        (32, 6, "--overlap"),
        (32, -4, "--overlap"),
    ],
)
def test_tiles_that_do_not_fit_are_refused(tile, overlap, named):
    with pytest.raises(UserError, match=named):
        check_tiles(tile, overlap, stride=4, least=16)
    check_tiles(32, 16, stride=4, least=16)
