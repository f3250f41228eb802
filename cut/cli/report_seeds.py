"""Write the tables over seeds."""

from __future__ import annotations

import argparse

from cut.cli.arguments import add_runs


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_runs(parser, "the folder for the tables")


def run(args: argparse.Namespace) -> int:
    """Write the tables."""
    from cut.report.seed_tables import write_seed_tables

    write_seed_tables(args.out, args.runs)
    return 0
