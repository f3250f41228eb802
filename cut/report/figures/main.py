"""Draw one figure of a benchmark.

    python -m cut report figures grid --out FILE.png --test results/NAME/test RUN_DIR...
        [--rows 8] [--seed 0] [--names a,b]
    python -m cut report figures curves|stability|cost --out FILE.png RUN_DIR...
    python -m cut report figures scatter --out FILE.png [--miou] RUN_DIR...
    python -m cut report figures cases --out FILE.png --test results/NAME/test RUN_DIR...
    python -m cut report figures encoder --out FILE.png --test results/NAME/test RUN_DIR
        [--rows 4] [--seed 0] [--names a,b]

Writes FILE.png, and FILE.pdf beside it. The same runs give the same bytes.
"""

from __future__ import annotations

import argparse
import random
import textwrap
from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")  # draws without a display

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from cut.base.errors import NothingToShow, UserError, unknown
from cut.base.files import replacing
from cut.base.images import by_stem
from cut.report.figures import (
    ablation_scatter,
    best_and_worst,
    fid_against_cost,
    fid_by_epoch,
    image_grid,
    loss_curves,
)
from cut.results.protocol import load_comparable

STYLE = {
    "figure.dpi": 200,  # figures of images have their own
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.labelsize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "legend.fontsize": 8,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "pdf.fonttype": 42,  # keeps text as text
}


def save(figure: Figure, out: Path) -> list[Path]:
    """Write `figure` as PNG and PDF, both without a date; return the paths.

    Raises:
        UserError: `out` does not end in .png.
    """
    if out.suffix.lower() != ".png":
        raise UserError(f"--out is {out}; give a name that ends in .png (a .pdf is written too)")
    written = [out, out.with_suffix(".pdf")]
    dates = {".png": {"Software": None}, ".pdf": {"CreationDate": None, "ModDate": None}}
    for path in written:
        kind = path.suffix.lower()
        with replacing(path) as temporary:
            figure.savefig(temporary, format=kind[1:], dpi="figure", metadata=dates[kind])
    plt.close(figure)
    return written


def choose(known: Sequence[str], rows: int, seed: int, names: Sequence[str] = ()) -> list[str]:
    """Return the test images to show: `names`, or `rows` images drawn from `seed`, in order.

    Raises:
        UserError: a name that no test image has, or fewer than one row.
    """
    if rows < 1:
        raise UserError(f"--rows is {rows}; give 1 or more")
    if names:
        stems = [Path(name).stem if name not in known else name for name in names]
        for name in stems:
            if name not in known:
                raise UserError(unknown("test image", name, known))
        return stems
    return sorted(random.Random(seed).sample(sorted(known), min(rows, len(known))))


KINDS = {
    "grid": "inputs and translations",
    "curves": "losses by epoch",
    "stability": "FID by epoch",
    "cost": "FID against time and memory",
    "scatter": "the rows of an ablation as points",
    "cases": "best and worst translations",
    "encoder": "similarities of a translated patch to the input's patches, for CUT-like runs",
}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cut report figures", description="Draw one.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name, words in KINDS.items():
        kind = kinds.add_parser(name, help=words, description=f"Draw {words}.")
        kind.add_argument(
            "--out", type=Path, required=True, help="FILE.png; writes a PDF beside it"
        )
        many = None if name == "encoder" else "+"
        kind.add_argument("runs", type=Path, nargs=many, metavar="RUN_DIR", help="a run's folder")
        if name in ("grid", "cases", "encoder"):
            words = "the folder with source/ and perhaps truth/"
            kind.add_argument("--test", type=Path, required=True, help=words)
        if name in ("grid", "encoder"):
            rows = 8 if name == "grid" else 4
            kind.add_argument("--rows", type=int, default=rows, help="number of test images")
            kind.add_argument("--seed", type=int, default=0, help="seed to draw the images from")
            kind.add_argument("--names", default="", help="their names, separated by commas")
        if name == "scatter":
            kind.add_argument("--miou", action="store_true", help="against mIoU, not another FID")
        if name == "cases":
            kind.add_argument("--count", type=int, default=4, help="images per side, at most")
    return parser


def _draw(args: argparse.Namespace) -> Figure:
    """Return the figure that the command line asks for."""
    names = [name.strip() for name in getattr(args, "names", "").split(",") if name.strip()]
    match args.kind:
        case "grid":
            columns = image_grid.columns(args.test, args.runs)
            chosen = choose(list(columns[0].images), args.rows, args.seed, names)
            return image_grid.draw(columns, chosen)
        case "cases":
            return best_and_worst.draw(args.test, args.runs, args.count)
        case "encoder":
            from cut.report.figures import encoder  # loads torch and the methods

            chosen = choose(list(by_stem(args.test / "source")), args.rows, args.seed, names)
            return encoder.draw(args.runs, args.test, chosen, args.seed)
        case "curves":
            return loss_curves.draw(args.runs)
        case "scatter":
            return ablation_scatter.draw(load_comparable(args.runs), args.miou)
        case "stability":
            return fid_by_epoch.draw(load_comparable(args.runs))
        case _:
            return fid_against_cost.draw(load_comparable(args.runs))


def main(argv: Sequence[str] | None = None) -> int:
    """Draw one figure."""
    args = _parser().parse_args(argv)
    with sns.axes_style("ticks"), plt.rc_context(STYLE):
        try:
            figure = _draw(args)
        except NothingToShow as reason:
            print(f"nothing to draw: {reason}")
            figure = plt.figure(figsize=(4.6, 1.0))
            text = textwrap.fill(str(reason), 70)
            figure.text(0.5, 0.5, text, ha="center", va="center")
        for path in save(figure, args.out):
            print(f"wrote {path}")
    return 0
