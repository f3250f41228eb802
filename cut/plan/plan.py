"""Expand a configuration into a plan of runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cut.base.errors import UserError, explain, unknown
from cut.data.registry import Entry, resolve
from cut.methods.commands import ExternalMethod
from cut.methods.contract import Method, parse_options
from cut.methods.cut import Cut
from cut.methods.registry import Registry, code_digest, discover
from cut.plan import checks
from cut.plan.config import Config, Row
from cut.training.options import WITHOUT_EFFECT, TrainingOptions, check_size, training_options


@dataclass(frozen=True)
class PlannedRow:
    """A row with all that decides its weights, and apart from it, in `loop`, what can't."""

    name: str
    algorithm: str
    options: dict[str, Any]
    training: dict[str, Any]
    loop: dict[str, Any]
    threads: int  # of the training step, and one for each process that loads images
    trained: bool
    role: str  # "method", or a control: "floor", "ceiling"
    contrastive: bool  # a variant of CUT, whose encoder a figure can look into
    code: str
    commands: type[ExternalMethod] | None = None  # of a method that runs by its own commands


@dataclass(frozen=True)
class Plan:
    """A checked configuration: its rows and its data sets, by name."""

    config: Config
    rows: dict[str, PlannedRow]
    entries: dict[str, Entry]

    def encoded(self, dataset: str) -> str | None:
        """Return the first run whose encoder PatchNCE has trained, or None without any."""
        own = {name for name, row in self.rows.items() if row.contrastive}
        return next((r for r in self.runs(dataset) if Path(r).parent.name in own), None)

    def followed(self, dataset: str | None = None) -> list[str]:
        """Return the folders of the runs whose epochs are scored along the way."""
        if not self.config.best:
            return []
        mine = {name for name, row in self.rows.items() if row.trained and row.commands is None}
        return [run for run in self.runs(dataset) if Path(run).parent.name in mine]

    def runs(self, dataset: str | None = None) -> list[str]:
        """Return every run's folder (of one data set), in the order of the tables."""
        chosen = [dataset] if dataset else self.config.datasets
        root = self.config.results
        return [
            f"{root}/{d}/{row}/seed{seed}"
            for d in chosen
            for row in self.config.run
            for seed in self.seeds(row)
        ]

    def seeds(self, row: str) -> list[int]:
        """Return the seeds of a row: a control draws nothing, and gives the same for each."""
        return self.config.seeds[: 1 if self.rows[row].role != "method" else None]


def make_plan(given: dict[str, Any]) -> Plan:
    """Check a configuration and resolve its rows.

    Raises:
        UserError: one sentence about the first thing that is wrong.
    """
    config = _parse(given)
    for name in ("run", "seeds", "datasets"):
        values = getattr(config, name)
        if len(set(values)) != len(values):
            raise UserError(f"{name} lists an entry twice: {values}")
    checks.check_names("row", {**dict.fromkeys(config.run), **config.methods}, checks.ROWS_TAKEN)
    checks.check_names("data set", config.datasets, checks.SETS_TAKEN, checks.ENDINGS_TAKEN)
    registry = discover()
    for name, row in config.methods.items():
        if row.method is None and name not in registry.methods:
            sentence = unknown("method", name, list(registry.methods))
            raise UserError(f"row {name!r} names no method, and is none: {sentence}")
    rows = {name: _plan_row(config, registry, name) for name in config.run}
    _check_shared(config, registry, rows)
    entries = {name: resolve(name, config.data_sources.get(name)) for name in config.datasets}
    if unused := set(config.data_sources) - set(config.datasets):
        # Not an error: one config may say where every set lies and run a few.
        for name in sorted(unused):
            resolve(name, config.data_sources[name])
    return Plan(config, rows, entries)


def _parse(given: dict[str, Any]) -> Config:
    try:
        return Config(**given)
    except ValidationError as error:
        raise UserError(explain(error, Config, "key", "the config")) from None


def _plan_row(config: Config, registry: Registry, name: str) -> PlannedRow:
    row = config.methods.get(name, Row())
    if name not in {*config.methods, *registry.methods, *registry.broken}:
        raise UserError(unknown("method in run", name, [*registry.methods, *config.methods]))
    cls: type[Method] = registry[row.method or name]
    shared = {k: v for k, v in config.options.items() if k in cls.Options.model_fields}
    options = {**shared, **row.options}
    checks.check_layers(cls, parse_options(cls.Options, options, f"row {name}"), name)
    checks.check_best(config, name)
    training = {**config.training, **row.training}
    if config.best:
        training |= {"snapshot_every": config.best.every, "held_out": config.best.held_out}
    parsed: TrainingOptions = training_options(cls, training)
    check_size(cls, config.size, name)
    if not cls.trained:
        training = {}  # it means nothing to a control: leave it out, so that none reruns it
    return PlannedRow(
        name=name,
        algorithm=cls.name,
        options=options,
        training={k: v for k, v in training.items() if k not in WITHOUT_EFFECT},
        loop={k: v for k, v in training.items() if k in WITHOUT_EFFECT},
        threads=parsed.threads + parsed.workers if cls.trained else 1,
        trained=cls.trained,
        role=cls.role,
        contrastive=issubclass(cls, Cut),
        code=code_digest(cls),
        commands=cls if issubclass(cls, ExternalMethod) else None,
    )


def _check_shared(config: Config, registry: Registry, rows: dict[str, PlannedRow]) -> None:
    """Refuse a shared option that no trained row of the run has: a typo, most likely."""
    classes = [registry[row.algorithm] for row in rows.values() if row.trained]
    known = {name for cls in classes for name in cls.Options.model_fields}
    for name in config.options:
        if classes and name not in known:
            raise UserError(unknown("option under options", name, sorted(known)))
