"""Train one method on one data set with one seed.

    python -m cut.train --dataset data/NAME/dataset.json --method cut --out RUN_DIR
        [--name ROW] [--seed 0] [--size 256] [--options JSON] [--training JSON] [--loop JSON]
        [--device cpu]

Writes `run.json`, `history.csv` and `generator.pt` into RUN_DIR when done, of CUT's family also
`embedding.pt`, and second names of them into `RUN_DIR/finished/` (`cut.finished`). Until then the
whole training state is kept in `RUN_DIR/state/`, at an interval and on SIGTERM or SIGINT: the same
command goes on from there, to the weights that a run without the interruption has.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field

from cut.datasets import Dataset
from cut.device import choose_device
from cut.errors import UserError, command, unknown
from cut.methods import Method, Options, discover, parse_options
from cut.sizes import LoadSize, height_width, in_words
from cut.trainer import WITHOUT_EFFECT, Trainer


class TrainingOptions(BaseModel):
    """What the loop decides, for any method; a method's own defaults come first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs_constant: int = Field(200, ge=0, description="epochs at the full learning rate")
    epochs_decay: int = Field(200, ge=0, description="epochs of linear decay after them")
    batch_size: int = Field(1, ge=1, description="pairs a step (the authors: best at 1)")
    load_size: LoadSize | None = Field(
        None,
        description="images are resized to this before cropping: one number, or HEIGHTxWIDTH;"
        " default size*286/256",
    )
    flip: bool = Field(True, description="mirror training images at random")
    precision: str = Field(
        "float32",
        pattern="^(float32|tf32|bfloat16)$",
        description="float32; tf32 or bfloat16 (autocast) are faster on a GPU and less exact",
    )
    threads: int = Field(1, ge=1, description="CPU threads of the training step")
    workers: int = Field(0, ge=0, description="processes that load images")
    cache_images: bool = Field(False, description="keep decoded training images in memory")
    log_every: int = Field(100, ge=1, description="steps a row of history.csv averages")
    snapshot_every: int = Field(
        0, ge=0, description="epochs between generators kept for scoring; 0 keeps the last alone"
    )
    held_out: int = Field(
        0, ge=0, description="images of each domain left out of training, to choose an epoch by"
    )
    checkpoint_minutes: float = Field(10, ge=0, description="time between saved training states")
    tensorboard: bool = Field(False, description="write scalars and sample images to tensorboard/")

    @property
    def epochs(self) -> int:
        """Return the length of the whole schedule."""
        return self.epochs_constant + self.epochs_decay


def build_method(name: str, options: dict[str, Any], seed: int) -> Method:
    """Build the method `name` with `options` over its defaults.

    Raises:
        UserError: an unknown method, or an option it doesn't have or whose value is out of range.
    """
    cls = discover()[name]
    parsed: Options = parse_options(cls.Options, options, name)
    return cls(parsed, seed)


def training_options(method: type[Method], given: dict[str, Any]) -> TrainingOptions:
    """Return the loop's options: `given` over the method's own defaults over the general ones."""
    options = parse_options(TrainingOptions, {**method.training, **given}, "training")
    if method.trained and options.epochs == 0:
        raise UserError("epochs_constant and epochs_decay are both 0; a training needs an epoch")
    return options


def merge_loop(loop: dict[str, Any], training: dict[str, Any]) -> dict[str, Any]:
    """Return the options of --loop with those of --training over them.

    Raises:
        UserError: --loop has an option that decides the weights.
    """
    for name in loop:
        if name not in WITHOUT_EFFECT:
            sentence = unknown("option of --loop", name, sorted(WITHOUT_EFFECT))
            raise UserError(f"{sentence}; what decides the weights belongs into --training")
    return {**loop, **training}


def check_size(method: type[Method], size: int | str, name: str) -> tuple[int, int]:
    """Return (height, width) of `size` after checking that the networks can take it.

    Raises:
        UserError: it is no size, or a side is no multiple of the method's stride.
    """
    h, w = height_width(size, "size")
    if h % method.stride or w % method.stride:
        raise UserError(
            f"size {in_words(size)} is no multiple of {method.stride}, which {name} needs"
        )
    return h, w


def json_argument(text: str) -> dict[str, Any]:
    """Parse a command-line argument that holds a JSON object."""
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UserError(f"{text!r} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise UserError(f'{text!r} is not a JSON object; give, say, {{"ngf": 32}}')
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Run or go on with a training."""
    parser = argparse.ArgumentParser(prog="python -m cut.train", description="Train one method.")
    parser.add_argument("--dataset", type=Path, required=True, help="the data set's dataset.json")
    parser.add_argument("--method", required=True, help="as `python -m cut.methods` lists them")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument("--name", help="the row's name in tables (default: the method)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", default="256", help="pixels, or HEIGHTxWIDTH (default: 256)")
    parser.add_argument("--options", default="{}", help="the method's options, a JSON object")
    parser.add_argument("--training", default="{}", help="the loop's options, a JSON object")
    parser.add_argument("--loop", default="{}", help="those of the loop's options that can't change"
                        " the weights, a JSON object; --training wins")  # fmt: skip
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    args = parser.parse_args(argv)

    cls = discover()[args.method]
    size = check_size(cls, args.size, args.method)
    given = merge_loop(json_argument(args.loop), json_argument(args.training))
    training = training_options(cls, given)
    device = choose_device(args.device)
    torch.set_num_threads(training.threads)
    torch.backends.cuda.matmul.allow_tf32 = training.precision == "tf32"
    torch.backends.cudnn.allow_tf32 = training.precision == "tf32"
    method = build_method(args.method, json_argument(args.options), args.seed)
    trainer = Trainer(
        method.to(device), Dataset.load(args.dataset), training, args.out,
        name=args.name or args.method, size=size, device=device,
    )  # fmt: skip
    return trainer.run()


if __name__ == "__main__":
    command(main)
