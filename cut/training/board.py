"""Losses and sample translations of a training, for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

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
        pairs = loop.pairs(1, Augmentation(loop.size, loop.size, flip=False))
        source = torch.stack([pairs[i][0] for i in range(min(SAMPLES, len(pairs)))])
        translated = loop.method.translate(source.to(loop.device)).float().cpu()
        both = (torch.cat([source, translated]).clamp(-1, 1) + 1) / 2  # (2N, 3, H, W) in [0, 1]
        self.writer.add_images("source_and_translation", both, loop.iteration)
        self.writer.flush()
