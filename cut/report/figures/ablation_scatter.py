"""Plot an ablation as a scatter: one point per row, measured filled and published open.

Over two data sets the axes are the FIDs of both, as in Fig. 4 of the CUT paper, or the FID of the
first and the mIoU of the one with label maps. Over one data set they are the FID and the distance
of translations to their true counterparts (L1) where those are known, otherwise the FID as measured
and as published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cut.base.errors import NothingToShow
from cut.metrics.catalogue import METRICS
from cut.report.figures.style import (
    CONTROLS,
    RowStyle,
    draw_bars,
    fit_means,
    over_seeds,
    row_styles,
)
from cut.report.figures.text import legend_beside, text_width
from cut.results.published import published_number
from cut.results.rows import Row, Series, by_dataset, over_datasets, present, rows_of
from cut.results.run import Run

SIZE = (4.6, 3.2)  # inches; more height where the legend beside the axes needs it
LEGEND, WIDEST = 1.6, 2.5  # inches: the largest width of the legend, and of an axis' label

Value = tuple[float, float] | None  # a mean and its deviation over seeds
Finder = Callable[[Series], Value]


@dataclass(frozen=True)
class ScatterAxis:
    """One axis: its label, its better side, and how a row's values are found."""

    label: str
    better: str
    measured: Finder
    published: Finder = lambda series: None


def draw(runs: Sequence[Run], miou: bool = False) -> Figure:
    """Draw the rows of `runs`, controls among them; with `miou`, FID against mIoU.

    Raises:
        NothingToShow: no row has a value on both axes.
    """
    rows = rows_of(runs)
    axes = _fid_and_miou(rows) if miou else _fid_and_other(rows)
    figure, ax = plt.subplots(figsize=SIZE, layout="constrained")
    styles = row_styles(run.record for run in runs)
    handles, drawn, published = [], [], False
    for series in over_datasets(rows):
        style = styles.get(series.name) or CONTROLS[series.first.role]
        points = {
            "measured": [axis.measured(series) for axis in axes],
            "published": [axis.published(series) for axis in axes],
        }
        points = {name: point for name, point in points.items() if None not in point}
        if points:
            _row(ax, points, style)
            drawn += points.values()
            published |= "published" in points
            handles.append(Line2D([], [], ms=5, label=series.name, **style.point))
    if not handles:
        raise NothingToShow("no row has both of the values that the scatter's axes show")
    _finish(figure, ax, axes, drawn, handles + (_kinds() if published else []))
    return figure


def _kinds() -> list[Line2D]:
    """Return the legend's entries of measured and published points."""
    kind = {"ls": "", "marker": "o", "ms": 5, "color": "0.2"}
    open_point = Line2D([], [], label="published", mfc="white", **kind)
    return [Line2D([], [], label="measured", **kind), open_point]


def _row(ax: Axes, points: Mapping[str, Sequence[Value]], style: RowStyle) -> None:
    """Draw a row's points with deviations as bars, and a line between its two points."""
    if len(points) == 2:
        ends = [[value[0] for value in point] for point in points.values()]
        ax.plot(*zip(*ends, strict=True), color=style.colour, lw=0.8, ls=":", zorder=1)
    for name, (x, y) in points.items():
        face = style.colour if name == "measured" else "white"
        draw_bars(ax, x, y, style.colour)
        ax.plot(x[0], y[0], ms=6, mfc=face, mew=1.1, **style.point)


def _fid_and_other(rows: Sequence[Row]) -> list[ScatterAxis]:
    """Return the axes of FID, and of the FID on the second data set, L1 or the published FID."""
    first, *others = by_dataset(rows)
    if others:
        return [_both(first, "fid"), _both(others[0], "fid")]
    if present(rows, ["l1"]):
        return [
            ScatterAxis(f"FID, {first}", "lower", _mean(first, "fid")),
            ScatterAxis("L1 to the true counterpart", "lower", _mean(first, "l1")),
        ]
    return [
        ScatterAxis(f"FID measured, {first}", "lower", _mean(first, "fid")),
        ScatterAxis("FID published", "lower", _published(first, "fid")),
    ]


def _fid_and_miou(rows: Sequence[Row]) -> list[ScatterAxis]:
    """Return the axes of the FID on the first data set and of the first mIoU.

    Raises:
        NothingToShow: no row has a mIoU.
    """
    labelled = [row.dataset for row in rows if row.values("miou")]
    if not labelled:
        raise NothingToShow("no run has a mIoU; give a segmentation network (segmenter: FILE)")
    return [_both(rows[0].dataset, "fid"), _both(labelled[0], "miou")]


def _both(dataset: str, metric: str) -> ScatterAxis:
    known = METRICS[metric]
    finders = _mean(dataset, metric), _published(dataset, metric)
    return ScatterAxis(f"{known.label}, {dataset}", known.better, *finders)


def _mean(dataset: str, metric: str) -> Finder:
    return lambda series: over_seeds(series.rows.get(dataset), metric)


def _published(dataset: str, metric: str) -> Finder:
    def find(series: Series) -> Value:
        number = published_number(dataset, series.name, metric)
        return (number.value * METRICS[metric].scale, 0.0) if number else None

    return find


def _finish(
    figure: Figure,
    ax: Axes,
    axes: Sequence[ScatterAxis],
    drawn: Sequence[Sequence[Value]],
    handles: Sequence[Line2D],
) -> None:
    """Scale and label the axes for the points `drawn`, and name the rows beside them."""
    for name, axis, values in zip("xy", axes, zip(*drawn, strict=True), strict=True):
        words = f"({axis.better} is better)"
        gap = " " if text_width(f"{axis.label} {words}", 8) <= WIDEST else "\n"
        getattr(ax, f"set_{name}label")(axis.label + gap + words)
        fit_means(ax, name, values, zero=False)
    tall = legend_beside(figure, handles, LEGEND)
    figure.set_figheight(max(SIZE[1], tall + 0.1))
    sns.despine(ax=ax)
