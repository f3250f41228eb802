"""What the figures share: how a row looks, its deviation, axes of several magnitudes, controls."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, NullLocator, StrMethodFormatter

from cut.records.run_record import CONTROLS
from cut.report.dataset_tables import in_rows
from cut.report.figures.text import wrapped
from cut.results.run import METRICS, Run, mean_of, values_of

# Seaborn's colour-blind-safe colours less those too pale on white (yellow, pink) and the grey,
# which is the controls'; the dark blue is Paul Tol's.
COLOURS = ("#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc", "#ca9161", "#332288", "#56b4e9")
MARKERS = "osD^vPX*<>p"  # no divisor in common with the colours: 88 rows before a pair comes again
DASHES = ("-", (0, (4, 1.4)), (0, (1, 1)), (0, (5, 1.2, 1, 1.2)))
SPREAD = 6  # beyond this ratio of the largest to the smallest value an axis is logarithmic
CLOSE = 0.07  # of the axis' height: closer than this, two labels would touch


# -- rows ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Look:
    """How one row is drawn in every figure of a benchmark."""

    marker: str
    colour: str
    dashes: Any

    @property
    def point(self) -> dict[str, Any]:
        """Return the options of a point."""
        return {"marker": self.marker, "color": self.colour, "ls": ""}

    @property
    def line(self) -> dict[str, Any]:
        """Return the options of a line with markers."""
        return {"marker": self.marker, "color": self.colour, "ls": self.dashes}


def looks(facts: Iterable[Mapping[str, Any]]) -> dict[str, Look]:
    """Return each row's look by its name, from the records of all runs, drawn or not.

    A row that one figure can't draw keeps its place, so that the others look alike in all.
    """
    names = dict.fromkeys(f["method"] for f in facts if f["algorithm"] not in CONTROLS)
    return {
        name: Look(
            MARKERS[i % len(MARKERS)],
            COLOURS[i % len(COLOURS)],
            DASHES[i // len(COLOURS) % len(DASHES)],
        )
        for i, name in enumerate(names)
    }


def over_seeds(row: Iterable[Run], metric: str) -> tuple[float, float] | None:
    """Return a row's mean and the sample deviation over its seeds (0 of one), as tables show it."""
    values = [value * METRICS[metric].scale for value in values_of(row, metric)]
    if not values:
        return None
    return statistics.fmean(values), statistics.stdev(values) if len(values) > 1 else 0.0


def draw_bars(ax: Axes, x: tuple[float, float], y: tuple[float, float], colour: Any) -> None:
    """Draw the deviations of a point as thin bars, those that are not zero."""
    for axis, (_, deviation) in zip("xy", (x, y), strict=True):
        if deviation:
            ax.errorbar(x[0], y[0], **{f"{axis}err": deviation}, fmt="none", ecolor=colour,
                        elinewidth=0.9, zorder=1.5)  # fmt: skip


# -- axes ----------------------------------------------------------------------------------------


class Ticks(LogLocator):
    """Ticks at 1, 2 and 5 times powers of ten, and one near either end of the axis.

    Between 200 and 500 there is none else, and a point at 400 would have no number near it.
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
    """Make `axis` ("x" or "y") logarithmic where `values` are of several magnitudes; say if so.

    As they are where one row of many has collapsed.
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
    """Scale `axis` by `values` and give it limits that show `levels` and the `ends` of bars too.

    The values alone choose the scale, or a level would flatten all lines. A linear axis begins at
    0 if `zero`; a bar that goes on towards 0 leaves a logarithmic one at its end.
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


def control_levels(runs: Sequence[Run]) -> dict[str, float]:
    """Return the FID of each control, the mean over its seeds; none for one without a score."""
    rows = in_rows([run for run in runs if run.control])
    found = {row[0].facts["method"]: mean_of(row, "fid") for row in rows}
    return {name: level for name, level in found.items() if level is not None}


def draw_levels(ax: Axes, levels: Mapping[str, float], labels: bool = True) -> None:
    """Draw `levels` as dotted lines, named to the right of the axes, where no data lie.

    Call it when the y axis has its scale and its limits.
    """
    to_axes = ax.transData + ax.transAxes.inverted()
    heights = {name: to_axes.transform((1, value))[1] for name, value in levels.items()}
    for name, value in levels.items():
        ax.axhline(value, color="0.45", lw=0.8, ls=":", zorder=0)
        if not labels:
            continue
        gaps = [heights[name] - height for other, height in heights.items() if other != name]
        near = min(gaps, key=abs, default=1.0)  # of two that are near, one leans up and one down
        lean = "center" if abs(near) >= CLOSE else "bottom" if near > 0 else "top"
        ax.annotate(wrapped(name, 0.8, 7), (1, value), (2, 0), va=lean, color="0.35", fontsize=7,
                    xycoords=("axes fraction", "data"), textcoords="offset points")  # fmt: skip
