"""Measure what one training is worth, from the runs of several seeds.

Prints two tables for each data set. The first has, for each trained row, mean and deviation over
seeds of the FID and, where true counterparts are known, of L1; the interval of the FID over images;
and the shares of seed, epoch and images in the variance of the FID. The second says for every pair
of rows in how many of the seeds the order of their means holds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("folders", type=Path, nargs="+", metavar="RESULTS_DIR")
    parser.add_argument("--markdown", action="store_true", help="print tables in Markdown")
    parser.add_argument(
        "--epochs",
        type=int,
        default=3,
        metavar="N",
        help="kept epochs, from the last, to compute the variance between epochs from (default: 3)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the tables."""
    from cut.report.collect import find_runs
    from cut.report.markdown import markdown
    from cut.report.plain import plain
    from cut.report.variance_tables import variance_tables

    runs, unfinished = find_runs(args.folders)
    for folder in unfinished:
        print(f"left out {folder}: not finished and scored", file=sys.stderr)
    show = markdown if args.markdown else plain
    print("\n".join(map(show, variance_tables(runs, args.epochs))), end="")
    return 0
