"""Plot FID against seconds per step and against peak memory, one point per row."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cut.base.errors import NothingToShow
from cut.report.captions import conjunction, machines
from cut.report.figures.style import (
    control_levels,
    draw_bars,
    draw_levels,
    fit_means,
    over_seeds,
    row_styles,
)
from cut.report.figures.text import PAGE, legend_beside, wrapped
from cut.results.rows import rows_of
from cut.results.run import Run, one_dataset

SIZE = (PAGE[0], 2.7)  # inches; more height where the legend beside the axes needs it
LEGEND = 1.7  # inches: the legend's largest width
PANELS = {"seconds_per_iteration": "seconds per step", "peak_memory_gb": "peak memory, GB"}


def draw(runs: Sequence[Run]) -> Figure:
    """Draw one data set's trained rows as means over seeds, with the controls as levels.

    Raises:
        UserError: runs are of several data sets.
        NothingToShow: no row has both a FID and a cost.
    """
    one_dataset(run.record for run in runs)
    styles = row_styles(run.record for run in runs)
    rows = rows_of(runs)
    points = {row.name: {m: over_seeds(row, m) for m in ("fid", *PANELS)} for row in rows}
    points = {name: values for name, values in points.items() if None not in values.values()}
    if not points:
        raise NothingToShow("no run has both a FID and a cost; train and score one first")
    figure, axes = plt.subplots(1, 2, figsize=SIZE, layout="constrained", sharey=True)
    levels = control_levels(rows)
    for ax, (metric, label) in zip(axes, PANELS.items(), strict=True):
        for name, values in points.items():
            x, y = values[metric], values["fid"]
            draw_bars(ax, x, y, styles[name].colour)
            ax.plot(x[0], y[0], ms=6.5, mec="white", mew=0.3, **styles[name].point)
        ax.set_xlabel(f"{label} (lower is better)")
        fit_means(ax, "x", [values[metric] for values in points.values()])
        fit_means(ax, "y", [values["fid"] for values in points.values()], list(levels.values()))
        draw_levels(ax, levels, labels=ax is axes[-1])
        sns.despine(ax=ax)
    axes[0].set_ylabel("FID (lower is better)")
    handles = [Line2D([], [], ms=6, label=name, **styles[name].point) for name in points]
    words = wrapped(f"measured on {conjunction(machines(runs))}", SIZE[0] - 0.2, 7.5)
    figure.suptitle(words, fontsize=7.5, x=0.01, ha="left")
    head = 0.12 * (words.count("\n") + 1)
    figure.set_figheight(max(SIZE[1], legend_beside(figure, handles, LEGEND) + head + 0.2))
    return figure
