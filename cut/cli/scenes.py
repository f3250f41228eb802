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
    from cut.base import written
    from cut.data.registry import resolve
    from cut.data.synthetic import generate
    from cut.data.verify import extras

    given = {key: getattr(args, key) for key in ("size", "train", "test", "seed")}
    entry = resolve("coats2stripes", given)  # checks the ranges
    counts = entry.expected_counts() | dict.fromkeys(extras(entry)[:2], args.test)
    names = [f"{folder}/{k:04d}.png" for folder, n in counts.items() for k in range(n)]
    written.claim(args.out, names, counts)
    generate(args.out, **given)
    print(f"wrote {2 * (args.train + args.test)} scenes to {args.out}")
    return 0
