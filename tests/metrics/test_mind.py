"""MIND against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from cut.base.errors import UserError
from cut.metrics.mind import mind


def gauss(n, d=16, scale=1.0, seed=0):
    return np.random.default_rng(seed).normal(0, scale, (n, d))


def test_a_set_is_at_no_distance_from_itself_in_any_order():
    x = gauss(60)
    assert mind(x, x) == 0
    assert mind(x, x[::-1]) == pytest.approx(0, abs=1e-12)


def test_a_shift_has_three_times_its_squared_length():
    """(u.s)^2 of a random unit vector u has mean |s|^2 / D."""
    x, shift = gauss(50), np.linspace(-1, 2, 16)
    assert mind(x, x + shift) == pytest.approx(3 * np.square(shift).sum(), rel=0.1)


def test_in_one_dimension_it_is_the_mean_square_of_sorted_differences():
    x, y = gauss(40, 1), gauss(40, 1, 2.0, seed=1)
    apart = np.square(np.sort(x[:, 0]) - np.sort(y[:, 0])).mean()
    assert mind(x, y) == pytest.approx(3 * apart, rel=1e-12)


def test_a_scale_has_the_closed_form_of_gaussians():
    """Between projections of deviation 1 and 3 the squared distance is (3 - 1)^2."""
    x = gauss(4000)
    assert mind(x, 3 * x) == pytest.approx(3 * 16 * 4, rel=0.05)
    assert mind(x, gauss(4000, scale=3, seed=1)) == pytest.approx(3 * 16 * 4, rel=0.05)


def test_the_larger_set_is_reduced_at_random():
    x, y = gauss(300), gauss(80, seed=1)
    assert mind(x, y) == pytest.approx(mind(y, x), rel=0.2)
    assert mind(x, y) == mind(x, y) != mind(x, y, seed=1)
    # Images after the first 80 count, too.
    far = np.concatenate([x[:80], x[80:] + 9])
    assert mind(far, y) > 100 * mind(x, y)


def test_one_image_has_no_distribution():
    with pytest.raises(UserError, match="at least 2 images"):
        mind(gauss(1), gauss(5))
