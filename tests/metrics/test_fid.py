"""The Fréchet distance against closed forms and against pytorch-fid's own."""

from __future__ import annotations

import numpy as np
import pytest
from pytorch_fid.fid_score import calculate_frechet_distance

from cut.base.errors import UserError
from cut.metrics.fid import fid


def features(n: int, dims: int, seed: int) -> np.ndarray:
    """Return correlated positive features, as a network's are."""
    rng = np.random.default_rng(seed)
    mix = rng.normal(size=(dims, dims)) / np.sqrt(dims)
    return np.abs(rng.normal(size=(n, dims)) @ mix + rng.normal(size=dims)).astype(np.float32)


def test_equal_covariances_leave_the_squared_distance_of_the_means():
    x = np.random.default_rng(0).normal(size=(40, 8))
    shift = np.arange(8.0)
    assert fid(x, x + shift) == pytest.approx(np.square(shift).sum(), rel=1e-12)


def test_a_set_has_no_distance_from_itself_in_any_order():
    x = features(30, 64, 0)
    assert fid(x, x[::-1]) == pytest.approx(0, abs=1e-5 * float(np.square(x).sum(1).mean()))
    assert fid(x, x) >= 0


def test_one_dimension_has_a_closed_form():
    rng = np.random.default_rng(1)
    x, y = rng.normal(3, 2, (50, 1)), rng.normal(-1, 5, (70, 1))
    means = (x.mean() - y.mean()) ** 2
    spreads = (x.std(ddof=1) - y.std(ddof=1)) ** 2
    assert fid(x, y) == pytest.approx(means + spreads, rel=1e-12)


@pytest.mark.parametrize(
    ("n", "m", "dims"),
    [(30, 40, 192), (300, 400, 64), (300, 30, 64), (30, 300, 64), (64, 65, 64)],
)
def test_agrees_with_pytorch_fid_whether_images_or_dimensions_are_more(n, m, dims):
    x, y = features(n, dims, 2), features(m, dims, 3)
    moments = [
        f(z.astype(np.float64))
        for z in (x, y)
        for f in (lambda z: z.mean(0), lambda z: np.cov(z, rowvar=False))
    ]
    expected = calculate_frechet_distance(*moments)
    assert expected > 1
    # pytorch-fid's root of a singular product is the less exact of the two.
    assert fid(x, y) == pytest.approx(expected, rel=1e-5)


def test_is_symmetric_and_indifferent_to_rotation():
    x, y = features(20, 32, 4), features(25, 32, 5)
    rotation, _ = np.linalg.qr(np.random.default_rng(6).normal(size=(32, 32)))
    assert fid(y, x) == pytest.approx(fid(x, y), rel=1e-10)
    assert fid(x @ rotation, y @ rotation) == pytest.approx(fid(x, y), rel=1e-10)


@pytest.mark.parametrize(
    ("real", "fake", "words"),
    [
        (np.zeros((1, 4)), np.zeros((3, 4)), "at least 2"),
        (np.zeros((3, 4)), np.full((3, 4), np.nan), "translated features are not all finite"),
        (np.zeros((3, 4)), np.zeros((3, 5)), "4 dimensions"),
    ],
)
def test_refuses_what_has_no_distance(real, fake, words):
    with pytest.raises(UserError, match=words):
        fid(real, fake)
