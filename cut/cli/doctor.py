"""Say what this machine has, what a config lacks to run here, and how long it will take.

Lists Python, torch and its CUDA, GPUs, memory, Snakemake, conda, uv and Slurm. With a config also
its data sets, the Inception weights, disk, and the time and memory of its trainings: each row takes
a few training steps on random images, for about ten seconds in all. Fetches and writes nothing. The
exit status is 1 if something is lacking; a sentence names each such thing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cut.base.errors import UserError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("config", nargs="?", type=Path, metavar="CONFIG.yaml")
    parser.add_argument(
        "--seconds", type=float, default=10, help="to measure training steps (default: 10)"
    )


def run(args: argparse.Namespace) -> int:
    """Print what is there and what is lacking."""
    if not 0 < args.seconds <= 3600:
        raise UserError(f"--seconds is {args.seconds:g}; give more than 0, and 3600 at most")
    try:
        from cut.plan.doctor import show
    except ModuleNotFoundError as error:
        raise UserError(
            f"this Python ({sys.executable}) lacks the package {error.name}; activate the"
            " environment, or install it as docs/running.md says"
        ) from None
    return show(args.config, args.seconds)
