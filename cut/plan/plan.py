"""Expand a configuration into a plan of runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cut.base.errors import UserError, explain
from cut.data.registry import Entry, resolve
from cut.methods.channels import check_channels
from cut.plan.config import Config
from cut.plan.paths import check_apart
from cut.plan.rows import PlannedRow, Rows, remembered
from cut.plan.shards import share
from cut.records.names import SETS_TAKEN, check_rows, check_sets
from cut.results.seed_deviation import check_deviations


@dataclass(frozen=True)
class Plan:
    """A checked configuration: its rows and its data sets, by name.

    With a shard, `config` and `entries` have the data sets of the shard's runs alone.
    """

    config: Config
    rows: dict[str, PlannedRow]
    entries: dict[str, Entry]
    shard: frozenset[str] | None = None  # the folders of its runs

    def encoded(self, dataset: str) -> str | None:
        """Return the first run whose encoder PatchNCE trains, or None if there is none."""
        return next(iter(self._runs_of(dataset, lambda row: row.contrastive)), None)

    def followed(self, dataset: str | None = None) -> list[str]:
        """Return the folders of the runs whose epochs are scored, of one data set or all."""
        if not self.config.best:
            return []
        return self._runs_of(dataset, lambda row: row.trained and row.commands is None)

    def stepped(self, dataset: str | None = None) -> list[str]:
        """Return the folders of the runs that translate in several steps, as `runs` does."""
        return self._runs_of(dataset, lambda row: row.steps > 1)

    def stochastic(self, dataset: str | None = None) -> list[str]:
        """Return the folders of the runs whose translations are compared with others of the same
        inputs, as `runs` does.
        """
        asked = "st_lpips" in self.config.extra_scores
        return self._runs_of(dataset, lambda row: asked and row.trained and row.stochastic)

    def _runs_of(self, dataset: str | None, wanted: Callable[[PlannedRow], bool]) -> list[str]:
        """Return the folders of the runs of the rows that are `wanted`."""
        return [run for run in self.runs(dataset) if wanted(self.rows[Path(run).parent.name])]

    def runs(self, dataset: str | None = None) -> list[str]:
        """Return the folders of all runs, of one data set or all, in the order of the tables."""
        chosen = [dataset] if dataset else self.config.datasets
        root = self.config.results
        every = [
            f"{root}/{d}/{row}/seed{seed}"
            for d in chosen
            for row in self.config.run
            for seed in self.seeds(row)
        ]
        return every if self.shard is None else [run for run in every if run in self.shard]

    def seeds(self, row: str) -> list[int]:
        """Return the seeds of a row; a control draws nothing, so it runs with the first alone."""
        return self.config.seeds[: 1 if self.rows[row].role != "method" else None]


def make_plan(given: dict[str, Any], memory: Path | None = None) -> Plan:
    """Check a configuration and resolve its rows.

    Args:
        given: what the configuration says.
        memory: a folder to keep the resolved rows in, so that the next plan needs no torch.

    Raises:
        UserError: one sentence about the first thing that is wrong.
    """
    config = _parse(given)
    for name in ("run", "seeds", "datasets"):
        values = getattr(config, name)
        if len(set(values)) != len(values):
            raise UserError(f"{name} lists an entry twice: {values}")
    check_apart(config.results, config.data, {*SETS_TAKEN, *map(str.lower, config.datasets)})
    check_rows({**dict.fromkeys(config.run), **config.methods})
    check_sets(config.datasets)
    rows = remembered(config, memory, _rows) if memory else _rows(config)
    entries = {name: resolve(name, config.data_sources.get(name)) for name in config.datasets}
    if unused := set(config.data_sources) - set(config.datasets):
        # Not an error: a configuration may say where every set is and run a few.
        for name in sorted(unused):
            resolve(name, config.data_sources[name])
    _check_channels(rows, entries)
    plan = Plan(config, rows, entries)
    seeds = {name: row.varies * len(plan.seeds(name)) for name, row in rows.items()}
    check_deviations(config.seed_deviation, dict.fromkeys(config.datasets, seeds))
    return _part(plan, config.shard) if config.shard else plan


def _check_channels(rows: Rows, entries: dict[str, Entry]) -> None:
    """Refuse rows whose networks can't have the images of a data set.

    Raises:
        UserError: the first such row.
    """
    for name, entry in entries.items():
        source, target = map(entry.channels_of, entry.letters)
        for row in rows.values():
            check_channels(f"row {row.name} on {name}", row.channels, (source, target))


def _part(plan: Plan, shard: str) -> Plan:
    """Return the part of a plan that a shard is, with the data sets that its runs need."""
    costs = [(_cost(plan.rows[Path(run).parent.name]), run) for run in plan.runs()]
    mine = share(shard, costs)
    datasets = [d for d in plan.config.datasets if mine.intersection(plan.runs(d))]
    return Plan(
        plan.config.model_copy(update={"datasets": datasets}),
        plan.rows,
        {name: plan.entries[name] for name in datasets},
        frozenset(mine),
    )


def _cost(row: PlannedRow) -> tuple[bool, str]:
    """Return what sets rows of different cost apart: trained ones first, then the method."""
    return not row.trained, row.algorithm


def _rows(config: Config) -> Rows:
    from cut.plan.resolve import resolve_rows  # imports torch

    return resolve_rows(config)


def _parse(given: dict[str, Any]) -> Config:
    try:
        return Config.model_validate(given)
    except ValidationError as error:
        raise UserError(explain(error, Config, "key", "the config")) from None
