"""Plot FID against how much of the input is kept, with the Pareto front of the two."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cut.base.errors import NothingToShow, UserError, unknown
from cut.metrics.catalogue import METRICS, select
from cut.report.figures.style import (
    CONTROLS,
    RowStyle,
    control_levels,
    draw_bars,
    draw_levels,
    fit_means,
    over_seeds,
    row_styles,
)
from cut.report.figures.text import legend_beside
from cut.results.ablation import WEIGHT
from cut.results.pareto import dominated
from cut.results.rows import Row, rows_of
from cut.results.run import Run, one_dataset

SIZE = (5.4, 3.4)  # inches; more height where the legend beside the axes needs it
LEGEND = 1.6  # inches: the legend's largest width
CONTENT = "perceptual"
CHOICES = select(lambda m: "input" in m.needs)  # how far a translation is from its input
Means = tuple[tuple[float, float], tuple[float, float]]  # (mean, deviation) of content and of FID


def draw(runs: Sequence[Run], score: str = CONTENT) -> Figure:
    """Draw one data set's rows as means over seeds; a dominated method is an open point.

    The front is that of the methods. Lines are the FIDs of the controls.

    Args:
        runs: of one data set.
        score: the score of content, one of `CHOICES`.

    Raises:
        UserError: runs are of several data sets, or `score` is no such score.
        NothingToShow: no method has both scores.
    """
    one_dataset(run.record for run in runs)
    if score not in CHOICES:
        raise UserError(unknown("score of content", score, CHOICES))
    styles, rows = row_styles(run.record for run in runs), rows_of(runs)
    pairs = {row.name: (over_seeds(row, score), over_seeds(row, "fid")) for row in rows}
    shown = [row for row in rows if row.role != "ceiling" and None not in pairs[row.name]]
    if all(row.control for row in shown):
        raise NothingToShow(f"no method has both a FID and a score of content ({score})")
    worse, points = dominated(rows, (score, "fid")), {row.name: pairs[row.name] for row in shown}
    figure, ax = plt.subplots(figsize=SIZE, layout="constrained")
    handles = []
    for row in shown:
        style = styles.get(row.name) or CONTROLS[row.role]
        _point(ax, points[row.name], style, row.name in worse)
        face = {"mfc": "white"} if row.name in worse else {}
        handles.append(Line2D([], [], ms=6, label=row.name, **style.point | face))
    levels = control_levels(rows)
    _axes(ax, score, list(points.values()), levels)
    methods = [row.name for row in shown if not row.control]
    _front(ax, [points[name] for name in methods if name not in worse])
    _name_gan_alone(ax, shown, points)
    figure.set_figheight(max(SIZE[1], legend_beside(figure, handles + _kinds(), LEGEND) + 0.2))
    return figure


def _point(ax: Axes, point: Means, style: RowStyle, is_dominated: bool) -> None:
    x, y = point
    draw_bars(ax, x, y, style.colour)
    face = "white" if is_dominated else style.colour
    ax.plot(x[0], y[0], ms=6.5, mfc=face, mew=1.1, **style.point)


def _kinds() -> list[Line2D]:
    """Return the legend's entries of dominated points and of the front."""
    open_point = {"ls": "", "marker": "o", "ms": 6, "color": "0.35", "mfc": "white"}
    return [
        Line2D([], [], label="open: dominated", **open_point),
        Line2D([], [], label="front", color="0.6", lw=0.9),
    ]


def _axes(ax: Axes, score: str, points: Sequence[Means], levels: dict[str, float]) -> None:
    fit_means(ax, "x", [x for x, _ in points])
    fit_means(ax, "y", [y for _, y in points], list(levels.values()))
    low, high = ax.get_xlim()
    if ax.get_xscale() == "linear":
        low -= 0.04 * (high - low)  # the floor stands at 0
    better_left = (low, high) if METRICS[score].better == "lower" else (high, low)
    ax.set_xlim(better_left)
    ax.set_xlabel(f"{METRICS[score].label} ({METRICS[score].better} is better)")
    ax.set_ylabel("FID (lower is better)")
    draw_levels(ax, levels)
    sns.despine(ax=ax)


def _front(ax: Axes, points: Sequence[Means]) -> None:
    """Draw the border of what some row dominates, up to the edges of the axes."""
    worse = np.sign(np.diff(ax.get_xlim())[0])
    ends = sorted(((x[0], y[0]) for x, y in points), key=lambda end: (worse * end[0], end[1]))
    xs, ys = (list(each) for each in zip(*ends, strict=True))
    xs, ys = [xs[0], *xs, ax.get_xlim()[1]], [ax.get_ylim()[1], *ys, ys[-1]]
    ax.step(xs, ys, where="post", color="0.6", lw=0.9, zorder=0.5)


def _name_gan_alone(ax: Axes, rows: Sequence[Row], points: dict[str, Means]) -> None:
    """Write the name of a GAN without its content loss at its point; the floor has a line."""
    for row in rows:
        if row.options.get(WEIGHT) == 0:
            (x, _), (y, _) = points[row.name]
            right = ax.transAxes.inverted().transform(ax.transData.transform((x, y)))[0] > 0.7
            place = {"xytext": (-6 if right else 6, 5), "ha": "right" if right else "left"}
            ax.annotate(row.name, (x, y), textcoords="offset points", fontsize=7, **place)
