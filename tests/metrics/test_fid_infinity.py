"""FID extrapolated to infinitely many images, on Gaussians whose distance is known."""

from __future__ import annotations

import numpy as np
import pytest

from cut.metrics import feature_scores
from cut.metrics.fid import fid
from cut.metrics.fid_infinity import LEAST_IMAGES, fid_infinity
from cut.metrics.inception.extract import EXTRACTOR, RESIZE
from cut.metrics.inception.features import DIMS, Features
from cut.records.scores import Side, Weights

SIDE = Side(
    images=1,
    size=(32, 32),
    formats=("PNG",),
    images_sha256="",
    extractor=EXTRACTOR,
    resize=RESIZE,
    dims=2048,
    weights=Weights(source="a file", tensors_sha256="0"),
)


def gaussians(n: int, d: int, seed: int, shift: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """Return two sets whose variances fall as 1/k; the true distance is that of the means."""
    rng = np.random.default_rng(seed)
    deviation = np.arange(1, d + 1) ** -0.5
    return rng.normal(size=(n, d)) * deviation, rng.normal(size=(n, d)) * deviation + shift


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_twice_as_many_images_as_dimensions_remove_the_bias(shift):
    d = 64
    truth = d * shift**2
    errors = []
    for seed in range(8):
        pair = gaussians(2 * d, d, seed, shift)
        errors.append([fid(*pair) - truth, fid_infinity(*pair) - truth])
    plain, extrapolated = np.mean(errors, axis=0)
    assert plain > 0.2
    assert abs(extrapolated) < plain / 5


def test_fewer_images_than_dimensions_do_not():
    """Which is why it is not computed then: not zero for two sets of one distribution."""
    pairs = [gaussians(32, 256, seed) for seed in range(4)]
    assert np.mean([fid_infinity(*pair) for pair in pairs]) > 1


def test_the_minimum_follows_the_features_and_is_kept_to():
    assert LEAST_IMAGES == 2 * DIMS
    rng = np.random.default_rng(0)
    few = Features(rng.random((20, DIMS), np.float32), [str(i) for i in range(20)], SIDE)
    found = feature_scores.distances(few, few)
    assert found.values["fid_infinity"] is None
    assert found.missing["fid_infinity"] == feature_scores.REASONS["fid_infinity"]
    assert "needs at least 4096 images on each side" in found.missing["fid_infinity"]


def test_enough_images_have_it(monkeypatch):
    monkeypatch.setattr(feature_scores, "LEAST_IMAGES", 64)
    x, y = gaussians(64, 16, 0, 0.5)
    names = [str(i) for i in range(64)]
    found = feature_scores.distances(Features(x, names, SIDE), Features(y, names, SIDE))
    assert found.values["fid_infinity"] == fid_infinity(x, y)
    assert "fid_infinity" not in found.missing
