"""The same features through independent code: clean-fid and torch-fidelity.

Both take roots of covariances, which this project does not: of features of full rank they agree to
rounding, of fewer images than dimensions as well as a root of a singular matrix allows. Measured
with the locked versions, relative: FID 2e-14 (full rank) and 2e-7 (120 images of 2048 dimensions);
KID 6e-15; precision and recall to float32, in which torch-fidelity counts; the Gaussian MMD 1e-14.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cut.metrics.fid import fid
from cut.metrics.kid import kid
from cut.metrics.mmd import mmd
from cut.metrics.prdc import manifold

cleanfid = pytest.importorskip("cleanfid.fid", reason="clean-fid is a test requirement")
pytest.importorskip("torch_fidelity", reason="torch-fidelity is a test requirement")
from torch_fidelity.metric_fid import (  # noqa: E402
    fid_features_to_statistics,
    fid_statistics_to_metric,
)
from torch_fidelity.metric_kid import (  # noqa: E402
    kernel_rbf,
    kid_features_to_metric,
    mmd2,
)
from torch_fidelity.metric_prc import prc_features_to_metric  # noqa: E402

# clean-fid calls a matrix root as SciPy deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def features(n_real: int, n_fake: int, dims: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return features as skewed and non-negative as Inception's are."""
    rng = np.random.default_rng(seed)
    return rng.gamma(0.5, 1.0, (n_real, dims)), rng.gamma(0.6, 1.1, (n_fake, dims))


def cleanfids(real: np.ndarray, fake: np.ndarray) -> float:
    """Return clean-fid's FID."""
    moments = [m for x in (fake, real) for m in (x.mean(axis=0), np.cov(x, rowvar=False))]
    return cleanfid.frechet_distance(*moments)


def torch_fidelitys(real: np.ndarray, fake: np.ndarray) -> float:
    """Return torch-fidelity's FID."""
    statistics = [fid_features_to_statistics(torch.from_numpy(x)) for x in (fake, real)]
    return fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]


@pytest.mark.parametrize("theirs", [cleanfids, torch_fidelitys])
@pytest.mark.parametrize(("sizes", "tolerance"), [((400, 300, 64), 1e-12), ((140, 120, 200), 1e-7)])
def test_fid(theirs, sizes, tolerance):
    pair = features(*sizes)
    assert fid(*pair) > 1
    assert fid(*pair) == pytest.approx(theirs(*pair), rel=tolerance)


def test_fid_of_few_images_in_inceptions_dimensions():
    pair = features(140, 120, 2048)
    assert fid(*pair) == pytest.approx(torch_fidelitys(*pair), rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_kid(seed):
    """Theirs of one subset with all images; both packages want as many of each side."""
    real, fake = features(90, 90, 50, seed)
    ours = kid(real, fake)[0]
    assert ours > 0.01
    one = cleanfid.kernel_distance(real, fake, num_subsets=1, max_subset_size=90)
    assert ours == pytest.approx(one, rel=1e-12)
    both = [torch.from_numpy(x) for x in (fake, real)]
    other = kid_features_to_metric(*both, kid_subsets=1, kid_subset_size=90, verbose=False)
    assert ours == pytest.approx(other["kernel_inception_distance_mean"], rel=1e-12)


def test_the_spread_of_kid_over_subsets(monkeypatch):
    """Mean and deviation over 100 random subsets, which each package draws in its own way."""
    monkeypatch.setattr("cut.metrics.kid.SUBSET_SIZE", 60)
    real, fake = features(400, 400, 20)
    value, spread = kid(real, fake)
    both = [torch.from_numpy(x) for x in (fake, real)]
    theirs = kid_features_to_metric(*both, kid_subsets=100, kid_subset_size=60, verbose=False)
    assert value == pytest.approx(theirs["kernel_inception_distance_mean"], rel=0.1)
    assert spread == pytest.approx(theirs["kernel_inception_distance_std"], rel=0.35)


def test_mmd():
    """Their kernel, whose bandwidth is 10 by default, and their biased estimate."""
    x, y = features(90, 90, 100)
    theirs = mmd2(kernel_rbf(x, x), kernel_rbf(x, y), kernel_rbf(y, y), mmd_est="biased")
    assert theirs > 0.025  # more than the largest bias, 2 / 90
    assert mmd(x, y) == pytest.approx(theirs, rel=1e-10)


@pytest.mark.parametrize("k", [3, 5])
def test_precision_and_recall(k):
    """Density and coverage are in neither package; tests/metrics/test_prdc.py has those."""
    real, fake = features(150, 130, 12)
    real[:, 0] *= 4
    ours = manifold(real, fake, k)
    both = [torch.from_numpy(x) for x in (fake, real)]
    theirs = prc_features_to_metric(*both, prc_neighborhood=k, verbose=False)
    assert 0.1 < ours["precision"] < 1 and 0.1 < ours["recall"] < 1
    for name in ("precision", "recall"):
        assert ours[name] == pytest.approx(theirs[name], rel=1e-6)
