"""List the data sets of the registry."""

from __future__ import annotations

import argparse


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--markdown", action="store_true", help="as the table of docs/datasets.md")


def run(args: argparse.Namespace) -> int:
    """Print the registry."""
    from cut.data import dry_run
    from cut.data.registry import registry, resolve

    if args.markdown:
        print(dry_run.table().rstrip())
    else:
        for name in registry():
            print("\n".join(dry_run.overview(resolve(name))))
    return 0
