"""Draw one figure of a benchmark.

  grid       inputs and translations
  curves     losses by epoch
  stability  FID by epoch
  cost       FID against time and memory
  content    FID against how much of the input is kept
  scatter    the rows of an ablation as points
  cases      best and worst translations
  encoder    input patches that a translated patch resembles, for one run of CUT or a variant

Writes FILE.png, and FILE.pdf beside it. The same runs give the same bytes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

KINDS = ("grid", "curves", "stability", "cost", "content", "scatter", "cases", "encoder")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of each kind of figure."""
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name in KINDS:
        kind = kinds.add_parser(name)
        kind.add_argument("--out", type=Path, required=True, metavar="FILE.png")
        number = 1 if name == "encoder" else "+"
        kind.add_argument("runs", type=Path, nargs=number, metavar="RUN_DIR", help="a run's folder")
        if name in ("grid", "cases", "encoder"):
            kind.add_argument(
                "--test", type=Path, required=True, help="folder with source/ and perhaps truth/"
            )
        if name in ("grid", "encoder"):
            rows = 8 if name == "grid" else 4
            kind.add_argument("--rows", type=int, default=rows, help="number of test images")
            kind.add_argument("--seed", type=int, default=0, help="draw the images from this seed")
            kind.add_argument("--names", default="", help="show these images, with commas between")
        if name == "scatter":
            kind.add_argument("--miou", action="store_true", help="against mIoU, not another FID")
        if name == "content":
            kind.add_argument("--score", default="perceptual", help="the score of content")
        if name == "cases":
            kind.add_argument("--count", type=int, default=4, help="most images on either side")


def run(args: argparse.Namespace) -> int:
    """Draw the figure."""
    from cut.report.figures.main import write_figure

    given = {key: value for key, value in vars(args).items() if key not in ("kind", "out", "runs")}
    if "names" in given:
        given["names"] = [name.strip() for name in args.names.split(",") if name.strip()]
    for path in write_figure(args.kind, args.out, args.runs, **given):
        print(f"wrote {path}")
    return 0
