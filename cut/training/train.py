"""Train one method on one data set with one seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cut.base.device import choose_device
from cut.data.dataset import Dataset
from cut.methods.registry import build_method, discover
from cut.training.loop import configure_torch
from cut.training.options import check_size, training_options
from cut.training.trainer import Trainer


def train(
    dataset: Path,
    out: Path,
    method: str,
    options: dict[str, Any],
    training: dict[str, Any],
    name: str | None = None,
    seed: int = 0,
    size: int | str = 256,
    device: str = "auto",
) -> int:
    """Run or continue a training; return the exit status.

    Args:
        dataset: the data set's `dataset.json`.
        out: the run's folder.
        method: a name that the registry of methods has.
        options: of the method, over its defaults.
        training: of the loop, over the method's defaults.
        name: of the row in tables; the method's without one.
        seed: of every random draw.
        size: pixels, or "HEIGHTxWIDTH".
        device: "auto", "cpu" or "cuda".

    Raises:
        UserError: something is unknown, out of range, missing, or different from what was trained
            in `out` before.
    """
    cls = discover()[method]
    sides = check_size(cls, size, method)
    loop = training_options(cls, training)
    chosen = choose_device(device)
    configure_torch(loop)
    trainer = Trainer(
        build_method(method, options, seed).to(chosen),
        Dataset.load(dataset),
        loop,
        out,
        name=name or method,
        size=sides,
        device=chosen,
    )
    return trainer.run()
