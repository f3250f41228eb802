"""Write a data set's test images at one size.

The folder gets source/, target/, and truth/, mask/ and labels/ where the data set has them.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cut.cli.arguments import add_fit


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("dataset", type=Path, help="a dataset.json")
    parser.add_argument("out", type=Path, help="the folder to write into")
    parser.add_argument("--size", required=True, help="pixels, or HEIGHTxWIDTH")
    parser.add_argument(
        "--held-out",
        type=int,
        default=0,
        metavar="N",
        help="instead of the test images, the N of each domain that training leaves out",
    )
    add_fit(parser)


def run(args: argparse.Namespace) -> int:
    """Export the images."""
    from cut.base.image_size import height_width
    from cut.data.dataset import Dataset
    from cut.data.export import export

    size = height_width(args.size, "--size")
    counts = export(Dataset.load(args.dataset), args.out, size, args.held_out, args.fit)
    print(f"wrote {', '.join(f'{n} {group}' for group, n in counts.items())} to {args.out}")
    return 0
