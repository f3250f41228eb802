"""Translate a data set's whole test set with a trained run.

Writes RUN_DIR/translated/NAME.png for every test image and, last, `manifest.json` with the digest
of each.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cut.cli.arguments import add_device, check_positive


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--dataset", type=Path, required=True, help="the data set's dataset.json")
    parser.add_argument(
        "--run", type=Path, required=True, metavar="RUN_DIR", help="the run's folder"
    )
    parser.add_argument("--batch-size", type=int, default=8, help="images at a time (default: 8)")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Translate the test set."""
    from cut.base.device import choose_device
    from cut.data.dataset import Dataset
    from cut.training.translate import translate

    check_positive("--batch-size", args.batch_size)
    n = translate(Dataset.load(args.dataset), args.run, args.batch_size, choose_device(args.device))
    print(f"translated {n} images into {args.run / 'translated'}")
    return 0
