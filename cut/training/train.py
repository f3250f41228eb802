"""Train one method on one data set with one seed."""

from __future__ import annotations

from pathlib import Path

from cut.base.device import choose_device
from cut.base.image_size import height_width
from cut.data.dataset import Dataset
from cut.methods.registry import build_method, discover
from cut.records.request import RequestRecord
from cut.training.loop import configure_torch
from cut.training.options import training_options
from cut.training.trainer import Trainer


def train(request: RequestRecord, out: Path) -> int:
    """Run the training that `request` asks for, or continue it; return the exit status.

    Args:
        request: method, options, data set and seed.
        out: the run's folder.

    Raises:
        UserError: something is unknown, out of range or missing, or `out` holds a finished run that
            differs and is not to be replaced.
    """
    cls = discover()[request.method]
    size = height_width(request.size, "size")
    training = training_options(cls, request.training, size)
    cls.check_stride(size)
    crop = training.crop(size)
    device = choose_device(request.device)
    configure_torch(training)
    dataset = Dataset.load(Path(request.dataset))
    images = dataset.as_images(request.fit)
    method = build_method(request.method, request.options, request.seed, crop, images)
    trainer = Trainer(
        method.to(device),
        dataset,
        training,
        out,
        request=request,
        size=size,
        device=device,
    )
    return trainer.run()
