"""The effective number of images against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from cut.metrics.vendi import vendi


def test_equal_images_count_as_one_and_orthogonal_ones_each():
    assert vendi(np.ones((6, 4))) == pytest.approx(1)
    assert vendi(np.eye(5, 9) * [[1], [2], [3], [4], [5]]) == pytest.approx(5)


@pytest.mark.parametrize("copies", [1, 8])
def test_copies_do_not_count_and_shares_do(copies):
    """Three groups of equal images, in shares of 1/2, 1/4 and 1/4; also with N above D."""
    groups = np.repeat(np.eye(3, 5), [2 * copies, copies, copies], axis=0)
    assert vendi(groups) == pytest.approx(2 * 2**0.5)


def test_two_images_with_a_cosine_have_the_closed_form():
    """The eigenvalues of K / 2 are (1 + c) / 2 and (1 - c) / 2."""
    c = 0.3
    p = np.array([1 + c, 1 - c]) / 2
    found = vendi(np.array([[1, 0, 0], [c, np.sqrt(1 - c**2), 0]]))
    assert found == pytest.approx(np.exp(-(p * np.log(p)).sum()))
