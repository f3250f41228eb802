"""Crops of images that are zoomed at random, for translation between single images.

Park et al. (ECCV 2020), their data loader of single images: a batch shrinks the source images by
one random factor per axis, and the target images by two others. A crop is a cell of a grid on the
shrunk image, whose origin is random. A shuffled list gives each crop of an epoch another number,
and the number modulo the cells is its cell. That code draws the factors per batch too, but then
shuffles the crops, so that its batches mix factors.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from PIL.Image import Resampling
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from cut.base import random_streams
from cut.base.image_form import RGB, Form
from cut.base.images import AnyImage
from cut.base.tensors import to_tensor
from cut.training.batches import cached

MARGIN = 2  # pixels around a crop that the bilinear filter of shrinking reaches, and one more


@dataclass(frozen=True)
class Zoom:
    """How crops are taken: (height, width), the most that a side shrinks by, and mirroring."""

    crop: tuple[int, int]
    most: float = 3.0
    flip: bool = True

    def factors(self, rng: torch.Generator) -> list[list[float]]:
        """Return factors for height and width in [1/most, 1], of source and of target images."""
        least = 1 / self.most
        return (least + (1 - least) * torch.rand(2, 2, generator=rng)).tolist()

    def __call__(
        self, image: AnyImage, factors: list[float], number: int, rng: torch.Generator
    ) -> Tensor:
        """Return the crop of a number, a (C, h, w) tensor in [-1, 1].

        A side that would become smaller than the crop gets its size.
        """
        h, w = self.crop
        high = max(h, round(image.height * factors[0]))
        wide = max(w, round(image.width * factors[1]))
        rows, columns = high // h, wide // w
        column, row = divmod(number % (rows * columns), rows)
        top, left = (
            int(torch.randint(room + 1, (), generator=rng)) for room in (high % h, wide % w)
        )
        corner = top + row * h, left + column * w
        x = to_tensor(region(image, (high, wide), corner, self.crop))
        return x.flip(2) if self.flip and torch.rand((), generator=rng) < 0.5 else x


def region(
    image: AnyImage, size: tuple[int, int], corner: tuple[int, int], crop: tuple[int, int]
) -> AnyImage:
    """Return the crop at `corner` (top, left) of the image resized to `size`, bilinear.

    Only the part of the image that the crop needs is resized. Pillow has the edges of a part in
    float32, so that some values differ by one level from those of the whole image.
    """
    (top, bottom), (left, right) = (
        (max(0, start - MARGIN), min(most, start + length + MARGIN))
        for start, length, most in zip(corner, crop, size, strict=True)
    )
    y, x = image.height / size[0], image.width / size[1]
    box = left * x, top * y, right * x, bottom * y
    part = image.resize((right - left, bottom - top), Resampling.BILINEAR, box=box)
    y0, x0 = corner[0] - top, corner[1] - left
    return part.crop((x0, y0, x0 + crop[1], y0 + crop[0]))


class ZoomedCrops(TorchDataset):
    """The pairs of crops of one epoch.

    Args:
        source: image files of the source domain; they take turns.
        target: image files of the target domain.
        seed: the run's seed.
        epoch: the 1-based epoch.
        n: the number of pairs.
        batch_size: the number of crops that share the factors of the zoom.
        zoom: how crops are taken.
        cache: keeps decoded images by their path. Without one, only a single image per domain is
            kept.
        forms: of the images of (source, target).
    """

    def __init__(
        self,
        source: list[Path],
        target: list[Path],
        seed: int,
        epoch: int,
        n: int,
        batch_size: int,
        zoom: Zoom,
        cache: dict[Path, AnyImage] | None = None,
        forms: tuple[Form, Form] = (RGB, RGB),
    ) -> None:
        self.forms = forms
        self.files = (source, target)
        self.seed, self.epoch, self.batch_size, self.zoom = seed, epoch, batch_size, zoom
        single = len(source) == len(target) == 1
        self.cache = {} if cache is None and single else cache
        rng = random_streams.generator(seed, "order", epoch)
        self.numbers = [torch.randperm(n, generator=rng) for _ in self.files]

    def __len__(self) -> int:
        return len(self.numbers[0])

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        """Return a source and a target crop, each (C, h, w) in [-1, 1].

        Raises:
            UserError: an image can't be read.
        """
        batch = index // self.batch_size
        factors = self.zoom.factors(random_streams.generator(self.seed, "zoom", self.epoch, batch))
        rng = random_streams.generator(self.seed, "augmentation", self.epoch, index)
        crops = []
        each = zip(self.files, self.numbers, factors, self.forms, strict=True)
        for files, numbers, own, form in each:
            turn, which = divmod(int(numbers[index]), len(files))
            crops.append(self.zoom(cached(files[which], self.cache, form), own, turn, rng))
        return crops[0], crops[1]
