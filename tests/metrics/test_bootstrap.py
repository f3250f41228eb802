"""FID from inner products, and the bootstrap intervals of FID and KID."""

from __future__ import annotations

import numpy as np
import pytest

from cut.metrics.bootstrap import (
    RESAMPLES,
    Products,
    Spread,
    _draws,
    _within,
    fid_interval,
    fid_spread,
    kid_interval,
    kid_spread,
    mean_spread,
    mind_spread,
    mmd_spread,
)
from cut.metrics.fid import fid
from cut.metrics.kid import kid
from cut.metrics.mind import mind
from cut.metrics.mmd import mmd


def features(n, shift=0.0, seed=0, d=40):
    rng = np.random.default_rng(seed)
    return rng.gamma(0.5, 1.0, (n, d)) + shift


@pytest.mark.parametrize("repeat", [False, True])
def test_products_give_the_fid_of_a_subset(repeat):
    real, fake = features(30), features(25, 0.3, 1)
    rng = np.random.default_rng(0)
    i, j = rng.choice(30, 20, replace=repeat), rng.choice(25, 15, replace=repeat)
    assert Products.of(real, fake).fid(i, j) == pytest.approx(fid(real[i], fake[j]), rel=1e-9)


def test_features_far_from_zero_lose_nothing():
    real, fake = features(30) + 1e4, features(25, 0.3, 1) + 1e4
    got = Products.of(real, fake).fid(np.arange(30), np.arange(25))
    assert got == pytest.approx(fid(real, fake), rel=1e-7)


def test_the_interval_is_about_the_value_and_follows_its_seed():
    real, fake = features(60), features(60, 0.3, 1)
    value = fid(real, fake)
    low, high = fid_interval(real, fake, value)
    assert low < value < high
    assert (low, high) == fid_interval(real, fake, value)
    assert (low, high) != fid_interval(real, fake, value, seed=1)


def test_more_images_narrow_it_as_the_square_root():
    widths = []
    for n in (50, 150, 450):
        real, fake = features(n, d=4), features(n, 0.3, 1, d=4)
        low, high = fid_interval(real, fake, fid(real, fake))
        widths.append(high - low)
    assert widths[0] > 1.3 * widths[1] > 1.3**2 * widths[2]


def test_it_spans_what_other_images_give():
    """Of 40 fresh draws from the same two distributions about 95 % lie in one draw's interval."""
    pairs = [
        (features(100, seed=s, d=6), features(100, 0.5, seed=1000 + s, d=6)) for s in range(41)
    ]
    values = [fid(*pair) for pair in pairs]
    low, high = fid_interval(*pairs[0], float(np.mean(values)))
    assert 0.8 <= np.mean([low < v < high for v in values]) <= 1.0


@pytest.mark.parametrize(("shift", "least"), [(0.0, 0.97), (0.3, 0.9), (1.0, 0.86)])
def test_kids_interval_holds_the_truth_as_often_as_it_says(shift, least):
    """Gaussians in 8 dimensions, 60 against 50 images, 150 times.

    KID has no bias, so its mean over the draws is the true value; of two sets of one distribution
    it is 0, and there the bootstrap of a degenerate statistic errs to the wide side.
    """
    values, bounds = [], []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        real, fake = rng.normal(size=(60, 8)), rng.normal(shift, 1, (50, 8))
        values.append(kid(real, fake)[0])
        bounds.append(kid_interval(real, fake, values[-1], seed))
    truth = np.mean(values) if shift else 0.0
    assert least <= np.mean([low < truth < high for low, high in bounds])
    # And it is no wider than that takes; of one distribution, up to twice as wide.
    ratio = np.mean([high - low for low, high in bounds]) / (2 * 1.96 * np.std(values))
    assert 0.75 < ratio < (1.25 if shift else 2.2)


def test_kid_of_a_resample_counts_no_image_against_itself():
    """With every image drawn once the weighted KID is KID; with one drawn twice, by hand."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(5, 3)), rng.normal(1, 1, (4, 3))
    kernel = (x @ x.T / 3 + 1) ** 3
    once = _within(kernel, np.ones((1, 5)))[0]
    assert once == pytest.approx((kernel.sum() - np.trace(kernel)) / 20)
    twice = _within(kernel, np.array([[2.0, 1, 1, 1, 0]]))[0]
    drawn = [0, 0, 1, 2, 3]
    pairs = [kernel[i, j] for i in drawn for j in drawn if i != j]
    assert twice == pytest.approx(np.mean(pairs))
    low, high = kid_interval(x, y, kid(x, y)[0])
    assert low < kid(x, y)[0] < high
    assert (low, high) == kid_interval(x, y, kid(x, y)[0])


def test_too_few_images_have_none():
    for interval in (fid_interval, kid_interval):
        assert interval(features(3), features(50), 1.0) is None


@pytest.mark.parametrize("interval", [fid_interval, kid_interval])
def test_resamples_of_fewer_images_say_the_same(interval, monkeypatch):
    """Of 450 and 350 images, in resamples of 150 and in whole ones."""
    real, fake = features(450, d=4), features(350, 0.5, 1, d=4)
    whole = np.diff(interval(real, fake, 1.0))[0]
    monkeypatch.setattr("cut.metrics.bootstrap.MOST_IMAGES", 150)
    low, high = interval(real, fake, 1.0)
    assert low < 1 < high and high - low == pytest.approx(whole, rel=0.2)


def test_with_fewer_images_than_dimensions_it_is_not_too_narrow():
    """As with 120 images and 2048 dimensions, for which there is `benchmarks.interval`."""
    pairs = [
        (features(40, seed=s, d=400), features(40, 0.05, seed=1000 + s, d=400)) for s in range(25)
    ]
    deviation = np.std([fid(*pair) for pair in pairs])
    widths = [np.diff(fid_interval(*pair, fid(*pair))) for pair in pairs[:5]]
    assert 0.8 < np.mean(widths) / (2 * 1.96 * deviation) < 2.5


SPREADS = [(fid_spread, fid), (mmd_spread, mmd), (mind_spread, mind)]


@pytest.mark.parametrize(("spread", "score"), SPREADS)
def test_a_resample_has_the_score_of_its_images(spread, score, monkeypatch):
    """MIND has fewer directions, so that its score is compared by these."""
    monkeypatch.setattr("cut.metrics.mind.DIRECTIONS", 100)
    real, fake = features(12), 4 * features(12, 0.5, 1)
    found = spread(real, fake)
    expected = [score(real[i], fake[j]) for i, j in _draws(12, 12, 0)]
    assert found.values == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("spread", [fid_spread, kid_spread, mmd_spread, mind_spread])
def test_resamples_of_fewer_images_spread_alike(spread, monkeypatch):
    real, fake = features(450, d=4), 9 * features(350, 0.5, 1, d=4)
    whole = spread(real, fake).about(1.0)
    monkeypatch.setattr("cut.metrics.bootstrap.MOST_IMAGES", 150)
    fewer = spread(real, fake).about(1.0)
    assert fewer.mean() == pytest.approx(1) and len(fewer) == RESAMPLES
    assert fewer.std() == pytest.approx(whole.std(), rel=0.25)
    assert spread(real[:3], fake) is None


def test_a_mean_spreads_as_the_root_of_the_number_of_images(monkeypatch):
    values = np.random.default_rng(0).normal(5, 2, 400)
    assert mean_spread(values).about(5.0).std() == pytest.approx(0.1, rel=0.15)
    monkeypatch.setattr("cut.metrics.bootstrap.MOST_IMAGES", 100)
    assert mean_spread(values).about(5.0).std() == pytest.approx(0.1, rel=0.15)
    assert mean_spread(values[:3]) is None


def test_values_and_bounds_are_about_the_score_of_all_images():
    spread = Spread(np.arange(201.0), 0.5)
    assert spread.about(7.0)[[0, 100, 200]] == pytest.approx([-43, 7, 57])
    assert spread.bounds(7.0) == pytest.approx((7 - 47.5, 7 + 47.5))
