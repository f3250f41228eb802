"""Does the ranking hold? For each pair of rows, in which share of draws one is better.

A draw is a resample of the test images, and for a row with several trainings also of these. Rows of
one data set share the images of a draw, so what makes an image hard for all rows cancels.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cut.metrics.catalogue import METRICS, select
from cut.results.rows import PLACE, Row

REPEATS = 10  # draws of the seeds per resample of the images
# What can be ranked: scores with a better side.
RANKED = select(lambda m: m.source == "scores" and bool(m.better))

Seeds = Literal["no training", "one training", "given deviation", "several"]


@dataclass(frozen=True)
class Ranking:
    """One data set's rows compared by one score.

    Attributes:
        metric: the score.
        rows: the rows that have the score and its resamples: the floor, the methods from the best
            mean on, the ceiling.
        shares: (rows, rows), the share of draws in which the row is better than the column's; a
            draw of equal scores counts half, and so does the diagonal.
        first: of each row, the share of draws in which no method is better; None for a control.
    """

    metric: str
    rows: tuple[Row, ...]
    shares: np.ndarray
    first: tuple[float | None, ...]


def ranking(rows: Sequence[Row], metric: str) -> Ranking | None:
    """Return how one data set's rows compare by a score; None with fewer than two rows."""
    found = {row.name: (row, draws) for row in rows if (draws := _draws(row, metric)) is not None}
    if len(found) < 2:
        return None
    sign = 1 if METRICS[metric].better == "higher" else -1
    in_order = sorted(found.values(), key=lambda pair: _place(pair[0], sign * pair[1].mean()))
    kept, drawn = zip(*in_order, strict=True)
    values = sign * np.stack(drawn)  # rows,draws
    over, equal = (op(values[:, None], values) for op in (np.greater, np.equal))
    shares = over.mean(axis=2) + equal.mean(axis=2) / 2
    methods = [i for i, row in enumerate(kept) if not row.control]
    best = values[methods].max(axis=0) if methods else values.max(axis=0)
    first = tuple(
        None if row.control else float((mine == best).mean())
        for row, mine in zip(kept, values, strict=True)
    )
    return Ranking(metric, kept, shares, first)


def _place(row: Row, goodness: float) -> tuple[int, float]:
    return PLACE[row.role], -goodness


def rankings(rows: Sequence[Row]) -> list[Ranking]:
    """Return how one data set's rows compare by each score that two of them can be compared by."""
    return [found for metric in RANKED if (found := ranking(rows, metric))]


def seeds_of(row: Row, metric: str) -> Seeds:
    """Return what the draws of a row say of other trainings.

    "one training": nothing, since they are of the images alone.
    """
    if not row.varies:
        return "no training"
    if len(row.values(metric)) > 1:
        return "several"
    return "given deviation" if metric in row.deviations else "one training"


def _draws(row: Row, metric: str) -> np.ndarray | None:
    """Return a row's mean over seeds in each draw, (draws,), or None without resamples.

    With several trainings, a draw takes as many of them with replacement. The deviation of such
    means is too small by the root of (n - 1) / n, which is corrected (Rao and Wu 1988). One
    training with a deviation that was measured elsewhere gets a draw from Student's t, which allows
    for the number of seeds that it was measured with.
    """
    runs = [run for run in row.runs if run.value(metric)[0] is not None]
    if not runs or any(metric not in run.resamples for run in runs):
        return None
    images = np.stack([run.resamples[metric] for run in runs])  # seeds,resamples
    images = np.tile(images, REPEATS)
    rng, mean = _generator(row.name), images.mean(axis=0)
    kind, n = seeds_of(row, metric), len(runs)
    if kind == "several":
        taken = rng.integers(n, size=images.shape)
        drawn = np.take_along_axis(images, taken, axis=0).mean(axis=0)
        return mean + np.sqrt(n / (n - 1)) * (drawn - mean)
    if kind == "given deviation":
        given = row.deviations[metric]
        return mean + given.deviation * rng.standard_t(given.seeds - 1, size=mean.shape)
    return mean


def _generator(name: str) -> np.random.Generator:
    """Return the random numbers of a row, which do not depend on the other rows."""
    return np.random.default_rng(list(hashlib.sha256(name.encode()).digest()))
