"""MIND, the Monge Inception distance (Berthet et al. 2026), of two sets of features."""

from __future__ import annotations

import numpy as np

from cut.metrics.fid import check_features

DIRECTIONS = 1000
AT_ONCE = 100  # directions, which bounds the memory for any number of images
PROTOCOL = f"3 x dims x mean over {DIRECTIONS} directions; the larger set reduced; seed 0"


def mind(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> float:
    """Return MIND of features (N1, D) and (N2, D): a scaled sliced Wasserstein distance, squared.

        3 D mean over directions u of mean over i of (sort(X u)_i - sort(Y u)_i)^2

    Each of 1000 random unit vectors u turns both sets into numbers. The optimal transport between
    those pairs the smallest with the smallest, and so on. No covariance is estimated. The mean of
    u u' is the identity over D, so sets that differ by a shift s alone have the value 3 |s|^2 in
    expectation. The larger set is reduced at random to the size of the smaller. Finite sets of one
    distribution have a positive value, which falls with their number.

    Args:
        real: the real images.
        fake: the translations.
        seed: draws the directions, which depend on nothing else, and the images left out.

    Raises:
        UserError: a set has fewer than two rows, a number is not finite, or D differs.
    """
    check_features(real, fake, at_least=2)
    for_directions, for_images = np.random.default_rng(seed).spawn(2)
    n, dims = min(len(real), len(fake)), real.shape[1]
    x, y = (_reduced(side, n, for_images).astype(np.float64) for side in (real, fake))
    total = 0.0
    for _ in range(DIRECTIONS // AT_ONCE):
        u = _unit_vectors(for_directions, AT_ONCE, dims)
        total += _transport(u @ x.T, u @ y.T).sum()
    return float(3 * dims * total / DIRECTIONS)


def directions(dims: int, count: int, seed: int = 0) -> np.ndarray:
    """Return the first `count` directions of `mind`, at most 100, (count, dims)."""
    return _unit_vectors(np.random.default_rng(seed).spawn(1)[0], count, dims)


def of_projections(a: np.ndarray, b: np.ndarray, dims: int) -> float:
    """Return MIND of two sets of N images, given their projections (directions, N)."""
    return float(3 * dims * _transport(a, b).mean())


def _unit_vectors(rng: np.random.Generator, count: int, dims: int) -> np.ndarray:
    u = rng.standard_normal((count, dims))
    return u / np.linalg.norm(u, axis=1, keepdims=True)


def _transport(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the squared transport cost (directions,) between projections (directions, N)."""
    return np.square(np.sort(a, axis=1) - np.sort(b, axis=1)).mean(axis=1)


def _reduced(x: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    return x if len(x) == n else x[rng.choice(len(x), n, replace=False)]
