"""How close translations are to their true counterparts: L1 and SSIM, image by image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cut.base.errors import UserError
from cut.base.images import counterparts, read_image

NAMES = ("l1", "ssim")
# The window of Wang et al. 2004: a Gaussian of deviation 1.5, cut off at 5 pixels either side.
WINDOW = 11
SIGMA = 1.5
SSIM_PROTOCOL = f"gaussian window, sigma {SIGMA}, mean over pixels and channels (scikit-image)"


def l1(image: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean absolute difference of images (H, W, 3) in [0, 1]."""
    return float(np.abs(image - truth).mean())


def ssim(image: np.ndarray, truth: np.ndarray) -> float:
    """Return the structural similarity of images (H, W, 3) in [0, 1]: 1 when equal.

    Wang et al. 2004, each channel by itself. Images of less than 11 pixels take a smaller window.

    Raises:
        UserError: a side is under 3 pixels.
    """
    side = min(image.shape[:2])
    if side < 3:
        raise UserError(f"SSIM needs images of at least 3x3 pixels, and these have a side {side}")
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


def compare(fake: Path, truth: Path) -> tuple[float, float]:
    """Return (L1, SSIM), each the mean over the images of `fake` and those of `truth`.

    Images are counterparts by name without extension.

    Raises:
        UserError: an image has no counterpart, two have one name, or a pair differs in size.
    """
    values = []
    for mine, true in counterparts(fake, truth):
        a, b = _unit(read_image(mine)), _unit(read_image(true))
        if a.shape != b.shape:
            raise UserError(
                f"{mine} is {a.shape[1]}x{a.shape[0]} but its counterpart {true} is "
                f"{b.shape[1]}x{b.shape[0]}; resize one to the other"
            )
        values.append((l1(a, b), ssim(a, b)))
    means = np.mean(values, axis=0)
    return float(means[0]), float(means[1])


def _unit(image: Image.Image) -> np.ndarray:
    """Return the image as float64 (H, W, 3) in [0, 1]."""
    return np.asarray(image, dtype=np.float64) / 255
