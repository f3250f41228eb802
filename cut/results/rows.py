"""A row of a table: one method with its options on one data set, with one run per seed.

Tables, figures and the page read rows. Every mean and every deviation is computed here.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cut.results.run import Run
from cut.results.seed_deviation import SeedDeviation, SeedDeviations, check_deviations

PLACE = {"floor": -1, "method": 0, "ceiling": 1}  # of a role in a table: first, between, last


def mean(values: Sequence[float]) -> float | None:
    """Return the mean, or None without any value."""
    return statistics.fmean(values) if values else None


def sd(values: Sequence[float]) -> float | None:
    """Return the sample's standard deviation (n - 1), or None for fewer than two values."""
    return statistics.stdev(values) if len(values) > 1 else None


@dataclass(frozen=True)
class Row:
    """The runs of one row on one data set, one per seed, in the order given; at least one.

    `deviations` are those over seeds that were measured elsewhere, by score.
    """

    runs: tuple[Run, ...]
    deviations: Mapping[str, SeedDeviation] = field(default_factory=dict)

    @property
    def first(self) -> Run:
        """Return the first run. The runs differ in nothing but the seed and what it decides."""
        return self.runs[0]

    @property
    def name(self) -> str:
        """Return the row's name."""
        return self.first.record.method

    @property
    def dataset(self) -> str:
        """Return the data set's name."""
        return self.first.record.dataset

    @property
    def algorithm(self) -> str:
        """Return the name of the method that the row runs."""
        return self.first.record.algorithm

    @property
    def role(self) -> str:
        """Return "method", "floor" or "ceiling"."""
        return self.first.role

    @property
    def control(self) -> bool:
        """Return whether the row is a control and not a method to compare."""
        return self.first.control

    @property
    def options(self) -> dict[str, Any]:
        """Return every option of the method."""
        return self.first.record.options

    @property
    def epochs(self) -> int | None:
        """Return the epochs trained, or None for a row without training."""
        return self.first.record.epochs if self.first.record.iterations else None

    @property
    def varies(self) -> bool:
        """Return whether another seed may change the numbers: those of a training, or of a program
        of its own, of which nothing is known.
        """
        return self.first.record.trained or self.first.record.external

    @property
    def one_training(self) -> bool:
        """Return whether the numbers are those of a single training, which has no spread."""
        return self.varies and len(self.runs) == 1

    @property
    def seeds(self) -> list[int]:
        """Return the seeds in ascending order."""
        return sorted(run.record.seed for run in self.runs)

    def values(self, metric: str) -> list[float]:
        """Return the values of the seeds that have one, in the metric's unit."""
        return [value for run in self.runs if (value := run.value(metric)[0]) is not None]

    def by_seed(self, metric: str) -> dict[int, float | None]:
        """Return each seed's value in ascending order of the seeds; None for one without."""
        in_order = sorted(self.runs, key=lambda run: run.record.seed)
        return {run.record.seed: run.value(metric)[0] for run in in_order}

    def mean(self, metric: str) -> float | None:
        """Return the mean over the seeds that have a value, or None without any."""
        return mean(self.values(metric))

    def sd(self, metric: str) -> float | None:
        """Return the sample's standard deviation (n - 1), or None for fewer than two values."""
        return sd(self.values(metric))

    def fids_after(self, step: int) -> list[float]:
        """Return the seeds' FIDs after a step of a translation in several, where there is one."""
        steps = [scored for run in self.runs for scored in run.steps if scored.step == step]
        return [scored.fid for scored in steps if scored.fid is not None]

    def missing(self, metric: str) -> dict[int, str]:
        """Return why there is no value, by seed; empty where every seed has one."""
        found = {run.record.seed: run.value(metric)[1] for run in self.runs}
        return {seed: reason for seed, reason in found.items() if reason}


@dataclass(frozen=True)
class Series:
    """The rows of one name over data sets, {data set: row}; at least one."""

    rows: Mapping[str, Row]

    @property
    def first(self) -> Row:
        """Return the row of the first data set."""
        return next(iter(self.rows.values()))

    @property
    def name(self) -> str:
        """Return the rows' name."""
        return self.first.name

    @property
    def algorithm(self) -> str:
        """Return the name of the method on the first data set."""
        return self.first.algorithm

    @property
    def control(self) -> bool:
        """Return whether the rows are those of a control."""
        return self.first.control


def rows_of(runs: Iterable[Run], deviations: SeedDeviations | None = None) -> list[Row]:
    """Return the rows of `runs`: data sets in the order given, in each the floor first, then the
    methods in the order given, and the ceiling last.

    Args:
        runs: the runs.
        deviations: over seeds, measured elsewhere, of rows with a single training.

    Raises:
        UserError: a deviation is of no such row.
    """
    found: dict[str, dict[str, list[Run]]] = {}
    for run in runs:
        found.setdefault(run.record.dataset, {}).setdefault(run.record.method, []).append(run)
    given = deviations or {}
    rows = {dataset: _rows(names, given.get(dataset, {})) for dataset, names in found.items()}
    seeds = {
        dataset: {row.name: len(row.runs) * row.varies for row in mine}
        for dataset, mine in rows.items()
    }
    check_deviations(given, seeds)
    return [row for mine in rows.values() for row in sorted(mine, key=_place)]


def _rows(
    runs: Mapping[str, Sequence[Run]], deviations: Mapping[str, Mapping[str, SeedDeviation]]
) -> list[Row]:
    """Return the rows of one data set, given the runs and the deviations by the rows' names."""
    return [Row(tuple(mine), deviations.get(name, {})) for name, mine in runs.items()]


def _place(row: Row) -> int:
    return PLACE[row.role]


def by_dataset(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Return the rows of each data set, in the order given."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.dataset, []).append(row)
    return found


def over_datasets(rows: Iterable[Row]) -> list[Series]:
    """Return the rows by name: the floor first, then the methods in the order given, and the
    ceiling last.
    """
    names: dict[str, dict[str, Row]] = {}
    for row in rows:
        names.setdefault(row.name, {})[row.dataset] = row
    return sorted(map(Series, names.values()), key=lambda series: _place(series.first))


def present(rows: Iterable[Row], metrics: Iterable[str]) -> list[str]:
    """Return those of `metrics` that some row has a value of."""
    rows = list(rows)
    return [metric for metric in metrics if any(row.values(metric) for row in rows)]


def runs_of(rows: Iterable[Row]) -> list[Run]:
    """Return the runs of `rows`, row by row."""
    return [run for row in rows for run in row.runs]
