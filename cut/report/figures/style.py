"""What the figures share: the style of a row, error bars, scales of axes, levels of controls."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, StrMethodFormatter

from cut.metrics.catalogue import METRICS
from cut.records.run import RunRecord
from cut.report.figures.text import wrapped
from cut.results.rows import Row

# Seaborn's colour-blind-safe colours without those too pale on white (yellow, pink) and without the
# grey of the controls. The dark blue is Paul Tol's.
COLOURS = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#332288", "#56b4e9")
MARKERS = "osD^vPX*<>p"  # 11 and 8 colours have no common divisor: 88 distinct pairs
DASHES = ("-", (0, (4, 1.4)), (0, (1, 1)), (0, (5, 1.2, 1, 1.2)))
SPREAD = 6  # largest value / smallest value: an axis with a larger ratio is logarithmic
BESIDE = {
    "color": "0.35",
    "fontsize": 7,
    "xycoords": ("axes fraction", "data"),
    "textcoords": "offset points",
}
CLOSE = 0.07  # of the axis' height: closer than this, two labels would touch


# -- rows ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RowStyle:
    """The marker, colour and dashes of one row, the same in every figure of a benchmark."""

    marker: str
    colour: str
    dashes: Any = "-"

    @property
    def point(self) -> dict[str, Any]:
        """Return matplotlib's options of a point."""
        return {"marker": self.marker, "color": self.colour, "ls": ""}

    @property
    def line(self) -> dict[str, Any]:
        """Return matplotlib's options of a line with markers."""
        return {"marker": self.marker, "color": self.colour, "ls": self.dashes}


CONTROLS = {"floor": RowStyle("+", "0.35"), "ceiling": RowStyle("x", "0.35")}  # as points


def row_styles(records: Iterable[RunRecord]) -> dict[str, RowStyle]:
    """Return the style of each method's row by its name, given the records of all runs.

    A row that a figure does not draw still takes its place, so that the other rows look the same in
    every figure.
    """
    names = dict.fromkeys(record.method for record in records if not record.control)
    return {
        name: RowStyle(
            MARKERS[i % len(MARKERS)],
            COLOURS[i % len(COLOURS)],
            DASHES[i // len(COLOURS) % len(DASHES)],
        )
        for i, name in enumerate(names)
    }


def over_seeds(row: Row | None, metric: str) -> tuple[float, float] | None:
    """Return a row's mean and its deviation over seeds (0 for one), as tables show them."""
    mean = row.mean(metric) if row else None
    if mean is None:
        return None
    scale = METRICS[metric].scale
    return mean * scale, (row.sd(metric) or 0.0) * scale


def draw_bars(ax: Axes, x: tuple[float, float], y: tuple[float, float], colour: Any) -> None:
    """Draw the deviations of a point that are not zero as thin bars."""
    style = {"fmt": "none", "ecolor": colour, "elinewidth": 0.9, "zorder": 1.5}
    for axis, (_, deviation) in zip("xy", (x, y), strict=True):
        if deviation:
            ax.errorbar(x[0], y[0], **{f"{axis}err": deviation}, **style)


# -- axes ----------------------------------------------------------------------------------------


class Ticks(LogLocator):
    """Ticks at 1, 2 and 5 times powers of ten, and one near either end of the axis.

    Without those at the ends, a point at 400 on an axis from 200 to 450 would have none near it.
    """

    def __init__(self) -> None:
        """Take the usual ticks."""
        super().__init__(subs=(1, 2, 5))

    def tick_values(self, vmin: float, vmax: float) -> np.ndarray:
        """Return the ticks between `vmin` and `vmax`."""
        low, high = sorted((vmin, vmax))
        powers = np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
        steps = (1, 2, 5) if len(powers) <= 5 else (1,)
        digits = np.outer(10.0**powers, np.arange(1, 10))
        inside = [t for t in digits.ravel() if low <= t <= high]
        ticks = [t for t in np.outer(10.0**powers, steps).ravel() if low <= t <= high]
        if not inside:
            return np.array([low, high])
        for end in (inside[0], inside[-1]):
            if all(not 1 / 1.45 < end / tick < 1.45 for tick in ticks):
                ticks.append(end)
        return np.array(sorted(ticks))


def logarithmic(ax: Axes, axis: str, values: Sequence[float]) -> bool:
    """Make `axis` ("x" or "y") logarithmic if the ratio of `values` is large; return whether it is.

    It is large where the training of one row has collapsed.
    """
    if min(values) <= 0 or max(values) <= SPREAD * min(values):
        return False
    getattr(ax, f"set_{axis}scale")("log")
    scale = getattr(ax, f"{axis}axis")
    scale.set_major_locator(Ticks())
    scale.set_major_formatter(StrMethodFormatter("{x:g}"))
    scale.set_minor_locator(NullLocator())
    scale.set_minor_formatter(NullFormatter())
    return True


def fit(
    ax: Axes,
    axis: str,
    values: Sequence[float],
    levels: Sequence[float] = (),
    ends: Sequence[float] = (),
    zero: bool = True,
) -> None:
    """Scale `axis` by `values`, with limits that show `levels` and the `ends` of bars too.

    The values alone choose the scale: a distant level would flatten all lines. A linear axis starts
    at 0 if `zero`. On a logarithmic one, bars that reach towards 0 are cut off.
    """
    if logarithmic(ax, axis, values):
        least = min(values) / 2
        shown = [*values, *levels, *(end for end in ends if end > least)]
        positive = [value for value in shown if value > 0]
        limits = min(positive) / 1.15, max(positive) * 1.15
    else:
        low, high = (end([*values, *levels, *ends]) for end in (min, max))
        pad = 0.08 * (high - low) or 0.1 * abs(high) or 1
        limits = (0, 1.06 * high or 1) if zero and min(values) >= 0 else (low - pad, high + pad)
    getattr(ax, f"set_{axis}lim")(limits)


def fit_means(
    ax: Axes,
    axis: str,
    values: Sequence[tuple[float, float]],
    levels: Sequence[float] = (),
    zero: bool = True,
) -> None:
    """Scale `axis` to means and their deviations, as `fit`."""
    ends = [mean + way * deviation for mean, deviation in values for way in (-1, 1)]
    fit(ax, axis, [mean for mean, _ in values], levels, ends, zero)


def control_levels(rows: Iterable[Row]) -> dict[str, float]:
    """Return the mean FID of each control that has one, by its name."""
    found = {row.name: over_seeds(row, "fid") for row in rows if row.control}
    return {name: value[0] for name, value in found.items() if value is not None}


def draw_levels(ax: Axes, levels: Mapping[str, float], labels: bool = True) -> None:
    """Draw `levels` as dotted lines with their names right of the axes, where there are no data.

    The y axis must have its final scale and limits.
    """
    to_axes = ax.transData + ax.transAxes.inverted()
    heights = {name: to_axes.transform((1, value))[1] for name, value in levels.items()}
    for name, value in levels.items():
        ax.axhline(value, color="0.45", lw=0.8, ls=":", zorder=0)
        if not labels:
            continue
        gaps = [heights[name] - height for other, height in heights.items() if other != name]
        near = min(gaps, key=abs, default=1.0)  # of two close names one moves up and one down
        align = "center" if abs(near) >= CLOSE else "bottom" if near > 0 else "top"
        ax.annotate(wrapped(name, 0.8, 7), (1, value), (2, 0), va=align, **BESIDE)
