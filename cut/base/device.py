"""Where the steps and the networks run."""

from __future__ import annotations

import torch

from cut.base.errors import UserError


def choose_device(name: str) -> torch.device:
    """Return the device `auto`, `cpu` or `cuda` stands for."""
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UserError("device is cuda, but torch finds no CUDA GPU here; give device cpu")
    return torch.device("cuda" if name != "cpu" and available else "cpu")
