"""L1 and SSIM between translations and their true counterparts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cut.base.errors import UserError
from cut.base.image_files import counterparts
from cut.base.image_form import RGB, Form
from cut.base.images import read
from cut.base.raster import Raster
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
    """Return the mean absolute difference of images (H, W, C) in [0, 1]."""
    return float(np.abs(image - truth).mean())


def ssim(image: np.ndarray, truth: np.ndarray) -> float:
    """Return the structural similarity of images (H, W, C) in [0, 1]: 1 when equal.

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


def compare(
    translations: Sequence[Path], truths: Sequence[Path], form: Form = RGB
) -> dict[str, np.ndarray]:
    """Return L1 and SSIM of each pair of images, (pairs,) by name.

    Each list is one folder. Images are counterparts by name without extension. All are of `form`.

    Raises:
        UserError: an image has no counterpart, two have one name, or a pair differs in size.
    """
    values = []
    for ours, true in counterparts(translations, truths):
        a, b = unit(ours, form), unit(true, form)
        if a.shape != b.shape:
            raise UserError(
                f"{ours} is {a.shape[1]}x{a.shape[0]} but its counterpart {true} is "
                f"{b.shape[1]}x{b.shape[0]}; resize one to the other"
            )
        values.append((l1(a, b), ssim(a, b)))
    return dict(zip(NAMES, np.array(values).T, strict=True))


def unit(path: Path, form: Form = RGB) -> np.ndarray:
    """Return the image in a file as float64 (H, W, C) in [0, 1]."""
    image = read(path, form)
    if isinstance(image, Raster):
        return image.unit()
    return np.asarray(image, dtype=np.float64) / 255
