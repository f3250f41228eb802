"""Losses and sample translations of a training, for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cut.base.image_form import RGB, Form
from cut.base.images import as_rgb
from cut.base.tensors import to_image
from cut.training.batches import Augmentation
from cut.training.history import COLUMNS, losses_of
from cut.training.loop import Loop

SAMPLES = 4  # source images that are shown with their translations


class Board:
    """Write scalars and images into `tensorboard/` of a run's folder."""

    def __init__(self, run: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter  # slow to import, rarely used

        self.writer = SummaryWriter(str(run / "tensorboard"))

    def show(self, loop: Loop, row: dict[str, Any]) -> None:
        """Write one row of the history, and the first source images with their translations."""
        for name in [*COLUMNS[2:], *losses_of(row)]:
            self.writer.add_scalar(name, row[name], loop.iteration)
        pairs = loop.pairs(1, Augmentation(loop.size, loop.size, False, loop.method.images.fit))
        source = torch.stack([pairs[i][0] for i in range(min(SAMPLES, len(pairs)))])
        translated = loop.method.translate(source.to(loop.device)).float().cpu()
        sides = zip((source, translated), loop.forms, strict=True)
        both = torch.cat([_shown(x.clamp(-1, 1), form) for x, form in sides])
        self.writer.add_images("source_and_translation", both, loop.iteration)
        self.writer.flush()


def _shown(images: Tensor, form: Form) -> Tensor:
    """Return (N, 3, H, W) in [0, 1] of images in [-1, 1]."""
    if form == RGB:
        return (images + 1) / 2
    levels = [np.asarray(as_rgb(to_image(x, form))) for x in images]
    return torch.from_numpy(np.stack(levels)).permute(0, 3, 1, 2) / 255
