"""The bootstrap over images (Efron 1979): intervals of FID and KID, and draws to compare rows by.

With up to 1000 images per side, a resample has as many images as there are. With more, it has 1000
(the m out of n bootstrap; Bickel, Götze and van Zwet 1997), and its spread is scaled to all images
by the root of their number. This bounds the cost for any number of images.

The images of a resample depend on the numbers of images alone. Rows that translate one test set
therefore share them, and two rows can be compared resample by resample.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import svdvals

from cut.metrics import mind, mmd
from cut.metrics.kid import kernels

RESAMPLES = 200
LEVEL = 0.95
LEAST_IMAGES = 4  # per side
MOST_IMAGES = 1000  # per side, in a resample
DIRECTIONS = 100  # of MIND's, whose spread over images the others would not change


Kernels = tuple[np.ndarray, np.ndarray, np.ndarray]  # within the real, between, within the others


@dataclass(frozen=True)
class Spread:
    """A score over resamples.

    Attributes:
        values: the score of each resample, (R,).
        scale: the spread over all images, relative to that over a resample's fewer.
    """

    values: np.ndarray
    scale: float

    def bounds(self, value: float) -> tuple[float, float]:
        """Return the outer quantiles, centred on the score `value` of all images and scaled."""
        tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
        low, high = value + self.scale * (np.quantile(self.values, tails) - np.mean(self.values))
        return float(low), float(high)

    def about(self, value: float) -> np.ndarray:
        """Return all values (R,), centred on the score `value` of all images and scaled."""
        return value + self.scale * (self.values - np.mean(self.values))


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
    spread = fid_spread(real, fake, seed)
    return spread and spread.bounds(value)


def kid_interval(
    real: np.ndarray, fake: np.ndarray, value: float, seed: int = 0
) -> tuple[float, float] | None:
    """Return the bounds of the 95 % bootstrap interval of the KID `value`, as `fid_interval`."""
    spread = kid_spread(real, fake, seed)
    return spread and spread.bounds(value)


def fid_spread(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> Spread | None:
    """Return the FID of features (N1, D) and (N2, D) over resamples of both sides.

    None if a side has fewer than 4 images; likewise for the other scores.
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
    return Spread(np.array(values), _scale(real, fake))


def kid_spread(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> Spread | None:
    """Return KID over resamples.

    In a resample each image has a weight: how often it was drawn. KID leaves out the pairs of an
    image with itself, and here also with its copies, which would count as pairs of equal images.
    A resample of a single image has no pair and is left out.
    """
    if min(len(real), len(fake)) < LEAST_IMAGES:
        return None
    x, y = real.astype(np.float64), fake.astype(np.float64)
    # Of four images, one draw in 64 holds a single image.
    counts = [pair for pair in _counts(x, y, seed) if min(map(np.count_nonzero, pair)) > 1]
    return Spread(_over_kernels(kernels, _weighted_kid, x, y, counts), _scale(real, fake))


def mmd_spread(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> Spread | None:
    """Return the Gaussian MMD over resamples, by the weights of `kid_spread`."""
    if min(len(real), len(fake)) < LEAST_IMAGES:
        return None
    x, y = real.astype(np.float64), fake.astype(np.float64)
    counts = _counts(x, y, seed)
    return Spread(_over_kernels(mmd.kernels, _weighted_mmd, x, y, counts), _scale(real, fake))


def mind_spread(real: np.ndarray, fake: np.ndarray, seed: int = 0) -> Spread | None:
    """Return MIND over resamples, by the first 100 of its directions.

    Of the larger side, a resample keeps as many of its images as the smaller side has.
    """
    if min(len(real), len(fake)) < LEAST_IMAGES:
        return None
    directions = mind.directions(real.shape[1], DIRECTIONS)
    x, y = (directions @ side.astype(np.float64).T for side in (real, fake))  # 100,N
    values = []
    for i, j in _draws(len(real), len(fake), seed):
        n = min(len(i), len(j))
        values.append(mind.of_projections(x[:, i[:n]], y[:, j[:n]], real.shape[1]))
    return Spread(np.array(values), _scale(real, fake))


def mean_spread(values: np.ndarray, seed: int = 0) -> Spread | None:
    """Return the mean of one value per image (N,) over resamples of the images."""
    n = len(values)
    if n < LEAST_IMAGES:
        return None
    drawn = np.random.default_rng(seed).integers(n, size=(RESAMPLES, min(n, MOST_IMAGES)))
    return Spread(values[drawn].mean(axis=1), float(np.sqrt(drawn.shape[1] / n)))


Counts = tuple[np.ndarray, np.ndarray]  # how often each image of either side was drawn


def _counts(x: np.ndarray, y: np.ndarray, seed: int) -> list[Counts]:
    """Return how often each image of both sides is part of each resample."""
    return [
        (np.bincount(i, minlength=len(x)), np.bincount(j, minlength=len(y)))
        for i, j in _draws(len(x), len(y), seed)
    ]


def _over_kernels(
    kernels_of: Callable[..., Kernels],
    weighted: Callable[..., np.ndarray],
    x: np.ndarray,
    y: np.ndarray,
    counts: Sequence[Counts],
) -> np.ndarray:
    """Return a statistic (R,) of kernels within and between two sides, of images with weights."""
    if max(len(x), len(y)) <= MOST_IMAGES:
        u, v = (np.stack(side).astype(np.float64) for side in zip(*counts, strict=True))
        return weighted(*kernels_of(x, y), u, v)
    parts = [
        weighted(*kernels_of(x[u > 0], y[v > 0]), u[None, u > 0], v[None, v > 0]) for u, v in counts
    ]
    return np.concatenate(parts)


def _weighted_mmd(
    kxx: np.ndarray, kxy: np.ndarray, kyy: np.ndarray, u: np.ndarray, v: np.ndarray
) -> np.ndarray:
    """Return the biased MMDs (R,) of images that were drawn `u` (R, N1) and `v` (R, N2) times."""
    u, v = (side / side.sum(axis=1, keepdims=True) for side in (u, v))
    within = [((w @ kernel) * w).sum(axis=1) for kernel, w in ((kxx, u), (kyy, v))]
    return within[0] + within[1] - 2 * ((u @ kxy) * v).sum(axis=1)


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
