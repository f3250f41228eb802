"""What one training is worth: how far the seeds of a row differ, and in what share of that the
seed, the epoch and the images have a part.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.special import chdtri, ndtri  # scipy.stats takes half a second to import

from cut.results.rows import Row, mean, sd
from cut.results.run import fids_by_epoch

QUANTILE = float(ndtri(0.975))  # half the width of a 95 % interval, in deviations of a normal


@dataclass(frozen=True)
class Variance:
    """The variances of a row's FID, in its unit squared.

    Attributes:
        seeds: between seeds; without `epochs` it includes them.
        epochs: of one training, from one of the last epochs to another; None where no FID by epoch
            is known.
        images: of another choice of images, by the bootstrap; None without an interval.
    """

    seeds: float
    epochs: float | None
    images: float | None

    @property
    def shares(self) -> dict[str, float]:
        """Return the share of each variance that is known in their sum; none where that is 0."""
        known = {name: value for name, value in vars(self).items() if value is not None}
        total = sum(known.values())
        return {name: value / total for name, value in known.items()} if total else {}


def variance_of(row: Row, last: int) -> Variance | None:
    """Return the variances of a row's FID, or None with a FID of fewer than two seeds.

    Args:
        row: the row.
        last: kept epochs, from the end, that `epochs` is the variance of.
    """
    deviation = sd(row.values("fid"))
    if deviation is None:
        return None
    widths = half_widths(row)
    images = mean([(width / QUANTILE) ** 2 for width in widths])
    courses = last_epochs(row, last)
    if courses is None:
        return Variance(deviation**2, None, images)
    return Variance(*between(courses), images)


def half_widths(row: Row) -> list[float]:
    """Return half the width of the 95 % interval over images of each seed's FID that has one."""
    bounds = [(run.value("fid_low")[0], run.value("fid_high")[0]) for run in row.runs]
    return [(high - low) / 2 for low, high in bounds if low is not None and high is not None]


def last_epochs(row: Row, last: int) -> np.ndarray | None:
    """Return the FIDs of the last epochs that all seeds have kept, (seeds, epochs).

    None with fewer than two seeds or epochs.
    """
    courses = [fids_by_epoch(run) for run in row.runs]
    epochs = sorted(set.intersection(*map(set, courses)))[-last:]
    if min(len(courses), len(epochs)) < 2:
        return None
    return np.array([[course[epoch] for epoch in epochs] for course in courses])


def between(values: np.ndarray) -> tuple[float, float]:
    """Return the variances between seeds and between epochs of values (seeds, epochs), two or more
    of each.

    The model is a two-way analysis of variance: the mean of the epoch, which all seeds share and
    which falls while training goes on; a deviation of the seed, which stays; and one of the seed in
    this epoch alone. The estimates are those of its mean squares. They add up to the variance
    between seeds within an epoch, unless that of the seeds would be negative, which becomes 0.
    """
    n, k = values.shape
    centred = values - values.mean(axis=0)
    seeds = centred.mean(axis=1)
    rest = np.square(centred - seeds[:, None]).sum() / ((n - 1) * (k - 1))
    whole = k * np.square(seeds).sum() / (n - 1)
    return max(float(whole - rest) / k, 0.0), float(rest)


def deviation_bounds(seeds: int) -> tuple[float, float]:
    """Return by which factors a deviation over seeds (two or more) may be wrong.

    The true one lies between its product with the first and with the second in 95 % of cases, if
    the values are normal (chi-square).
    """
    free = seeds - 1
    return tuple(math.sqrt(free / chdtri(free, tail)) for tail in (0.025, 0.975))


# -- order ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Order:
    """Two rows in the order of their means of a score, and in how many of the seeds it holds."""

    metric: str
    below: Row
    above: Row
    holds: int
    seeds: int


def orders(rows: Iterable[Row], metric: str) -> list[Order]:
    """Return the order of each pair of one data set's rows with different means, where two or more
    seeds have both.

    Rows are paired by seed. A row that no seed changes is compared with every seed of the other.
    """
    found = []
    for one, other in combinations([row for row in rows if row.values(metric)], 2):
        pairs = _by_seed(one, other, metric)
        first, second = (mean([pair[i] for pair in pairs]) for i in (0, 1))
        if len(pairs) > 1 and first != second:
            turned = second < first
            below, above = (other, one) if turned else (one, other)
            holds = sum((b < a) if turned else (a < b) for a, b in pairs)
            found.append(Order(metric, below, above, holds, len(pairs)))
    return found


def _by_seed(one: Row, other: Row, metric: str) -> Sequence[tuple[float, float]]:
    """Return the values of two rows, seed by seed; none of two rows that no seed changes."""
    values = [row.by_seed(metric) for row in (one, other) if row.varies]
    if not values:
        return []
    seeds = [s for s, value in values[0].items() if all(v.get(s) is not None for v in values)]
    mine, theirs = (
        [row.by_seed(metric)[s] if row.varies else row.values(metric)[0] for s in seeds]
        for row in (one, other)
    )
    return list(zip(mine, theirs, strict=True))
