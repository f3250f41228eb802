"""Merge the runs of several machines into the same tables.

Finds every finished and scored run below the given folders and writes the tables that the workflow
would have written. A run is its data set, row and seed. If the same run is found twice, everything
that decides its scores must agree. Runs with different scoring protocols, versions of a data set,
options or code under one name are refused.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cut.cli.arguments import add_ablation, add_deviations, deviations


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--out", type=Path, required=True, help="the folder for the tables")
    add_ablation(parser)
    add_deviations(parser)
    parser.add_argument("folders", type=Path, nargs="+", metavar="RESULTS_DIR")


def run(args: argparse.Namespace) -> int:
    """Collect the runs and write their tables."""
    from cut.report.collect import collect

    collect(args.out, args.folders, args.ablation, deviations(args.seed_deviation))
    return 0
