"""Unpaired training batches, from any position of a run on.

A batch depends only on the run's seed, the epoch and the position in the epoch. Orders, crops and
flips are drawn from random streams that have these names, never from a shared generator.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from cut.base import random_streams
from cut.base.errors import UserError
from cut.base.image_form import RGB, Fit, Form
from cut.base.images import AnyImage, read, resize
from cut.base.tensors import levels_of, normalised


@dataclass(frozen=True)
class Augmentation:
    """Resize to `load`, crop to `crop` at random, mirror left-right with probability 1/2.

    Sizes are (height, width) in pixels. The published code of CUT and FastCUT has no crop jitter
    in the decay phase; here that is `load == crop`. `fit` is that of `cut.base.images.resize`.
    """

    load: tuple[int, int]
    crop: tuple[int, int]
    flip: bool = True
    fit: Fit = "stretch"

    def __call__(self, image: AnyImage, rng: torch.Generator) -> Tensor:
        """Return a (C, h, w) tensor in [-1, 1]."""
        return self.crop_of(levels_of(resize(image, self.load, self.fit)), rng)

    def crop_of(self, levels: Tensor, rng: torch.Generator) -> Tensor:
        """Return a (C, h, w) tensor in [-1, 1] of what `levels_of` has of an image of size `load`.

        It is on the device of the levels.
        """
        top, left = (
            int(torch.randint(have - want + 1, (), generator=rng))
            for have, want in zip(self.load, self.crop, strict=True)
        )
        x = normalised(levels[:, top : top + self.crop[0], left : left + self.crop[1]])
        return x.flip(2) if self.flip and torch.rand((), generator=rng) < 0.5 else x


class EpochPairs(TorchDataset):
    """The pairs of one epoch: all source images in shuffled order, each with a random target.

    An epoch has as many pairs as the larger domain has images. A smaller source domain repeats
    its images; targets are drawn with replacement. A second source image per pair comes from
    another shuffled order. It has random streams of its own, so that the pairs are the same
    without it.

    Args:
        source: image files of the source domain.
        target: image files of the target domain.
        seed: the run's seed.
        epoch: the 1-based epoch.
        augmentation: applied to each image.
        cache: keeps resized images; None decodes each image again.
        second: whether each pair has a second source image.
        n: the number of pairs, if not that of the larger domain; with fewer pairs than source
            images, an epoch has some of them.
        forms: of the images of (source, target).
    """

    def __init__(
        self,
        source: list[Path],
        target: list[Path],
        seed: int,
        epoch: int,
        augmentation: Augmentation,
        cache: Resized | None = None,
        n: int | None = None,
        second: bool = False,
        forms: tuple[Form, Form] = (RGB, RGB),
    ) -> None:
        self.source, self.target, self.forms = source, target, forms
        self.seed, self.epoch, self.augmentation, self.cache = seed, epoch, augmentation, cache
        n = n or epoch_length(source, target)
        rng = random_streams.generator(seed, "order", epoch)
        self.order = torch.randperm(max(n, len(source)), generator=rng)[:n].tolist()
        self.partners = torch.randint(len(target), (n,), generator=rng).tolist()
        self.seconds: list[int] = []
        if second:
            rng = random_streams.generator(seed, "order of second sources", epoch)
            self.seconds = torch.randperm(max(n, len(source)), generator=rng)[:n].tolist()

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, index: int) -> tuple[Tensor, ...]:
        """Return a source, a target and perhaps a second source image: (C, h, w) in [-1, 1].

        Raises:
            UserError: an image can't be read.
        """
        rng = random_streams.generator(self.seed, "augmentation", self.epoch, index)
        of_source, of_target = self.forms
        a = self._crop(self._source(self.order[index]), of_source, rng)
        pair = a, self._crop(self.target[self.partners[index]], of_target, rng)
        if not self.seconds:
            return pair
        name = "augmentation of second sources"
        rng = random_streams.generator(self.seed, name, self.epoch, index)
        return (*pair, self._crop(self._source(self.seconds[index]), of_source, rng))

    def _source(self, number: int) -> Path:
        return self.source[number % len(self.source)]

    def _crop(self, path: Path, form: Form, rng: torch.Generator) -> Tensor:
        augment = self.augmentation
        if self.cache is None:
            return augment(read(path, form), rng)
        return augment.crop_of(self.cache.image(path, augment.load, form, augment.fit), rng)


class Resized:
    """Training images that are kept in memory, decoded and resized: 3 bytes per pixel of RGB.

    Resized images are kept because they are smaller than the files' (horse2zebra at 64 pixels: 37
    MB in place of 472) and because each step would resize its images again. The sizes of the two
    phases of a training differ, so that each image is decoded once per phase.

    Args:
        device: where they are kept. On a GPU, crops are taken there too, with the same draws.
    """

    def __init__(self, device: torch.device | str = "cpu") -> None:
        self.device = device
        self.size: tuple[int, int] | None = None
        self.images: dict[Path, Tensor] = {}

    def image(
        self, path: Path, size: tuple[int, int], form: Form = RGB, fit: Fit = "stretch"
    ) -> Tensor:
        """Return what `levels_of` has of the image in a file at `size` (height, width).

        Raises:
            UserError: it can't be read.
        """
        if size != self.size:
            self.size, self.images = size, {}
        if path not in self.images:
            self.images[path] = self._kept(levels_of(resize(read(path, form), size, fit)))
        return self.images[path]

    def _kept(self, levels: Tensor) -> Tensor:
        if torch.device(self.device).type == "cpu":
            return levels
        # From pinned memory: the CPU goes on while the GPU still computes earlier steps.
        return levels.pin_memory().to(self.device, non_blocking=True)


def cached(path: Path, cache: dict[Path, AnyImage] | None, form: Form = RGB) -> AnyImage:
    """Return the image in a file; without a cache it is decoded each time."""
    if cache is None:
        return read(path, form)
    if path not in cache:
        cache[path] = read(path, form)
    return cache[path]


def epoch_length(source: list[Path], target: list[Path]) -> int:
    """Return the number of pairs in an epoch."""
    return max(len(source), len(target))


def batches(
    pairs: TorchDataset, batch_size: int, start: int, workers: int
) -> Iterator[list[Tensor]]:
    """Yield the batches of an epoch, from the 0-based batch `start` on.

    A batch is what the pairs have, each stacked to (N, C, h, w).

    `workers` processes load images; with 0 this process does. The last batch may be smaller.

    Raises:
        UserError: an image can't be read, or a process that loads images was killed.
    """
    order = range(start * batch_size, len(pairs))
    if not workers:
        for i in range(0, len(order), batch_size):
            drawn = [pairs[k] for k in order[i : i + batch_size]]
            yield [torch.stack(images) for images in zip(*drawn, strict=True)]
        return
    loader = DataLoader(
        pairs,
        batch_size=batch_size,
        sampler=list(order),
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=4,
        # Without its own generator, DataLoader draws a seed from torch's global one.
        generator=torch.Generator().manual_seed(0),
    )
    try:
        yield from loader
    except UserError as error:
        # DataLoader puts the traceback of its process before the sentence.
        raise UserError(str(error).rpartition("UserError: ")[2].strip()) from None
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise UserError(
            "a process that loads images was killed, most likely for lack of memory; use fewer"
            f" workers than {workers}, or 0"
        ) from None
