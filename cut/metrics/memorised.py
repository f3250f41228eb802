"""Memorisation: translations that are too close to an image of the training set.

After the authenticity of Alaa et al. (ICML 2022), of which this is the complement, in the features
of FID's Inception. A generator that repeats training images has a low FID and learned nothing.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from cut.metrics.fid import check_features
from cut.metrics.inception.features import Features
from cut.metrics.per_image import mean_scores
from cut.metrics.score_group import Scores

NAMES = ("memorised",)
AT_ONCE = 1000  # rows of a matrix of distances, which bounds the memory for any number of images
NONE = "no training images were given (--training)"


def memorised(training: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """Return for each translation (M, D) whether it repeats an image of the training set (N, D).

    It does if it is nearer to its nearest training image than that image is to its own nearest
    neighbour in the training set.

    Raises:
        UserError: a set has fewer than two rows, a number is not finite, or D differs.
    """
    check_features(training, fake, at_least=2)
    x, y = training.astype(np.float64), fake.astype(np.float64)
    own = _nearest(x, x, itself=True)[0]
    apart, nearest = _nearest(y, x)
    return apart < own[nearest]


def _nearest(
    points: np.ndarray, others: np.ndarray, itself: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Return the distance to the nearest of the others, and its index, (points,) each.

    With `itself` the others are the points, and none is its own neighbour.
    """
    distances, indices = [], []
    for start in range(0, len(points), AT_ONCE):
        apart = cdist(points[start : start + AT_ONCE], others)
        if itself:
            rows = np.arange(len(apart))
            apart[rows, start + rows] = np.inf
        indices.append(apart.argmin(axis=1))
        distances.append(apart.min(axis=1))
    return np.concatenate(distances), np.concatenate(indices)


def score(training: Features | None, given: Features) -> Scores:
    """Return the share of translations that repeat a training image."""
    if training is None:
        return Scores.none(NAMES, NONE)
    if reason := training.reason or given.reason:
        return Scores.none(NAMES, reason)
    if min(len(training.names), len(given.names)) < 2:
        return Scores.none(NAMES, "needs at least two images on each side")
    found = memorised(training.values, given.values).astype(np.float64)
    return mean_scores({NAMES[0]: found}, {"training": training.protocol})
