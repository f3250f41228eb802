"""The kernel distance between two sets of features (Bińkowski et al. 2018), without bias."""

from __future__ import annotations

import numpy as np

from cut.metrics.fid import check_features
from cut.records.scores import KidProtocol

SUBSETS = 100
SUBSET_SIZE = 1000


def kid(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> tuple[float, float | None]:
    """Return KID and its spread for features (N1, D) and (N2, D); `seed` draws the subsets.

    With up to 1000 images per side, KID is the unbiased estimate over all of them, and the spread
    is the standard deviation over 100 random halves: the standard error of the delete-half
    jackknife (None below 4 images, which have no halves). With more images, both are over 100
    subsets of 1000, as usual.

    Raises:
        UserError: a set has fewer than two rows, a number is not finite, or D differs.
    """
    check_features(real, fake, at_least=2)
    rng = np.random.default_rng(seed)
    x, y = real.astype(np.float64), fake.astype(np.float64)
    if max(len(x), len(y)) > SUBSET_SIZE:
        n, m = min(len(x), SUBSET_SIZE), min(len(y), SUBSET_SIZE)
        values = [
            mmd2(*kernels(x[_draw(rng, len(x), n)], y[_draw(rng, len(y), m)]))
            for _ in range(SUBSETS)
        ]
        return float(np.mean(values)), float(np.std(values))
    kxx, kxy, kyy = kernels(x, y)
    value = mmd2(kxx, kxy, kyy)
    n, m = len(x) // 2, len(y) // 2
    if min(n, m) < 2:
        return value, None
    halves = []
    for _ in range(SUBSETS):
        i, j = _draw(rng, len(x), n), _draw(rng, len(y), m)
        halves.append(mmd2(kxx[np.ix_(i, i)], kxy[np.ix_(i, j)], kyy[np.ix_(j, j)]))
    return value, float(np.std(halves))


def describe(n_real: int, n_fake: int) -> KidProtocol:
    """Return how `kid` treats this many images, for the record."""
    many = max(n_real, n_fake) > SUBSET_SIZE
    real, fake = (min(n, SUBSET_SIZE) if many else n // 2 for n in (n_real, n_fake))
    return KidProtocol(
        kernel="(x.y / dims + 1)^3",
        estimate=f"mean of {SUBSETS} subsets" if many else "all images",
        spread="standard deviation over subsets" if many else "delete-half jackknife",
        subsets=SUBSETS,
        subset_size=(real, fake),
        interval="bootstrap over images, pairs of one image left out, centred",
        seed=0,
    )


def _draw(rng: np.random.Generator, n: int, size: int) -> np.ndarray:
    return rng.choice(n, size, replace=False)


def kernels(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the cubic kernel within x (n, n), between x and y (n, m), and within y (m, m)."""
    d = x.shape[1]
    return (x @ x.T / d + 1) ** 3, (x @ y.T / d + 1) ** 3, (y @ y.T / d + 1) ** 3


def mmd2(kxx: np.ndarray, kxy: np.ndarray, kyy: np.ndarray) -> float:
    """Return the unbiased squared maximum mean discrepancy (Gretton et al. 2012, equation 3).

    No point is compared with itself, so the value may be negative.
    """
    n, m = kxy.shape
    within_x = (kxx.sum() - np.trace(kxx)) / (n * (n - 1))
    within_y = (kyy.sum() - np.trace(kyy)) / (m * (m - 1))
    return float(within_x + within_y - 2 * kxy.mean())
