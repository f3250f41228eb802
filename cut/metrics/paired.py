"""L1 and SSIM between translations and their true counterparts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from cut.base.errors import UserError
from cut.base.image_files import counterparts
from cut.base.images import read_image
from cut.records.scores import PairedProtocol

NAMES = ("l1", "ssim")
# The window of Wang et al. 2004: a Gaussian with sigma 1.5, cut off 5 pixels from its centre.
WINDOW = 11
SIGMA = 1.5
PROTOCOL = PairedProtocol(
    l1="mean absolute, range 1",
    ssim=f"gaussian window, sigma {SIGMA}, mean over pixels and channels (scikit-image)",
)


def l1(image: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean absolute difference of images (H, W, 3) in [0, 1]."""
    return float(np.abs(image - truth).mean())


def ssim(image: np.ndarray, truth: np.ndarray) -> float:
    """Return the structural similarity of images (H, W, 3) in [0, 1]: 1 when equal.

    Wang et al. 2004, for each channel. Images of less than 11 pixels get a smaller window.

    Raises:
        UserError: a side is under 3 pixels.
    """
    side = min(image.shape[:2])
    if side < 3:
        raise UserError(
            f"SSIM needs images of at least 3x3 pixels, but these have a side of {side}"
        )
    from skimage.metrics import structural_similarity  # slow to import, seldom wanted

    return float(
        structural_similarity(
            image,
            truth,
            channel_axis=2,
            data_range=1.0,
            gaussian_weights=True,
            sigma=SIGMA,
            use_sample_covariance=False,
            win_size=min(WINDOW, side - (side + 1) % 2),
        )
    )


def compare(translations: Sequence[Path], truths: Sequence[Path]) -> dict[str, np.ndarray]:
    """Return L1 and SSIM of each pair of images, (pairs,) by name.

    Each list is one folder. Images are counterparts by name without extension.

    Raises:
        UserError: an image has no counterpart, two have one name, or a pair differs in size.
    """
    values = []
    for ours, true in counterparts(translations, truths):
        a, b = _unit(read_image(ours)), _unit(read_image(true))
        if a.shape != b.shape:
            raise UserError(
                f"{ours} is {a.shape[1]}x{a.shape[0]} but its counterpart {true} is "
                f"{b.shape[1]}x{b.shape[0]}; resize one to the other"
            )
        values.append((l1(a, b), ssim(a, b)))
    return dict(zip(NAMES, np.array(values).T, strict=True))


def _unit(image: Image.Image) -> np.ndarray:
    """Return the image as float64 (H, W, 3) in [0, 1]."""
    return np.asarray(image, dtype=np.float64) / 255
