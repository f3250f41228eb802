"""Which rows are best in two scores together: the Pareto front, and what is dominated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cut.metrics.catalogue import METRICS
from cut.results.rows import Row

Point = tuple[float, float]


def dominated_by(points: Mapping[str, Point]) -> dict[str, str]:
    """Return the dominated points' names, each with the name of a point that dominates it.

    A point dominates another if it is at least as low in both coordinates and lower in one. Of
    several it is the one with the lowest first coordinate.
    """
    found = {}
    for name, (x, y) in points.items():
        over = [
            (a, b, other)
            for other, (a, b) in points.items()
            if a <= x and b <= y and (a, b) != (x, y)
        ]
        if over:
            found[name] = min(over)[2]
    return found


def dominated(rows: Sequence[Row], metrics: tuple[str, str]) -> dict[str, str]:
    """Return the methods that another one dominates in the means of two scores, as `dominated_by`.

    Controls neither dominate nor are dominated: the inputs themselves, whose content is all kept,
    would dominate every method with a higher FID, and no difference between those would show.
    """
    signs = [1 if METRICS[metric].better == "lower" else -1 for metric in metrics]
    points = {}
    for row in rows:
        x, y = (row.mean(metric) for metric in metrics)
        if not row.control and x is not None and y is not None:
            points[row.name] = (signs[0] * x, signs[1] * y)
    return dominated_by(points)
