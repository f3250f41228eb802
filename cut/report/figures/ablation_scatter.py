"""Drawing an ablation as a scatter: every row a point, measured filled and published open.

Over two data sets the axes are the FIDs of either, as in Fig. 4 of the CUT paper, or the first's
FID and the mIoU of the one that has it. Over one they are its FID and how far translations stray
from their true counterparts (L1), where those are known, else FID as measured and as published.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cut.base.errors import NothingToShow
from cut.report.dataset_tables import in_rows
from cut.report.figures.style import Look, draw_bars, fit_means, looks, over_seeds
from cut.report.figures.text import legend_beside, text_width
from cut.results.published import published_entry
from cut.results.run import METRICS, Run

SIZE = (4.6, 3.2)  # inches, and more height where the legend beside the axes needs it
LEGEND, WIDEST = 1.6, 2.5  # inches, at most: the legend's width, an axis' label

Value = tuple[float, float] | None  # a mean and its deviation over seeds
Point = tuple[Value, Value]
Finder = Callable[[Sequence[Run]], Point]


def draw(runs: Sequence[Run], miou: bool = False) -> Figure:
    """Draw the rows of `runs`, controls among them; `miou`: against that instead of a FID.

    Raises:
        UserError: no row has a value on both axes.
    """
    labels, measured, published = _against_miou(runs) if miou else _axes(runs)
    figure, ax = plt.subplots(figsize=SIZE, layout="constrained")
    known = looks(run.facts for run in runs)
    handles, drawn = [], []
    for row in in_rows(runs):
        look = known.get(row[0].facts["method"]) or _control_look(row[0])
        points = {name: point for name, find in (("measured", measured), ("published", published))
                  if None not in (point := find(row))}  # fmt: skip
        if points:
            _row(ax, points, look)
            drawn.extend(points.values())
            handles.append(Line2D([], [], ms=5, label=row[0].facts["method"], **look.point))
    if not handles:
        raise NothingToShow("no row has both of the values that the scatter's axes show")
    if any(None not in published(row) for row in in_rows(runs)):
        kind = {"ls": "", "marker": "o", "ms": 5, "color": "0.2"}
        handles.append(Line2D([], [], label="measured", **kind))
        handles.append(Line2D([], [], label="published", mfc="white", **kind))
    _finish(figure, ax, labels, drawn, handles)
    return figure


def _control_look(run: Run) -> Look:
    """Return a control's look: a grey cross."""
    return Look("x" if run.facts["algorithm"] == "real" else "+", "0.35", "-")


def _row(ax: Axes, points: Mapping[str, Point], look: Look) -> None:
    """Draw a row's points, the deviation over seeds as bars, what belongs together joined."""
    if len(points) == 2:
        ends = [[value[0] for value in point] for point in points.values()]
        ax.plot(*zip(*ends, strict=True), color=look.colour, lw=0.8, ls=":", zorder=1)
    for name, (x, y) in points.items():
        face = look.colour if name == "measured" else "white"
        draw_bars(ax, x, y, look.colour)
        ax.plot(x[0], y[0], ms=6, mfc=face, mew=1.1, **look.point)


def _axes(runs: Sequence[Run]) -> tuple[tuple[str, str], Finder, Finder]:
    """Return the axes' labels, and how a row's measured and published points are found."""
    sets = list(dict.fromkeys(run.facts["dataset"] for run in runs))
    if len(sets) > 1:
        x, y = sets[:2]
        return (
            (f"FID, {x}", f"FID, {y}"),
            lambda row: (_mean(row, x, "fid"), _mean(row, y, "fid")),
            lambda row: (_published(row, x), _published(row, y)),
        )
    if any(run.value("l1")[0] is not None for run in runs):
        return (
            (f"FID, {sets[0]}", "L1 to the true counterpart"),
            lambda row: (_mean(row, sets[0], "fid"), _mean(row, sets[0], "l1")),
            lambda row: (None, None),
        )
    return (
        (f"FID measured, {sets[0]}", "FID published"),
        lambda row: (_mean(row, sets[0], "fid"), _published(row, sets[0])),
        lambda row: (None, None),
    )


def _against_miou(runs: Sequence[Run]) -> tuple[tuple[str, str], Finder, Finder]:
    """Return the same for the FID of the first data set and the mIoU of the first that has one.

    Raises:
        UserError: no run has a mIoU.
    """
    labelled = [run.facts["dataset"] for run in runs if run.value("miou")[0] is not None]
    if not labelled:
        raise NothingToShow("no run has a mIoU; give a segmentation network (segmenter: FILE)")
    x, y = runs[0].facts["dataset"], labelled[0]
    return (
        (f"FID, {x}", f"mIoU, %, {y}"),
        lambda row: (_mean(row, x, "fid"), _mean(row, y, "miou")),
        lambda row: (_published(row, x), _published(row, y, "miou")),
    )


def _mean(row: Sequence[Run], dataset: str, metric: str) -> Value:
    return over_seeds([run for run in row if run.facts["dataset"] == dataset], metric)


def _published(row: Sequence[Run], dataset: str, metric: str = "fid") -> Value:
    entry = published_entry(dataset, row[0].facts["method"], metric)
    return (float(entry["value"]) * METRICS[metric].scale, 0.0) if entry else None


def _finish(
    figure: Figure,
    ax: Axes,
    labels: tuple[str, str],
    drawn: Sequence[Point],
    handles: Sequence[Line2D],
) -> None:
    """Scale and name the axes of the points `drawn`, and name the rows beside them."""
    for axis, label, values in zip("xy", labels, zip(*drawn, strict=True), strict=True):
        better = "higher" if label.startswith("mIoU") else "lower"
        words = f"({better} is better)"
        gap = " " if text_width(f"{label} {words}", 8) <= WIDEST else "\n"
        getattr(ax, f"set_{axis}label")(label + gap + words)
        fit_means(ax, axis, values, zero=False)
    tall = legend_beside(figure, handles, LEGEND)
    figure.set_figheight(max(SIZE[1], tall + 0.1))
    sns.despine(ax=ax)
