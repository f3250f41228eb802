"""Write the page of results: scores, images, figures and details of some runs.

    python -m cut report page --out RESULTS/site RUN_DIR...
        [--figures RESULTS/figures] [--tables RESULTS/tables] [--only NAME,…] [--title TITLE]
        [--ablation]

Writes `index.html` and `assets/`. The page links to images and files by relative addresses: open it
from the disk, or copy the whole results folder to any web server. The same runs give the same
bytes.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from cut.report.site.page import Contents, write_site


def main(argv: Sequence[str] | None = None) -> int:
    """Write the page of some runs."""
    parser = argparse.ArgumentParser(
        prog="python -m cut report page", description="Write one static page of some runs' results."
    )
    parser.add_argument("--out", type=Path, required=True, help="the page's folder")
    parser.add_argument("--figures", type=Path, help="figures' folder (default: OUT/../figures)")
    parser.add_argument("--tables", type=Path, help="tables' folder (default: OUT/../tables)")
    parser.add_argument(
        "--only", help="names, without endings, of the figures and tables to show (default: all)"
    )
    parser.add_argument("--title", help="the page's title (default: made of the data sets)")
    parser.add_argument("--ablation", action="store_true", help="show the options of CUT's rows")
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN_DIR", help="runs' folders")
    args = parser.parse_args(argv)
    only = args.only and args.only.split(",")
    contents = Contents(args.figures, args.tables, args.title, args.ablation, only)
    page = write_site(args.out, args.runs, contents)
    print(f"wrote {page}")
    return 0
