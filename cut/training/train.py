"""Train one method on one data set with one seed.

    python -m cut train --dataset data/NAME/dataset.json --method cut --out RUN_DIR
        [--name ROW] [--seed 0] [--size 256] [--options JSON] [--training JSON] [--loop JSON]
        [--device cpu]

Writes `run.json`, `history.csv` and `generator.pt` into RUN_DIR when done, of CUT's family also
`embedding.pt`, and second names of them into `RUN_DIR/finished/` (`run_lock`). Until then the
whole training state is kept in `RUN_DIR/state/`, at an interval and on SIGTERM or SIGINT: the same
command goes on from there, to the weights that a run without the interruption has.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cut.base.device import choose_device
from cut.base.errors import UserError
from cut.data.dataset import Dataset
from cut.methods.registry import build_method, discover
from cut.training.loop import configure_torch
from cut.training.options import check_size, merge_loop, training_options
from cut.training.trainer import Trainer


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
    parser = argparse.ArgumentParser(prog="python -m cut train", description="Train one method.")
    parser.add_argument("--dataset", type=Path, required=True, help="the data set's dataset.json")
    parser.add_argument("--method", required=True, help="as `python -m cut methods` lists them")
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
    configure_torch(training)
    method = build_method(args.method, json_argument(args.options), args.seed)
    trainer = Trainer(
        method.to(device), Dataset.load(args.dataset), training, args.out,
        name=args.name or args.method, size=size, device=device,
    )  # fmt: skip
    return trainer.run()
