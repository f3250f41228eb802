"""Precision and recall, density and coverage of features: separate scores for two failures.

FID is one number for both. Precision and density measure whether translations look like real images
(fidelity), recall and coverage whether they are as varied (diversity). The manifold of the real
images is the union of balls around each one, with the radius of its k-th neighbour. Recall uses the
same manifold of the translations.

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

    Precision, recall and coverage are in [0, 1]. Density is 1 in expectation if both sets have one
    distribution, and may exceed 1.

    Raises:
        UserError: a set has `k` rows or fewer, a number is not finite, or D differs.
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
    """Return the distance of each point to its k-th neighbour, without counting itself."""
    return np.partition(cdist(x, x), k, axis=1)[:, k]
