"""Write the page of results: scores, images, figures and details of the runs.

Writes `index.html` and `assets/`. The page links to images and files where they are, relative to
itself: open it from the disk, or copy the whole results folder to any web server. The same runs
give the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cut.cli.arguments import add_ablation, add_deviations, add_runs, deviations


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_runs(parser, "the folder for the page")
    add_ablation(parser)
    add_deviations(parser)
    parser.add_argument("--figures", type=Path, help="folder of figures (default: OUT/../figures)")
    parser.add_argument("--tables", type=Path, help="folder of tables (default: OUT/../tables)")
    parser.add_argument(
        "--only",
        metavar="NAME,…",
        help="names, without endings, of the figures and tables to show (default: all)",
    )
    parser.add_argument("--title", help="the page's title (default: made of the data sets)")


def run(args: argparse.Namespace) -> int:
    """Write the page."""
    from cut.report.site.page import Contents, write_site

    only = args.only and args.only.split(",")
    contents = Contents(args.figures, args.tables, args.title, args.ablation, only)
    page = write_site(args.out, args.runs, contents, deviations(args.seed_deviation))
    print(f"wrote {page}")
    return 0
