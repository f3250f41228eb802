"""Drawing FID against the epoch, a line a row: whether a training keeps what it has reached.

As in the stability figure of the CUT paper, but of the test set: the values are those of
`epochs.csv`, the generators kept along the way scored as the last one is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cut.base.errors import NothingToShow
from cut.report.dataset_tables import in_rows
from cut.report.figures.style import Look, control_levels, draw_levels, fit, looks
from cut.report.figures.text import COLUMN, legend_above
from cut.results.run import Run, load_epochs, one_dataset

AXES, LINE = 2.6, 0.17  # inches: the height of the axes, and of a line of the rings' legend
MARKED = 8  # markers a line, about: one at each of many epochs would hide the line
RINGS = {"test": "best epoch, by the test images", "held_out": "best epoch, by held-out images"}


def draw(runs: Sequence[Run]) -> Figure:
    """Draw one data set's rows; seeds thin beside their mean, the best epoch ringed.

    Raises:
        UserError: runs are of several data sets, or none has scores along the way.
    """
    one_dataset([run.facts for run in runs])
    rows = {row[0].facts["method"]: _followed(row) for row in in_rows(runs)}
    rows = {name: seeds for name, seeds in rows.items() if seeds}
    if not rows:
        raise NothingToShow("no run has a FID along the way; set best: {every: N} and train")
    known = looks(run.facts for run in runs)
    figure, ax = plt.subplots(figsize=(COLUMN, AXES), layout="constrained")
    handles = [_row(ax, name, seeds, known[name]) for name, seeds in rows.items()]
    levels = control_levels(runs)
    values = [fid for seeds in rows.values() for _, fids in seeds for fid in fids]
    fit(ax, "y", values, list(levels.values()))
    ax.set_xlim(left=0)
    rings = _rings(run for seeds in rows.values() for run, _ in seeds)
    figure.set_figheight(AXES + legend_above(figure, handles, 2) + LINE * len(rings))
    figure.legend(handles=rings, loc="outside lower center", frameon=False)
    draw_levels(ax, levels)
    ax.set_xlabel("epoch")
    ax.set_ylabel("FID over the test set")
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    sns.despine(ax=ax)
    return figure


def _rings(runs: Iterable[Run]) -> list[Line2D]:
    """Return the legend of the rings: by which images the best epochs were chosen."""
    ways = dict.fromkeys(run.best["chosen_on"] for run in runs)
    ring = {"ls": "", "marker": "o", "ms": 7, "mfc": "none", "color": "0.2"}
    return [Line2D([], [], **ring, label=RINGS[way]) for way in ways]


def _followed(row: Sequence[Run]) -> list[tuple[Run, pd.Series]]:
    """Return a row's runs that were scored along the way, each with its FID by epoch."""
    found = []
    for run in row:
        fids = load_epochs(run.folder).set_index("epoch").fid.dropna()
        # One value is the last epoch's: no course of a training. Others are an earlier run's.
        if run.best is not None and len(fids) > 1:
            found.append((run, fids))
    return found


def _row(ax: Axes, name: str, seeds: Sequence[tuple[Run, pd.Series]], look: Look) -> Line2D:
    """Draw a row's seeds, their mean and their best epochs; return its entry in the legend."""
    if len(seeds) > 1:
        for _, fids in seeds:
            ax.plot(fids.index, fids, color=look.colour, lw=0.6, alpha=0.5, ls=look.dashes)
    # No mean where a seed has no value: another set of seeds would make a step in the line.
    mean = pd.DataFrame([fids for _, fids in seeds]).mean(skipna=False).sort_index()
    ax.plot(mean.index, mean, lw=1.3, ms=4, mew=0.5, markevery=-(-len(mean) // MARKED), **look.line)
    size = 7 if len(seeds) == 1 else 4.5
    for run, fids in seeds:
        best = run.best["epoch"]
        ax.plot(best, fids[best], ls="", marker="o", ms=size, mfc="none", color=look.colour,
                mew=1.0)  # fmt: skip
    return Line2D([], [], lw=1.3, ms=4.5, mew=0.5, label=name, **look.line)
