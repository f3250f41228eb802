"""What the figures share: how a row looks, controls as levels, axes of several magnitudes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from cut.results import Run, mean_of
from cut.tables import in_rows

MARKERS = "osD^vPX*<>ph"
COLOURS = 10
SPREAD = 6  # beyond this ratio of the largest to the smallest value an axis is logarithmic
CLOSE = 0.07  # of the axis' height: closer than this, two labels would touch


def row_look(place: int) -> dict[str, Any]:
    """Return the marker and the colour-blind-safe colour of the row at `place`."""
    colour = sns.color_palette("colorblind", COLOURS)[place % COLOURS]
    return {"marker": MARKERS[place % len(MARKERS)], "color": colour}


def logarithmic(ax: Axes, axis: str, values: Sequence[float]) -> bool:
    """Make `axis` ("x" or "y") logarithmic where `values` are of several magnitudes; say if so.

    As they are where one row of many has collapsed.
    """
    if min(values) <= 0 or max(values) <= SPREAD * min(values):
        return False
    getattr(ax, f"set_{axis}scale")("log")
    scale = getattr(ax, f"{axis}axis")
    scale.set_major_locator(LogLocator(subs=(1, 2, 5)))
    scale.set_major_formatter(StrMethodFormatter("{x:g}"))
    scale.set_minor_formatter(NullFormatter())
    return True


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
        ax.annotate(name, (1, value), (2, 0), xycoords=("axes fraction", "data"),
                    textcoords="offset points", va=lean, color="0.35", fontsize=7)  # fmt: skip
