"""Write the training images that a method of commands reads."""

from __future__ import annotations

import argparse
from pathlib import Path

from cut.cli.arguments import add_fit


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("dataset", type=Path, help="a dataset.json")
    parser.add_argument("out", type=Path, help="the folder for source/ and target/")
    parser.add_argument("--size", required=True, help="pixels, or HEIGHTxWIDTH")
    parser.add_argument(
        "--held-out", type=int, default=0, metavar="N", help="images of each domain to leave out"
    )
    add_fit(parser)


def run(args: argparse.Namespace) -> int:
    """Write the images."""
    from cut.base.image_size import height_width
    from cut.data.dataset import Dataset
    from cut.data.export import export_training

    size = height_width(args.size, "--size")
    counts = export_training(Dataset.load(args.dataset), args.out, size, args.held_out, args.fit)
    print(f"wrote {counts['source']} source and {counts['target']} target images to {args.out}")
    return 0
