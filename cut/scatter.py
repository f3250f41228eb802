"""Drawing an ablation as a scatter: every row a point, measured filled and published open.

Over two data sets the axes are the FIDs of either, as in Fig. 4 of the CUT paper, or the first's
FID and the mIoU of the one that has it. Over one they are its FID and how far translations stray
from their true counterparts (L1), where those are known, else FID as measured and as published.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cut.errors import NothingToShow
from cut.looks import logarithmic, row_look
from cut.published import published_entry
from cut.results import METRICS, Run, mean_of
from cut.tables import in_rows

SIZE = (4.6, 3.2)  # inches: a column of text, and the legend beside the axes

Point = tuple[float | None, float | None]


def draw(runs: Sequence[Run], miou: bool = False) -> Figure:
    """Draw the rows of `runs`, controls among them; `miou`: against that instead of a FID.

    Raises:
        UserError: no row has a value on both axes.
    """
    rows = in_rows(runs)
    labels, measured, published = _against_miou(runs) if miou else _axes(runs)
    figure, ax = plt.subplots(figsize=SIZE, layout="constrained")
    handles, numbers = [], ([], [])
    for i, row in enumerate(rows):
        look = _look(row[0], i)
        points = [p for p in (measured(row), published(row)) if None not in p]
        if not points:
            continue
        for axis in (0, 1):
            numbers[axis].extend(point[axis] for point in points)
        if len(points) == 2:
            ax.plot(*zip(*points, strict=True), color=look["color"], lw=0.5, alpha=0.6, zorder=1)
        for point, is_measured in ((measured(row), True), (published(row), False)):
            if None not in point:
                face = look["color"] if is_measured else "white"
                ax.plot(*point, ls="", ms=6, mfc=face, mew=1.1, **look)
        handles.append(Line2D([], [], ls="", ms=5, label=row[0].facts["method"], **look))
    if not handles:
        raise NothingToShow("no row has both of the values that the scatter's axes show")
    _finish(figure, ax, labels, numbers, handles, bool(any(None not in published(r) for r in rows)))
    return figure


def _look(run: Run, place: int) -> dict[str, Any]:
    """Return a row's marker and colour; controls are grey crosses."""
    if run.control:
        return {"marker": "x" if run.facts["algorithm"] == "real" else "+", "color": "0.35"}
    return row_look(place)


def _axes(
    runs: Sequence[Run],
) -> tuple[tuple[str, str], Callable[[Sequence[Run]], Point], Callable[[Sequence[Run]], Point]]:
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


def _against_miou(
    runs: Sequence[Run],
) -> tuple[tuple[str, str], Callable[[Sequence[Run]], Point], Callable[[Sequence[Run]], Point]]:
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


def _mean(row: Sequence[Run], dataset: str, metric: str) -> float | None:
    return mean_of([run for run in row if run.facts["dataset"] == dataset], metric)


def _published(row: Sequence[Run], dataset: str, metric: str = "fid") -> float | None:
    entry = published_entry(dataset, row[0].facts["method"], metric)
    return float(entry["value"]) * METRICS[metric].scale if entry else None


def _finish(
    figure: Figure,
    ax: Axes,
    labels: tuple[str, str],
    numbers: tuple[list[float], list[float]],
    handles: list[Line2D],
    published: bool,
) -> None:
    for axis, label, values in zip("xy", labels, numbers, strict=True):
        better = "higher" if label.startswith("mIoU") else "lower"
        getattr(ax, f"set_{axis}label")(f"{label} ({better} is better)")
        logarithmic(ax, axis, values)
    ax.margins(0.08)
    if published:
        handles = [
            *handles,
            Line2D([], [], ls="", marker="o", ms=5, color="0.2", label="measured"),
            Line2D([], [], ls="", marker="o", ms=5, color="0.2", mfc="white", label="published"),
        ]
    figure.legend(handles=handles, loc="outside right center", frameon=False, handletextpad=0.2)
    sns.despine(ax=ax)
