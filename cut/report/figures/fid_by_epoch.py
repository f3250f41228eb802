"""Plot FID against the epoch, one line per row.

As in the stability figure of the CUT paper, but over the test set: the values are those of
`epochs.csv`, where the generators kept along the way are scored in the same way as the last one.
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

from cut.base.errors import NothingToShow, UserError
from cut.records.epochs import EpochScores
from cut.report.figures.style import RowStyle, control_levels, draw_levels, fit, row_styles
from cut.report.figures.text import COLUMN, legend_above
from cut.results.rows import Row, rows_of
from cut.results.run import Run, fids_by_epoch, one_dataset

AXES, LINE = 2.6, 0.17  # inches: the height of the axes, and of a line of the rings' legend
MARKED = 8  # markers per line, about: more would hide the line
RINGS = {"test": "best epoch, by the test images", "held_out": "best epoch, by held-out images"}

Course = tuple[Run, pd.Series]  # a run and its FID, indexed by epoch


def draw(runs: Sequence[Run]) -> Figure:
    """Draw one data set's rows: each seed thin, their mean thick, the best epochs ringed.

    Raises:
        UserError: runs are of several data sets.
        NothingToShow: no run has a FID of more than one epoch.
    """
    one_dataset(run.record for run in runs)
    rows = rows_of(runs)
    courses = {row.name: found for row in rows if (found := _courses(row))}
    if not courses:
        raise NothingToShow("no run has a FID along the way; set best: {every: N} and train")
    styles = row_styles(run.record for run in runs)
    figure, ax = plt.subplots(figsize=(COLUMN, AXES), layout="constrained")
    handles = [_row(ax, name, seeds, styles[name]) for name, seeds in courses.items()]
    levels = control_levels(rows)
    values = [fid for seeds in courses.values() for _, fids in seeds for fid in fids]
    fit(ax, "y", values, list(levels.values()))
    ax.set_xlim(left=0)
    rings = _rings(run for seeds in courses.values() for run, _ in seeds)
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
    ways = dict.fromkeys(run.best.record.chosen_on for run in runs if run.best)
    ring = {"ls": "", "marker": "o", "ms": 7, "mfc": "none", "color": "0.2"}
    return [Line2D([], [], **ring, label=RINGS[way]) for way in ways]


def _courses(row: Row) -> list[Course]:
    """Return the course of FID of each run of a row that has one."""
    found = []
    for run in row.runs:
        fids = pd.Series(fids_by_epoch(run))
        if len(fids) > 1:
            best = run.best.record
            if best.epoch not in fids:
                raise UserError(
                    f"{run.folder / 'epochs.csv'} has no FID of epoch {best.epoch}, which best.json"
                    f" beside it names; {EpochScores.again()}"
                )
            found.append((run, fids))
    return found


def _row(ax: Axes, name: str, seeds: Sequence[Course], style: RowStyle) -> Line2D:
    """Draw a row's seeds, their mean and their best epochs; return its entry in the legend."""
    if len(seeds) > 1:
        for _, fids in seeds:
            ax.plot(fids.index, fids, color=style.colour, lw=0.6, alpha=0.5, ls=style.dashes)
    # No mean where a seed has no value: another set of seeds would make a step in the line.
    mean = pd.DataFrame([fids for _, fids in seeds]).mean(skipna=False).sort_index()
    every = -(-len(mean) // MARKED)
    ax.plot(mean.index, mean, lw=1.3, ms=4, mew=0.5, markevery=every, **style.line)
    ring = {"marker": "o", "mfc": "none", "color": style.colour, "ls": "", "mew": 1.0}
    for run, fids in seeds:
        best = run.best.record.epoch
        ax.plot(best, fids[best], ms=7 if len(seeds) == 1 else 4.5, **ring)
    return Line2D([], [], lw=1.3, ms=4.5, mew=0.5, label=name, **style.line)
