"""Score the generators that a training kept, and choose the best epoch.

Writes RUN_DIR/epochs.csv (epoch, iteration, FID and KID over the whole test set, FID over the
held-out images), RUN_DIR/best.json (the epoch, and the images that decided), and the best generator
with its translations of the test set in RUN_DIR/best/.

The epoch with the lowest FID over the test images is what many papers report. It is chosen by the
images that then score it, so it flatters. With --held-out the choice is made on training images
that the training did not see, and the test set only reports.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cut.cli.arguments import add_extraction, add_run, check_positive


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_run(parser)
    parser.add_argument(
        "--held-out", type=Path, help="folder that `cut export --held-out` wrote, with target.npz"
    )
    add_extraction(parser)


def run(args: argparse.Namespace) -> int:
    """Choose the best epoch of the run."""
    check_positive("--batch-size", args.batch_size)

    from cut.base.device import choose_device
    from cut.data.dataset import Dataset
    from cut.metrics.best_epoch import select
    from cut.metrics.inception.extract import Extractor
    from cut.metrics.inception.weights import read_weights_json

    weights = read_weights_json(args.weights_json)
    extractor = Extractor(weights, choose_device(args.device), args.batch_size)
    choice = select(Dataset.load(args.dataset), args.run, extractor, args.reference, args.held_out)
    if choice.missing:
        print(f"no epoch can be chosen, so the last one is used: {choice.missing}")
    else:
        images = f"{choice.images} {'held-out training' if args.held_out else 'test'} images"
        print(f"best epoch {choice.epoch}: FID {choice.fid:.4f} over {images}")
    return 0
