"""Precision, recall, density and coverage against closed forms and a direct evaluation."""

from __future__ import annotations

import numpy as np
import pytest

from cut.base.errors import UserError
from cut.metrics.prdc import manifold


def gauss(n, d=8, shift=0.0, scale=1.0, seed=0):
    return np.random.default_rng(seed).normal(shift, scale, (n, d))


def direct(real, fake, k):
    """The definitions, one pair at a time."""

    def distance(a, b):
        return float(np.sqrt(((a - b) ** 2).sum()))

    def radius(points, i):
        return sorted(distance(points[i], p) for j, p in enumerate(points) if j != i)[k - 1]

    real_radii = [radius(real, i) for i in range(len(real))]
    fake_radii = [radius(fake, j) for j in range(len(fake))]
    inside = [[distance(x, y) < r for y in fake] for x, r in zip(real, real_radii, strict=True)]
    covered = [any(distance(x, y) < r for y, r in zip(fake, fake_radii, strict=True)) for x in real]
    columns = list(zip(*inside, strict=True))
    return {
        "precision": np.mean([any(column) for column in columns]),
        "recall": np.mean(covered),
        "density": np.mean([sum(column) for column in columns]) / k,
        "coverage": np.mean([any(row) for row in inside]),
    }


@pytest.mark.parametrize("k", [1, 5])
def test_it_is_the_definitions(k):
    real, fake = gauss(20, 3), gauss(15, 3, shift=0.8, seed=1)
    assert manifold(real, fake, k) == pytest.approx(direct(real, fake, k))


def test_one_distribution_is_faithful_and_varied():
    scores = manifold(gauss(400), gauss(400, seed=1))
    assert scores["density"] == pytest.approx(1, abs=0.1)
    assert min(scores.values()) > 0.85


def test_far_away_everything_is_zero():
    assert set(manifold(gauss(50), gauss(50, shift=100)).values()) == {0.0}


def test_one_image_repeated_is_faithful_but_not_varied():
    real = gauss(200)
    fake = np.repeat(real[:1], 200, axis=0) + gauss(200, scale=1e-3, seed=1)
    scores = manifold(real, fake)
    assert scores["precision"] == 1 and scores["density"] > 0.5
    assert scores["recall"] < 0.05 and scores["coverage"] < 0.1


def test_noise_that_is_too_wide_is_varied_but_not_faithful():
    scores = manifold(gauss(200), gauss(200, scale=4, seed=1))
    assert scores["recall"] > 0.9 and scores["precision"] < 0.2


def test_too_few_images_are_refused():
    with pytest.raises(UserError, match="at least 6 images"):
        manifold(gauss(5), gauss(50))
