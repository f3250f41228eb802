"""The controls as levels in a figure whose y axis is FID."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from cut.results import Run
from cut.tables import in_rows

CLOSE = 0.07  # of the axis' height: closer than this, two labels would touch


def control_levels(runs: Sequence[Run]) -> dict[str, float]:
    """Return the FID of each control, the mean over its seeds; none for one without a score."""
    found = {}
    for row in in_rows([run for run in runs if run.control]):
        values = [value for run in row if (value := run.value("fid")[0]) is not None]
        if values:
            found[row[0].facts["method"]] = statistics.fmean(values)
    return found


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
