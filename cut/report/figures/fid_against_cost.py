"""Drawing what a FID costs: seconds a step and peak memory, a point a row."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cut.base.errors import NothingToShow
from cut.report.captions import machines
from cut.report.dataset_tables import in_rows
from cut.report.figures.style import (
    control_levels,
    draw_bars,
    draw_levels,
    fit_means,
    looks,
    over_seeds,
)
from cut.report.figures.text import PAGE, legend_beside, wrapped
from cut.results.run import Run, one_dataset

SIZE = (PAGE[0], 2.7)  # inches, and more height where the legend beside the axes needs it
LEGEND = 1.7  # inches: its width, at most
PANELS = {"seconds_per_iteration": "seconds a step", "peak_memory_gb": "peak memory, GB"}


def draw(runs: Sequence[Run]) -> Figure:
    """Draw one data set's trained rows, means over seeds, with the controls as levels.

    Raises:
        UserError: runs are of several data sets, or none has both a FID and a cost.
    """
    one_dataset([run.facts for run in runs])
    known = looks(run.facts for run in runs)
    rows = {}
    for row in in_rows(runs):
        values = {metric: over_seeds(row, metric) for metric in ("fid", *PANELS)}
        if None not in values.values():
            rows[row[0].facts["method"]] = values
    if not rows:
        raise NothingToShow("no run has both a FID and a cost; train and score one first")
    figure, axes = plt.subplots(1, 2, figsize=SIZE, layout="constrained", sharey=True)
    levels = control_levels(runs)
    for ax, (metric, label) in zip(axes, PANELS.items(), strict=True):
        for name, values in rows.items():
            x, y = values[metric], values["fid"]
            draw_bars(ax, x, y, known[name].colour)
            ax.plot(x[0], y[0], ms=6.5, mec="white", mew=0.3, **known[name].point)
        ax.set_xlabel(f"{label} (lower is better)")
        fit_means(ax, "x", [values[metric] for values in rows.values()])
        fit_means(ax, "y", [values["fid"] for values in rows.values()], list(levels.values()))
        draw_levels(ax, levels, labels=ax is axes[-1])
        sns.despine(ax=ax)
    axes[0].set_ylabel("FID (lower is better)")
    handles = [Line2D([], [], ms=6, label=name, **known[name].point) for name in rows]
    words = wrapped(f"measured on {' and '.join(machines(runs))}", SIZE[0] - 0.2, 7.5)
    figure.suptitle(words, fontsize=7.5, x=0.01, ha="left")
    head = 0.12 * (words.count("\n") + 1)
    figure.set_figheight(max(SIZE[1], legend_beside(figure, handles, LEGEND) + head + 0.2))
    return figure
