"""Convert images to tensors and back."""

from __future__ import annotations

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def to_tensor(image: Image.Image) -> Tensor:
    """Return a float32 (3, H, W) tensor in [-1, 1], equal to the published code's to the bit."""
    return normalised(levels_of(image))


def levels_of(image: Image.Image) -> Tensor:
    """Return a uint8 (3, H, W) tensor of the levels 0 to 255."""
    pixels = torch.from_numpy(np.array(image.convert("RGB")))  # (H, W, 3)
    return pixels.permute(2, 0, 1).contiguous()


def normalised(levels: Tensor) -> Tensor:
    """Return levels 0 to 255, of any shape, as float32 in [-1, 1], on the same device."""
    # torchvision's ToTensor, then Normalize(0.5, 0.5): the same operations in the same order.
    return levels.float().div_(255).sub_(0.5).div_(0.5)


def to_image(x: Tensor) -> Image.Image:
    """Return the image of a (3, H, W) tensor in [-1, 1]; values outside are clipped.

    This is the exact inverse of `to_tensor`. It rounds to the nearest level; the published code
    truncates, which darkens images by half a level.
    """
    levels = x.detach().float().add(1).mul(127.5).round().clamp(0, 255)
    return Image.fromarray(levels.to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy())
