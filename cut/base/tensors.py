"""Convert images to tensors and back, and read and write files of tensors."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from cut.base.errors import UserError
from cut.base.files import replacing


def to_tensor(image: Image.Image) -> Tensor:
    """Return a float32 (3, H, W) tensor in [-1, 1], equal to the published code's to the bit."""
    pixels = torch.from_numpy(np.array(image.convert("RGB")))  # (H, W, 3)
    # torchvision's ToTensor, then Normalize(0.5, 0.5): the same operations in the same order.
    return pixels.permute(2, 0, 1).contiguous().float().div_(255).sub_(0.5).div_(0.5)


def to_image(x: Tensor) -> Image.Image:
    """Return the image of a (3, H, W) tensor in [-1, 1]; values outside are clipped.

    This is the exact inverse of `to_tensor`. It rounds to the nearest level; the published code
    truncates, which darkens images by half a level.
    """
    levels = x.detach().float().add(1).mul(127.5).round().clamp(0, 255)
    return Image.fromarray(levels.to(torch.uint8).permute(1, 2, 0).contiguous().cpu().numpy())


def read_tensors(path: Path, expected: str) -> Any:
    """Return what `torch.save` wrote, on the CPU, without running code from the file.

    Raises:
        UserError: the file is missing or can't be read. `expected` describes it in the sentence.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}; expected {expected}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    # torch.load raises almost anything for a file of another kind.
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise UserError(
            f"{path} can't be read as weights ({reason[0][:80]}); expected {expected}"
        ) from None


def save_tensors(path: Path, state: Any) -> None:
    """Write tensors with `torch.save`, atomically. The same state gives the same bytes."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        torch.save(state, file)  # given a path, torch would write its name into the file
