"""Bootstrap intervals for FID and KID (Efron 1979), over images.

With up to 1000 images per side, a resample has as many images as there are. With more, it has 1000
(the m out of n bootstrap; Bickel, Götze and van Zwet 1997), and its spread is scaled to all images
by the root of their number. This bounds the cost for any number of images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.linalg import svdvals

from cut.metrics.kid import kernels

RESAMPLES = 200
LEVEL = 0.95
LEAST_IMAGES = 4  # per side
MOST_IMAGES = 1000  # per side, in a resample


@dataclass(frozen=True)
class Products:
    """The inner products of two sets of features. Their FID depends on nothing else.

    The FID of a subset then costs the singular values of a small matrix, without the features.
    """

    xx: np.ndarray  # N1,N1
    xy: np.ndarray  # N1,N2
    yy: np.ndarray  # N2,N2

    @classmethod
    def of(cls, real: np.ndarray, fake: np.ndarray) -> Products:
        """Return the products of features (N1, D) and (N2, D)."""
        # A common shift changes no distance and keeps rounding errors small.
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

    Images of both sides are drawn with replacement, from features (N1, D) and (N2, D). A resample
    repeats images, which raises FID, so only the spread of the resamples is used: their quantiles,
    shifted so that their mean is the FID of all images. The interval covers another choice of
    images, but not another training. None if a side has fewer than 4 images.
    """
    if min(len(real), len(fake)) < LEAST_IMAGES:
        return None
    whole = None
    if max(len(real), len(fake)) <= MOST_IMAGES:
        whole = Products.of(real, fake)
    values = []
    for i, j in _draws(len(real), len(fake), seed):
        if whole is None:
            drawn = Products.of(real[i], fake[j])
            values.append(drawn.fid(np.arange(len(i)), np.arange(len(j))))
        else:
            values.append(whole.fid(i, j))
    return _bounds(np.array(values), value, _scale(real, fake))


def kid_interval(
    real: np.ndarray, fake: np.ndarray, value: float, seed: int = 0
) -> tuple[float, float] | None:
    """Return the bounds of the 95 % bootstrap interval of the KID `value`, as `fid_interval`.

    In a resample each image has a weight: how often it was drawn. KID leaves out the pairs of an
    image with itself, and here also with its copies, which would count as pairs of equal images.
    """
    if min(len(real), len(fake)) < LEAST_IMAGES:
        return None
    x, y = real.astype(np.float64), fake.astype(np.float64)
    counts = [
        (np.bincount(i, minlength=len(x)), np.bincount(j, minlength=len(y)))
        for i, j in _draws(len(x), len(y), seed)
    ]
    # Of four images, one draw in 64 holds a single image, which makes no pair.
    counts = [pair for pair in counts if min(map(np.count_nonzero, pair)) > 1]
    if max(len(x), len(y)) <= MOST_IMAGES:
        u, v = (np.stack(side).astype(np.float64) for side in zip(*counts, strict=True))
        values = _weighted_kid(*kernels(x, y), u, v)
    else:
        parts = [
            _weighted_kid(*kernels(x[u > 0], y[v > 0]), u[None, u > 0], v[None, v > 0])
            for u, v in counts
        ]
        values = np.concatenate(parts)
    return _bounds(values, value, _scale(real, fake))


def _weighted_kid(
    kxx: np.ndarray, kxy: np.ndarray, kyy: np.ndarray, u: np.ndarray, v: np.ndarray
) -> np.ndarray:
    """Return the KIDs (R,) of images that were drawn `u` (R, N1) and `v` (R, N2) times."""
    between = np.einsum("rn,nm,rm->r", u, kxy, v, optimize=True)
    between = between / (u.sum(axis=1) * v.sum(axis=1))
    return _within(kxx, u) + _within(kyy, v) - 2 * between


def _draws(n: int, m: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the images (indices, with repetition) of both sides of each resample."""
    rng = np.random.default_rng(seed)
    for _ in range(RESAMPLES):
        yield rng.integers(n, size=min(n, MOST_IMAGES)), rng.integers(m, size=min(m, MOST_IMAGES))


def _scale(real: np.ndarray, fake: np.ndarray) -> float:
    """Return the spread of a value over all images, relative to that over a resample's fewer."""
    n, m = len(real), len(fake)
    drawn = 1 / min(n, MOST_IMAGES) + 1 / min(m, MOST_IMAGES)
    return float(np.sqrt((1 / n + 1 / m) / drawn))


def _within(kernel: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return the weighted means (R,) of a kernel (N, N) over pairs of different images.

    `weights` (R, N) counts how often each image was drawn.
    """
    own = np.square(weights)
    pairs = np.einsum("rn,nm,rm->r", weights, kernel, weights, optimize=True)
    return (pairs - own @ np.diag(kernel)) / (np.square(weights.sum(axis=1)) - own.sum(axis=1))


def _bounds(values: np.ndarray, value: float, scale: float) -> tuple[float, float]:
    """Return the outer quantiles of the resamples, centred on `value` and scaled."""
    tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    low, high = value + scale * (np.quantile(values, tails) - np.mean(values))
    return float(low), float(high)
