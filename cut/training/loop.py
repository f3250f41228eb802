"""The training loop: batches, steps, learning rate, augmentation and precision.

This module and `batches` decide the numbers of a training. Logging, files and timing are in
`trainer` and the modules that it uses.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cut.base.errors import UserError
from cut.base.image_form import RGB, Form
from cut.base.image_size import height_width, in_words
from cut.base.images import AnyImage
from cut.methods.contract import Batch, BatchWithSecond, Method
from cut.training.average import Average
from cut.training.batches import Augmentation, EpochPairs, Resized, batches, epoch_length
from cut.training.captured import CapturedSteps
from cut.training.options import TrainingOptions
from cut.training.zoomed_crops import Zoom, ZoomedCrops


def lr_factor(epoch: int, constant: int, decay: int) -> float:
    """Return the learning rate of 1-based `epoch` as a share of the initial one, in (0, 1].

    It is 1 for `constant` epochs. It then falls linearly and would reach 0 one epoch after the
    last: 200/201 at epoch 201 and 1/201 at epoch 400 of CUT's 200 + 200.
    """
    return 1.0 - max(0, epoch - constant) / (decay + 1)


def configure_torch(options: TrainingOptions) -> None:
    """Set the number of CPU threads and whether matrix products may use TF32."""
    torch.set_num_threads(options.threads)
    allow_tf32(options.precision == "tf32")


def allow_tf32(allowed: bool) -> None:
    """Set whether matrix products and convolutions of a GPU may use TF32."""
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed


def autocast(precision: str, device: torch.device) -> contextlib.AbstractContextManager:
    """Return the context of a step in the precision of that name."""
    if precision == "bfloat16":
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


class Loop:
    """The steps of a training.

    Attributes:
        crop: (height, width) of training crops.
        iteration: steps taken so far. Set it before `batches` to continue an interrupted training.
        pairs_per_epoch: image pairs per epoch.
        steps: steps per epoch.
        epochs: length of the whole training; 0 for a method that is not trained.
        average: of the generator's weights; None without one.
    """

    def __init__(
        self,
        method: Method,
        source: list[Path],
        target: list[Path],
        options: TrainingOptions,
        size: tuple[int, int],
        device: torch.device,
    ) -> None:
        self.method, self.options, self.size, self.device = method, options, size, device
        self.crop = options.crop(size)
        self.source, self.target = source, target
        self.resized = Resized(self._place_of_images()) if options.cache_images else None
        self.decoded: dict[Path, AnyImage] | None = {} if options.cache_images else None
        self.pairs_per_epoch = options.images_per_epoch or epoch_length(source, target)
        self.steps = math.ceil(self.pairs_per_epoch / options.batch_size)
        self.epochs = options.epochs if method.trained else 0
        method.epochs = self.epochs
        self.iteration = 0
        averaged = method.trained and options.average
        self.average = Average(method, options.average) if averaged else None
        repeats = options.cuda_graph and device.type == "cuda" and method.capturable
        self.captured = CapturedSteps(method, self._take) if repeats else None

    def generator_state(self) -> dict[str, Any]:
        """Return the weights that translate: the average of the generator's, or the last ones."""
        return (self.average or self.method).generator_state()

    @property
    def total(self) -> int:
        """Return the number of steps of the whole training."""
        return self.epochs * self.steps

    @property
    def epoch(self) -> int:
        """Return the 1-based epoch of the last step; 0 before the first."""
        return math.ceil(self.iteration / self.steps)

    def images_until(self, iteration: int) -> int:
        """Return the number of pairs in the first `iteration` steps.

        The last batch of an epoch may be smaller than the others.
        """
        if not self.steps:
            return 0
        done, inside = divmod(iteration, self.steps)
        last = min(inside * self.options.batch_size, self.pairs_per_epoch)
        return done * self.pairs_per_epoch + last

    def batches(self) -> Iterator[Batch | BatchWithSecond]:
        """Yield the batches from the current position to the end; `step` takes each of them."""
        while self.iteration < self.total:
            done, start = divmod(self.iteration, self.steps)
            epoch = done + 1
            self.method.epoch = epoch
            self.method.set_lr_factor(self.lr_factor(epoch))
            pairs = self.crops(epoch)
            for images in batches(pairs, self.options.batch_size, start, self.options.workers):
                yield self.method.Batch(*images)

    def step(self, batch: Batch | BatchWithSecond) -> dict[str, Tensor]:
        """Train on one batch; return its losses as scalars on the device.

        Raises:
            UserError: the networks reduce an image of this size to a single pixel.
        """
        moved = type(batch)(*(images.to(self.device, non_blocking=True) for images in batch))
        try:
            losses = self.captured.step(moved) if self.captured else self._take(moved)
        except ValueError as error:
            if "spatial element" not in str(error):
                raise
            raise UserError(
                f"size {in_words(self.crop)} leaves instance norm a single pixel in the networks of"
                f" {self.method.name}; use a larger size or fewer stages (n_layers_D)"
            ) from None
        if self.average:
            self.average.update()
        self.iteration += 1
        return losses

    def lr_factor(self, epoch: int) -> float:
        """Return the learning rate of 1-based `epoch` as a share of the initial one."""
        return lr_factor(epoch, *self.schedule(epoch))

    def schedule(self, epoch: int) -> tuple[int, int]:
        """Return the epochs at the full rate and those of decay that 1-based `epoch` follows.

        They are those of the run, or of the run that it extends if the epoch was part of that.
        """
        for constant, decay in self.options.extends:
            if epoch <= constant + decay:
                return constant, decay
        return self.options.epochs_constant, self.options.epochs_decay

    def augmentation(self, epoch: int) -> Augmentation:
        """Return the augmentation of 1-based `epoch`: no crop jitter in the decay phase."""
        load = self.crop
        if epoch <= self.schedule(epoch)[0]:
            scaled = (round(self.crop[0] * 286 / 256), round(self.crop[1] * 286 / 256))
            load = height_width(self.options.load_size or scaled)
        return Augmentation(load, self.crop, self.options.flip, self.method.images.fit)

    def crops(self, epoch: int) -> EpochPairs | ZoomedCrops:
        """Return the pairs of training crops of 1-based `epoch`."""
        o = self.options
        if o.crops == "resize":
            return self.pairs(epoch, self.augmentation(epoch), self.resized)
        zoom = Zoom(self.crop, o.zoom_out, o.flip)
        sides = (self.source, self.target)
        where = (self.method.seed, epoch, self.pairs_per_epoch, o.batch_size)
        return ZoomedCrops(*sides, *where, zoom, self.decoded, self.forms)

    def pairs(
        self, epoch: int, augmentation: Augmentation, cache: Resized | None = None
    ) -> EpochPairs:
        """Return the image pairs of 1-based `epoch`; `cache` holds images of one size only."""
        n, second = self.pairs_per_epoch, "second" in self.method.Batch._fields
        sides = (self.source, self.target)
        where = (self.method.seed, epoch)
        return EpochPairs(*sides, *where, augmentation, cache, n, second, self.forms)

    @property
    def forms(self) -> tuple[Form, Form]:
        """Return the forms of the images of (source, target)."""
        return self.method.images.source, self.method.images.target

    @property
    def replayed(self) -> int:
        """Return the floating-point operations of the last step if a CUDA graph took it, else 0."""
        return self.captured.operations if self.captured else 0

    def _take(self, batch: Batch | BatchWithSecond) -> dict[str, Tensor]:
        """Take a step in the precision of the training."""
        with autocast(self.options.precision, self.device):
            return self.method.step(batch)

    def _place_of_images(self) -> torch.device:
        """Return where resized training images are kept: on the GPU if they take a quarter of it.

        With processes that load images, they are kept by these.
        """
        height, width = self.augmentation(1).load
        sides = zip((self.source, self.target), self.forms, strict=True)
        n = sum(len(files) * (3 if form == RGB else 4 * form.channels) for files, form in sides)
        if self.device.type == "cpu" or self.options.workers:
            return torch.device("cpu")
        free, _ = torch.cuda.mem_get_info(self.device)
        return self.device if n * height * width < free / 4 else torch.device("cpu")
