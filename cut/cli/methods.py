"""List the methods, their options, and where each is defined."""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "--markdown",
        action="store_true",
        help="print what each published method is, the second part of docs/methods.md",
    )
    parser.add_argument(
        "--write", type=Path, metavar="PAGE", help="write that part into a page: docs/methods.md"
    )


def run(args: argparse.Namespace) -> int:
    """Print the methods; the exit status is 1 if a plug-in does not import."""
    if args.write:
        from cut.methods.methods_page import write

        write(args.write)
        return 0
    if args.markdown:
        from cut.methods.methods_page import page

        print(page(), end="")
        return 0
    from cut.methods.registry import show

    return show()
