"""Figures of a benchmark: each is drawn from the records of runs and written as PNG and PDF."""

from __future__ import annotations

import random
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")  # draws without a display

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure

from cut.base.errors import NothingToShow, UserError, unknown
from cut.base.files import replacing
from cut.base.image_files import by_stem
from cut.report.figures import (
    ablation_scatter,
    best_and_worst,
    fid_against_content,
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
    "text.parse_math": False,  # a record's text may have dollar signs and be no formula
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


def write_figure(kind: str, out: Path, runs: Sequence[Path], **given: Any) -> list[Path]:
    """Draw one figure as PNG to `out` and as PDF beside it; return both paths.

    A figure without data shows the reason as text. `given` are the arguments of the kind: see
    `FIGURES`.
    """
    with sns.axes_style("ticks"), plt.rc_context(STYLE):
        try:
            figure = FIGURES[kind](runs, **given)
        except NothingToShow as reason:
            print(f"nothing to draw: {reason}")
            figure = plt.figure(figsize=(4.6, 1.0))
            text = textwrap.fill(str(reason), 70)
            figure.text(0.5, 0.5, text, ha="center", va="center")
        return save(figure, out)


def _grid(
    runs: Sequence[Path], test: Path, rows: int = 8, seed: int = 0, names: Sequence[str] = ()
) -> Figure:
    columns = image_grid.columns(test, runs)
    return image_grid.draw(columns, choose(list(columns[0].images), rows, seed, names))


def _cases(runs: Sequence[Path], test: Path, count: int = 4) -> Figure:
    return best_and_worst.draw(test, runs, count)


def _encoder(
    runs: Sequence[Path], test: Path, rows: int = 4, seed: int = 0, names: Sequence[str] = ()
) -> Figure:
    from cut.report.figures import encoder  # loads torch and the methods

    chosen = choose(list(by_stem(test / "source")), rows, seed, names)
    return encoder.draw(runs[0], test, chosen, seed)


def _stability(runs: Sequence[Path]) -> Figure:
    return fid_by_epoch.draw(load_comparable(runs))


def _cost(runs: Sequence[Path]) -> Figure:
    return fid_against_cost.draw(load_comparable(runs))


def _content(runs: Sequence[Path], score: str = fid_against_content.CONTENT) -> Figure:
    return fid_against_content.draw(load_comparable(runs), score)


def _scatter(runs: Sequence[Path], miou: bool = False) -> Figure:
    return ablation_scatter.draw(load_comparable(runs), miou)


FIGURES: dict[str, Callable[..., Figure]] = {
    "grid": _grid,
    "curves": loss_curves.draw,
    "stability": _stability,
    "cost": _cost,
    "content": _content,
    "scatter": _scatter,
    "cases": _cases,
    "encoder": _encoder,
}
