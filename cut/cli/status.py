"""Show the state of each run of a benchmark.

Prints one line per run, then the number of runs in each state. The exit status is 1 if a run has
failed.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("config", nargs="?", type=Path, default=Path("config/config.yaml"))
    parser.add_argument("--directory", type=Path, default=Path(), help="as Snakemake's")


def run(args: argparse.Namespace) -> int:
    """Print the states."""
    from cut.plan.status import show

    return show(args.config, args.directory)
