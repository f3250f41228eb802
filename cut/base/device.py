"""Choose the device of networks and training steps."""

from __future__ import annotations

import torch

from cut.base.errors import UserError


def choose_device(name: str) -> torch.device:
    """Return the device that `auto`, `cpu` or `cuda` stands for.

    Raises:
        UserError: `cuda` is asked for, but there is no GPU.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UserError("device is cuda, but torch finds no CUDA GPU; use device cpu")
    return torch.device("cuda" if name != "cpu" and available else "cpu")
