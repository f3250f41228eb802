"""Fidelity and diversity apart: precision and recall, density and coverage of features.

FID is one number for two failures. Precision and density ask whether translations look like real
images, recall and coverage whether they are as varied. The real images' manifold is the union of
balls around each, out to its k-th neighbour; so is the translations' for recall.

Precision and recall: Kynkäänniemi et al., NeurIPS 2019. Density and coverage: Naeem et al., ICML
2020, which also gives k = 5.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from cut.metrics.fid import check_features

NEIGHBOURS = 5
NAMES = ("precision", "recall", "density", "coverage")


def manifold(real: np.ndarray, fake: np.ndarray, k: int = NEIGHBOURS) -> dict[str, float]:
    """Return the four scores of features (N1, D) and (N2, D); higher is better.

    Precision, recall and coverage lie in [0, 1]; density is 1 in expectation where the two sets
    come from one distribution, and may exceed it.

    Raises:
        UserError: a set has not more than `k` rows, a number is not finite, or D differs.
    """
    check_features(real, fake, at_least=k + 1)
    x, y = real.astype(np.float64), fake.astype(np.float64)
    across = cdist(x, y)  # N1,N2
    radius_x, radius_y = _radii(x, k), _radii(y, k)
    inside = across < radius_x[:, None]
    return {
        "precision": float(inside.any(axis=0).mean()),
        "recall": float((across < radius_y[None, :]).any(axis=1).mean()),
        "density": float(inside.sum(axis=0).mean() / k),
        "coverage": float((across.min(axis=1) < radius_x).mean()),
    }


def _radii(x: np.ndarray, k: int) -> np.ndarray:
    """Return each point's distance to its k-th neighbour, itself not counted."""
    return np.partition(cdist(x, x), k, axis=1)[:, k]
