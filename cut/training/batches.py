"""Unpaired training batches that any position of a run can be resumed from.

What a batch holds depends on the run's seed, the epoch and the place in it alone: orders, crops
and flips are drawn from streams named by them, never from the state of a shared generator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from PIL.Image import Image
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from cut.base import random_streams
from cut.base.images import read_image, resize
from cut.base.tensors import to_tensor
from cut.methods.contract import Batch


@dataclass(frozen=True)
class Augmentation:
    """Resize to `load`, crop `crop` at random, mirror left-right with probability one half.

    Sizes are (height, width). The published code drops the crop jitter in the decay phase (for
    CUT as for FastCUT), which here is `load == crop`.
    """

    load: tuple[int, int]
    crop: tuple[int, int]
    flip: bool = True

    def __call__(self, image: Image, rng: torch.Generator) -> Tensor:
        """Return a (3, h, w) tensor in [-1, 1]."""
        x = to_tensor(resize(image, self.load))
        top, left = (
            int(torch.randint(have - want + 1, (), generator=rng))
            for have, want in zip(self.load, self.crop, strict=True)
        )
        x = x[:, top : top + self.crop[0], left : left + self.crop[1]]
        return x.flip(2) if self.flip and torch.rand((), generator=rng) < 0.5 else x


class EpochPairs(TorchDataset):
    """The pairs of one epoch: every source image in a shuffled order, target images at random.

    An epoch has as many pairs as the larger domain has images; the smaller source set wraps
    around, targets are drawn with replacement.
    """

    def __init__(
        self,
        source: list[Path],
        target: list[Path],
        seed: int,
        epoch: int,
        augmentation: Augmentation,
        cache: dict[Path, Image] | None = None,
    ) -> None:
        self.source, self.target = source, target
        self.seed, self.epoch, self.augmentation, self.cache = seed, epoch, augmentation, cache
        n = epoch_length(source, target)
        rng = random_streams.generator(seed, "order", epoch)
        self.order = torch.randperm(n, generator=rng).tolist()
        self.partners = torch.randint(len(target), (n,), generator=rng).tolist()

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        rng = random_streams.generator(self.seed, "augmentation", self.epoch, index)
        a = self._read(self.source[self.order[index] % len(self.source)])
        b = self._read(self.target[self.partners[index]])
        return self.augmentation(a, rng), self.augmentation(b, rng)

    def _read(self, path: Path) -> Image:
        if self.cache is None:
            return read_image(path)
        if path not in self.cache:
            self.cache[path] = read_image(path)
        return self.cache[path]


def epoch_length(source: list[Path], target: list[Path]) -> int:
    """Return the number of pairs in an epoch."""
    return max(len(source), len(target))


def batches(pairs: EpochPairs, batch_size: int, start: int, workers: int) -> Iterator[Batch]:
    """Yield the batches of an epoch from batch `start` on."""
    order = list(range(start * batch_size, len(pairs)))
    loader = DataLoader(
        pairs,
        batch_size=batch_size,
        sampler=order,
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=4 if workers else None,
        # DataLoader draws a base seed from torch's global generator; give it one of its own.
        generator=torch.Generator().manual_seed(0),
    )
    for source, target in loader:
        yield Batch(source, target)
