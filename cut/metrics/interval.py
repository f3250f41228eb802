"""How sure a FID or KID of few images is: bootstrap intervals (Efron 1979), over images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import svdvals

from cut.metrics.kid import kernels

RESAMPLES = 200
LEVEL = 0.95
MOST_IMAGES = 2000  # a side; with more the interval is narrow and its cost is not


@dataclass(frozen=True)
class Products:
    """The inner products of two sets of features: all that their FID depends on.

    So a FID of a subset costs the singular values of a small matrix, and no pass over features.
    """

    xx: np.ndarray  # N1,N1
    xy: np.ndarray  # N1,N2
    yy: np.ndarray  # N2,N2

    @classmethod
    def of(cls, real: np.ndarray, fake: np.ndarray) -> Products:
        """Return the products of features (N1, D) and (N2, D)."""
        # A common shift changes no distance and keeps rounding small.
        shift = real.astype(np.float64).mean(axis=0)
        x, y = real - shift, fake - shift
        return cls(x @ x.T, x @ y.T, y @ y.T)

    def fid(self, i: np.ndarray, j: np.ndarray) -> float:
        """Return the FID of the real images `i` and the translations `j`; an index may repeat."""
        n, m = len(i), len(j)
        xx, xy, yy = self.xx[np.ix_(i, i)], self.xy[np.ix_(i, j)], self.yy[np.ix_(j, j)]
        means = xx.mean() + yy.mean() - 2 * xy.mean()
        spread = (np.trace(xx) - n * xx.mean()) / (n - 1) + (np.trace(yy) - m * yy.mean()) / (m - 1)
        centred = xy - xy.mean(axis=0) - xy.mean(axis=1)[:, None] + xy.mean()
        shared = svdvals(centred).sum() / np.sqrt((n - 1) * (m - 1))
        return float(means + spread - 2 * shared)


def fid_interval(
    real: np.ndarray, fake: np.ndarray, value: float, seed: int = 0
) -> tuple[float, float] | None:
    """Return the bounds of the 95 % bootstrap interval of the FID `value` of two sets of features.

    Images of both sides are drawn anew, features (N1, D) and (N2, D). A resample repeats images,
    which raises FID; only the spread is taken from the resamples: their quantiles, moved so that
    their mean is the FID of all images. It says how much another choice of images would change the
    number, and nothing of another training. None where a side has fewer than 4 images or more than
    2000.
    """
    if not _measurable(real, fake):
        return None
    products = Products.of(real, fake)
    rng = np.random.default_rng(seed)
    n, m = products.xy.shape
    values = [
        products.fid(rng.integers(n, size=n), rng.integers(m, size=m)) for _ in range(RESAMPLES)
    ]
    return _bounds(np.array(values), value)


def kid_interval(
    real: np.ndarray, fake: np.ndarray, value: float, seed: int = 0
) -> tuple[float, float] | None:
    """Return the bounds of the 95 % bootstrap interval of the KID `value`, as `fid_interval`.

    A resample gives each image a weight, how often it was drawn, and KID leaves out the pairs of
    an image with itself; with its copies too, or each would count as a pair of equal images.
    """
    if not _measurable(real, fake):
        return None
    kxx, kxy, kyy = kernels(real.astype(np.float64), fake.astype(np.float64))
    rng = np.random.default_rng(seed)
    n, m = kxy.shape
    u = rng.multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(np.float64)  # R,N1
    v = rng.multinomial(m, np.full(m, 1 / m), RESAMPLES).astype(np.float64)  # R,N2
    # Of four images, one draw in 64 is of a single one, which makes no pair.
    pairs = (np.count_nonzero(u, axis=1) > 1) & (np.count_nonzero(v, axis=1) > 1)
    u, v = u[pairs], v[pairs]
    between = np.einsum("rn,nm,rm->r", u, kxy, v, optimize=True) / (n * m)
    return _bounds(_within(kxx, u) + _within(kyy, v) - 2 * between, value)


def _within(kernel: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted mean (R,) of a kernel (N, N) over pairs of two images, not of one."""
    pairs = np.einsum("rn,nm,rm->r", weights, kernel, weights, optimize=True)
    own = np.square(weights)
    total = np.square(weights.sum(axis=1)) - own.sum(axis=1)
    return (pairs - own @ np.diag(kernel)) / total


def _measurable(real: np.ndarray, fake: np.ndarray) -> bool:
    """Return whether the sets are of a size to resample."""
    return min(len(real), len(fake)) >= 4 and max(len(real), len(fake)) <= MOST_IMAGES


def _bounds(values: np.ndarray, value: float) -> tuple[float, float]:
    """Return the resamples' outer quantiles, moved so that their mean is `value`."""
    tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    low, high = np.quantile(values, tails) - np.mean(values) + value
    return float(low), float(high)
