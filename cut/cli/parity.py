"""Replay recorded steps of the authors' code, and compare.

Each file is replayed through this project's own code, step by step. The exit status is 1 if a
relative error exceeds the tolerance. docs/parity.md describes the recordings.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE.npz")
    parser.add_argument("--tol", type=float, default=1e-8, help="largest relative error allowed")
    parser.add_argument("--table", action="store_true", help="print a Markdown table")


def run(args: argparse.Namespace) -> int:
    """Replay each file and print its errors."""
    from cut.methods.parity_report import report

    return int(not report(args.files, args.tol, args.table))
