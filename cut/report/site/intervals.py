"""The bars of a table's intervals: one axis for all rows, on which differences can be seen."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cut.metrics.catalogue import METRICS
from cut.results.rows import Row

Bounds = tuple[float, float, float]  # low, FID, high


@dataclass(frozen=True)
class Whisker:
    """One interval in percent of the axis; None for an end, or the point, outside of the axis."""

    y: float  # percent of the bar's height
    low: float | None
    point: float | None
    high: float | None


@dataclass(frozen=True)
class Bar:
    """The intervals of a row: those that the axis shows, and the sides on which any leaves it.

    `seeds` is the number of all intervals, one per seed.
    """

    seeds: int
    whiskers: list[Whisker] = field(default_factory=list)
    left: bool = False
    right: bool = False


@dataclass(frozen=True)
class Axis:
    """The part of the FID scale that a table's bars show."""

    low: float
    high: float

    @property
    def ends(self) -> tuple[str, str]:
        """Return both ends as the table shows FIDs."""
        show = METRICS["fid"].show
        return show(self.low), show(self.high)

    def place(self, value: float) -> float | None:
        """Return the place of a value in percent, or None outside of the axis."""
        inside = self.low <= value <= self.high
        return round(100 * (value - self.low) / (self.high - self.low), 1) if inside else None

    def bar(self, bounds: Sequence[Bounds]) -> Bar:
        """Return the bar of a row's intervals."""
        whiskers = [
            Whisker(round(100 * (i + 0.5) / len(bounds), 1), *map(self.place, three))
            for i, three in enumerate(bounds)
            if three[2] >= self.low and three[0] <= self.high
        ]
        left = any(low < self.low for low, _, _ in bounds)
        return Bar(len(bounds), whiskers, left, any(high > self.high for _, _, high in bounds))


def bounds_of(row: Row) -> list[Bounds]:
    """Return the interval around the FID of each run that has one."""
    found = [tuple(run.value(m)[0] for m in ("fid_low", "fid", "fid_high")) for run in row.runs]
    return [three for three in found if None not in three]


def axis_of(
    rows: Sequence[Row], bounds: Callable[[Row], Sequence[Bounds]] = bounds_of
) -> Axis | None:
    """Return the axis of the bars that `bounds` gives, or None where there is nothing to draw.

    It spans the methods' intervals. Controls do not count, nor does a FID more than 1.5 times the
    quartiles' distance above the upper quartile (as in a box plot), which a collapsed training has:
    either would shrink all other intervals to dots. A single training has no other to be told
    from: all controls are on its axis.
    """
    methods = [three for row in rows if not row.control for three in bounds(row)]
    found = methods if len(methods) > 1 else [three for row in rows for three in bounds(row)]
    if not found:
        return None
    if len(methods) > 3:
        q1, _, q3 = statistics.quantiles([fid for _, fid, _ in found], method="inclusive")
        found = [three for three in found if three[1] <= q3 + 1.5 * (q3 - q1)]
    low, high = min(low for low, _, _ in found), max(high for _, _, high in found)
    # A little room, so that no whisker ends where the arrows are.
    room = 0.04 * (high - low) or 0.5
    return Axis(max(0.0, low - room), high + room)
