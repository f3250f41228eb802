"""Write one table over all data sets."""

from __future__ import annotations

import argparse

from cut.cli.arguments import add_ablation, add_deviations, add_runs, deviations


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_runs(parser, "the folder for the table")
    add_ablation(parser)
    add_deviations(parser)


def run(args: argparse.Namespace) -> int:
    """Write the table."""
    from cut.report.overview_table import write_overview

    write_overview(args.out, args.runs, args.ablation, deviations(args.seed_deviation))
    return 0
