"""The chart at the page's beginning: one score per row with its interval, controls as lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cut.metrics.catalogue import METRICS
from cut.report.columns import label_of, mean_and_deviation
from cut.report.site.intervals import Axis, Bar, Bounds, axis_of, bounds_of
from cut.results.families import family_of
from cut.results.rows import Row

METRIC = "fid"
FARTHEST = 3  # an axis that a control widens more than this has no room for the methods


@dataclass(frozen=True)
class Level:
    """The line of a control: its role, and its place in percent of the axis."""

    role: str
    place: float


@dataclass(frozen=True)
class ChartRow:
    """One row of the chart.

    `text` is its score, with the deviation over seeds; `bounds` its interval in words, or "".
    """

    row: Row
    family: str
    bar: Bar
    text: str
    bounds: str


@dataclass(frozen=True)
class Chart:
    """The rows of a data set from the best on, the lines of controls, and ticks with their places.

    `absent` are the names of the rows without a score.
    """

    title: str
    rows: list[ChartRow]
    levels: list[Level]
    ticks: list[tuple[float, str]]
    absent: list[str]


def chart_of(rows: Sequence[Row]) -> Chart | None:
    """Return the chart of one data set, or None if no method has the score."""
    scored = sorted((row for row in rows if row.values(METRIC)), key=lambda row: row.mean(METRIC))
    axis = _axis(scored)
    if axis is None:
        return None
    levels = [
        Level(row.role, place)
        for row in scored
        if row.control and (place := axis.place(row.mean(METRIC))) is not None
    ]
    absent = [row.name for row in rows if not row.values(METRIC)]
    found = [_chart_row(row, axis) for row in scored]
    return Chart(label_of(METRIC), found, levels, _ticks(axis), absent)


def _axis(rows: Sequence[Row]) -> Axis | None:
    """Return an axis of the methods' intervals, and of the controls that are not far from them."""
    if all(row.control for row in rows):
        return None
    axis = axis_of(rows, _bounds)
    room = FARTHEST * (axis.high - axis.low)
    for ends in ([v for three in _bounds(row) for v in three] for row in rows if row.control):
        low, high = min(axis.low, *ends), max(axis.high, *ends)
        if high - low <= room:
            axis = Axis(low, high)
    margin = 0.03 * (axis.high - axis.low)
    return Axis(max(0.0, axis.low - margin), axis.high + margin)


def _chart_row(row: Row, axis: Axis) -> ChartRow:
    show = METRICS[METRIC].show
    words = "; ".join(f"{show(low)} to {show(high)}" for low, _, high in bounds_of(row))
    text = mean_and_deviation(row, METRIC)
    return ChartRow(row, family_of(row), axis.bar(_bounds(row)), text, words)


def _bounds(row: Row) -> list[Bounds]:
    """Return the intervals of a row that has the score; without any, the scores alone."""
    return bounds_of(row) or [(value, value, value) for value in row.values(METRIC)]


def _ticks(axis: Axis) -> list[tuple[float, str]]:
    """Return (percent of the axis, label) of three to seven round numbers."""
    rough = (axis.high - axis.low) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 5, 10) if s * power >= rough)
    first, last = math.ceil(axis.low / step), math.floor(axis.high / step)
    return [(axis.place(i * step), f"{i * step:g}") for i in range(first, last + 1)]
