"""Write the tables of each data set."""

from __future__ import annotations

import argparse

from cut.cli.arguments import add_deviations, add_runs, deviations


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_runs(parser, "the folder for the tables")
    add_deviations(parser)


def run(args: argparse.Namespace) -> int:
    """Write the tables."""
    from cut.report.dataset_tables import write_tables

    write_tables(args.out, args.runs, deviations(args.seed_deviation))
    return 0
