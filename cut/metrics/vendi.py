"""The Vendi score: the effective number of different images (Friedman and Dieng, TMLR 2023)."""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigvalsh

PROTOCOL = "cosines of features, order 1, of the translations alone"


def vendi(features: np.ndarray) -> float:
    """Return the Vendi score of features (N, D), in [1, min(N, D)].

    It is the exponential of the entropy of the eigenvalues of K / N, where K holds the cosines of
    all pairs of features. Equal images give 1, images with orthogonal features give N.
    """
    x = features.astype(np.float64)
    lengths = np.linalg.norm(x, axis=1, keepdims=True)
    x /= np.maximum(lengths, np.finfo(np.float64).tiny)
    # Both products have the same eigenvalues, except for zeros.
    product = x @ x.T if len(x) <= x.shape[1] else x.T @ x
    values = eigvalsh(product / len(x))
    values = values[values > 0]
    return float(np.exp(-(values * np.log(values)).sum()))
