"""Train one method on one data set with one seed.

Writes `run.json`, `history.csv` and `generator.pt` into RUN_DIR when done. Until then the whole
training state is kept in RUN_DIR/state/, at an interval and on SIGTERM or SIGINT: the same command
continues from there, to the weights that a run without the interruption has.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cut.cli.arguments import add_device, json_object


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--dataset", type=Path, required=True, help="the data set's dataset.json")
    parser.add_argument("--method", required=True, help="a name that `cut methods` lists")
    parser.add_argument(
        "--out", type=Path, required=True, metavar="RUN_DIR", help="the run's folder"
    )
    parser.add_argument("--name", help="the row's name in tables (default: the method)")
    parser.add_argument("--seed", type=int, default=0, help="of all draws (default: 0)")
    parser.add_argument("--size", default="256", help="pixels, or HEIGHTxWIDTH (default: 256)")
    parser.add_argument("--options", default="{}", help="the method's options, a JSON object")
    parser.add_argument("--training", default="{}", help="the loop's options, a JSON object")
    parser.add_argument(
        "--loop",
        default="{}",
        help="those of the loop's options that cannot change the weights, a JSON object; --training"
        " wins",
    )
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Start or continue the training."""
    from cut.training.options import merge_loop
    from cut.training.train import train

    return train(
        args.dataset,
        args.out,
        args.method,
        json_object(args.options),
        merge_loop(json_object(args.loop), json_object(args.training)),
        name=args.name,
        seed=args.seed,
        size=args.size,
        device=args.device,
    )
