"""The discrepancy with a Gaussian kernel against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from cut.base.errors import UserError
from cut.metrics import mmd as module
from cut.metrics.mmd import SIGMA, mmd


def gauss(n, d=3, shift=0.0, scale=1.0, seed=0):
    return np.random.default_rng(seed).normal(shift, scale, (n, d))


def test_two_sets_of_equal_rows_have_the_kernel_of_their_distance():
    x, y = np.zeros((3, 4)), np.full((2, 4), 5.0)
    assert mmd(x, y) == pytest.approx(2 - 2 * np.exp(-100 / (2 * SIGMA**2)), rel=1e-12)
    assert mmd(x, x) == 0
    assert mmd(x, y + 1e3) == 2


def test_it_is_the_definition(monkeypatch):
    """Also when the kernel does not fit into one block."""
    x, y = gauss(7, scale=6), gauss(5, shift=4, scale=9, seed=1)

    def kernel(a, b):
        return np.mean([np.exp(-np.square(p - q).sum() / 200) for p in a for q in b])

    expected = kernel(x, x) + kernel(y, y) - 2 * kernel(x, y)
    assert mmd(x, y) == pytest.approx(expected, rel=1e-12)
    monkeypatch.setattr(module, "AT_ONCE", 3)
    assert mmd(x, y) == pytest.approx(expected, rel=1e-12)


def test_gaussians_have_the_closed_form():
    """The mean kernel of normal x - y with mean m and variance v: see below, per dimension."""

    def mean(m, v):
        return (1 + v / SIGMA**2) ** -0.5 * np.exp(-(m**2) / (2 * (SIGMA**2 + v)))

    s, t, m = 8.0, 12.0, 6.0
    expected = mean(0, 2 * s**2) + mean(0, 2 * t**2) - 2 * mean(m, s**2 + t**2)
    found = mmd(gauss(3000, 1, scale=s), gauss(3000, 1, shift=m, scale=t, seed=1))
    assert found == pytest.approx(expected, rel=0.1)


def test_the_bias_is_that_of_comparing_images_with_themselves():
    x, y = gauss(50, 40, scale=20), gauss(40, 40, scale=20, seed=1)
    assert mmd(x, y) == pytest.approx(1 / 50 + 1 / 40, rel=1e-6)


def test_one_image_has_no_distribution():
    with pytest.raises(UserError, match="at least 2 images"):
        mmd(gauss(5), gauss(1))
