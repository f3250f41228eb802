"""Draw the synthetic data set coats2stripes."""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("out", type=Path, help="the folder to write into")
    parser.add_argument("--size", type=int, default=64, help="pixels per side (default: 64)")
    parser.add_argument(
        "--train", type=int, default=400, help="training images per domain (default: 400)"
    )
    parser.add_argument(
        "--test", type=int, default=200, help="test images per domain (default: 200)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all draws (default: 0)")


def run(args: argparse.Namespace) -> int:
    """Draw the images."""
    from cut.data.synthetic import generate

    generate(args.out, args.size, args.train, args.test, args.seed)
    print(f"wrote {2 * (args.train + args.test)} scenes to {args.out}")
    return 0
