"""Drawing what a FID costs: seconds a step and peak memory, a point a row."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cut.captions import machines
from cut.errors import NothingToShow
from cut.looks import control_levels, draw_levels, row_look
from cut.results import Run, mean_of, one_dataset
from cut.tables import in_rows

SIZE = (6.9, 2.7)  # inches: the width of a page
PANELS = {"seconds_per_iteration": "seconds a step", "peak_memory_gb": "peak memory, GB"}


def draw(runs: Sequence[Run]) -> Figure:
    """Draw one data set's trained rows, means over seeds, with the controls as levels.

    Raises:
        UserError: runs are of several data sets, or none has both a FID and a cost.
    """
    one_dataset([run.facts for run in runs])
    rows = [row for row in in_rows(runs) if None not in (mean_of(row, m) for m in ("fid", *PANELS))]
    if not rows:
        raise NothingToShow("no run has both a FID and a cost; train and score one first")
    figure, axes = plt.subplots(1, 2, figsize=SIZE, layout="constrained", sharey=True)
    levels = control_levels(runs)
    top = max([*levels.values(), *(mean_of(row, "fid") for row in rows)])
    handles = []
    for i, row in enumerate(rows):
        look = row_look(i)
        for ax, metric in zip(axes, PANELS, strict=True):
            place = mean_of(row, metric), mean_of(row, "fid")
            ax.plot(*place, ls="", ms=7, mec="white", mew=0.4, **look)
        handles.append(Line2D([], [], ls="", ms=6, label=row[0].facts["method"], **look))
    for ax, (metric, label) in zip(axes, PANELS.items(), strict=True):
        ax.set_xlabel(f"{label} (lower is better)")
        ax.set_xlim(0, 1.1 * max(mean_of(row, metric) for row in rows))
        ax.set_ylim(0, 1.06 * top)
        draw_levels(ax, levels, labels=ax is axes[-1])
        sns.despine(ax=ax)
    axes[0].set_ylabel("FID (lower is better)")
    figure.legend(handles=handles, loc="outside right center", frameon=False, handletextpad=0.2)
    figure.suptitle(f"measured on {' and '.join(machines(runs))}", fontsize=7.5, x=0.01, ha="left")
    return figure
