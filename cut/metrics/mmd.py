"""Maximum mean discrepancy with a Gaussian kernel, as CMMD estimates it, of Inception features.

CMMD (Jayasumana et al., CVPR 2024) compares embeddings by CLIP, scaled to length 1, and is another
number. Only its estimator and its bandwidth are the same here.
"""

from __future__ import annotations

import numpy as np

from cut.metrics.fid import check_features

SIGMA = 10.0
AT_ONCE = 1000  # rows of a kernel, which bounds the memory for any number of images
PROTOCOL = f"biased squared MMD, kernel exp(-|x - y|^2 / (2 sigma^2)), sigma {SIGMA:g}"


def mmd(real: np.ndarray, fake: np.ndarray, sigma: float = SIGMA) -> float:
    """Return the squared maximum mean discrepancy of features (N1, D) and (N2, D), in [0, 2].

        mean k(x, x') + mean k(y, y') - 2 mean k(x, y),  k(x, y) = exp(-|x - y|^2 / (2 sigma^2))

    This is the biased estimate (Gretton et al. 2012, equation 5), in which each image is also
    compared with itself. Sets of one distribution therefore have a value of about 1/N1 + 1/N2 times
    (1 - the mean kernel of two different images).

    Raises:
        UserError: a set has fewer than two rows, a number is not finite, or D differs.
    """
    check_features(real, fake, at_least=2)
    x, y = real.astype(np.float64), fake.astype(np.float64)
    within = _mean_kernel(x, x, sigma) + _mean_kernel(y, y, sigma)
    # Negative by rounding only.
    return max(within - 2 * _mean_kernel(x, y, sigma), 0.0)


def _mean_kernel(x: np.ndarray, y: np.ndarray, sigma: float) -> float:
    """Return the mean kernel over all pairs of a row of `x` and a row of `y`."""
    parts = [x[start : start + AT_ONCE] for start in range(0, len(x), AT_ONCE)]
    return float(sum(_kernel(rows, y, sigma).sum() for rows in parts) / (len(x) * len(y)))


def kernels(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the kernel within x (n, n), between x and y (n, m), and within y (m, m)."""
    return _kernel(x, x), _kernel(x, y), _kernel(y, y)


def _kernel(x: np.ndarray, y: np.ndarray, sigma: float = SIGMA) -> np.ndarray:
    """Return the kernel of each row of `x` and each row of `y`, (n, m)."""
    apart = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1) - 2 * x @ y.T
    return np.exp(-np.maximum(apart, 0) / (2 * sigma**2))
