"""The Fréchet distance between two sets of features (Heusel et al. 2017), by singular values."""

from __future__ import annotations

import numpy as np
from scipy.linalg import svdvals

from cut.base.errors import UserError


def fid(real: np.ndarray, fake: np.ndarray) -> float:
    """Return the Fréchet distance of the Gaussians fitted to features (N1, D) and (N2, D).

        |mu1 - mu2|^2 + tr(S1) + tr(S2) - 2 tr((S1 S2)^(1/2))

    With A = (X1 - mu1) / sqrt(N1 - 1) the covariance is S1 = A'A, and likewise S2 = B'B. Except
    for zeros, the eigenvalues of S1 S2 = A'A B'B are those of (A B')(A B')': the squares of the
    singular values of A B', which is N1 x N2. So the last trace is the sum of those singular
    values. This is exact, unlike the root of a singular 2048 x 2048 product, and much faster.

    Raises:
        UserError: a set has fewer than two rows, a number is not finite, or D differs.
    """
    check_features(real, fake, at_least=2)
    mean1, a = _centred(real)
    mean2, b = _centred(fake)
    # |A|^2 summed over all entries is tr(A'A).
    spread = np.square(a).sum() + np.square(b).sum()
    shared = svdvals(_short(a) @ _short(b).T).sum()
    # Negative by rounding only.
    return max(float(np.square(mean1 - mean2).sum() + spread - 2 * shared), 0.0)


def _centred(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean (D,) of features (N, D), and A (N, D) with A'A their sample covariance."""
    x = x.astype(np.float64)
    mean = x.mean(axis=0)
    return mean, (x - mean) / np.sqrt(len(x) - 1)


def _short(a: np.ndarray) -> np.ndarray:
    """Return a matrix of at most D rows with the same A'A as `a` (N, D).

    A = QR with orthonormal Q, which changes no singular value of A B'. With many images this costs
    one factorisation in place of an N1 x N2 matrix.
    """
    return np.linalg.qr(a, mode="r") if a.shape[0] > a.shape[1] else a


def check_features(real: np.ndarray, fake: np.ndarray, at_least: int) -> None:
    """Refuse features without a distance.

    Raises:
        UserError: too few rows, a number that is not finite, or unequal dimensions.
    """
    for side, x in (("real", real), ("translated", fake)):
        if x.ndim != 2 or len(x) < at_least:
            raise UserError(
                f"the {side} features have shape {x.shape}; expected (images, dimensions) with at "
                f"least {at_least} images"
            )
        if not np.isfinite(x).all():
            raise UserError(f"the {side} features are not all finite; compute them again")
    if real.shape[1] != fake.shape[1]:
        raise UserError(
            f"the real features have {real.shape[1]} dimensions and the translated "
            f"{fake.shape[1]}; both must come from one network"
        )
