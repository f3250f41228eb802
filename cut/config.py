"""The configuration of a benchmark: what it may say, its defaults, and the plan it comes to.

    python -m cut.config CONFIG.yaml ...     check files; print the plan, one line a run
    python -m cut.config --schema            print the JSON schema

A configuration lists what to `run` over a dictionary of `methods`; an ablation's row is a method
with other options.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cut import checks, datasets
from cut.cut import Cut
from cut.errors import UserError, command, unknown
from cut.external import ExternalMethod
from cut.methods import Method, Registry, code_digest, discover, parse_options
from cut.results import CONTROLS
from cut.sizes import TrainingSize
from cut.train import TrainingOptions, check_size, training_options
from cut.trainer import WITHOUT_EFFECT

# 64 bits, as in most programs that take a seed; `true` is no seed.
Seed = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63)]


class Section(BaseModel):
    """Base of the configuration's parts: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Row(Section):
    """One row of a table: a method with options of its own."""

    method: str | None = Field(None, description="the method; default: the row's own name")
    options: dict[str, Any] = Field({}, description="options of the method, over `options` below")
    training: dict[str, Any] = Field({}, description="options of the loop, over `training` below")


class Grid(Section):
    """The grid of inputs and translations."""

    rows: int = Field(6, ge=1, description="test images shown")
    seed: int = Field(0, description="which images: drawn from this seed")
    names: list[str] = Field([], description="which images: these, in place of rows and seed")


class Best(Section):
    """Scoring along the way: final against best epoch, and FID by epoch."""

    every: int = Field(
        ge=1, description="epochs between generators that are kept and scored (the last always is)"
    )
    held_out: int = Field(
        0,
        ge=0,
        description="training images of each domain left out of training, to choose the best epoch"
        " by; 0 chooses by the test images themselves, as papers do",
    )


class Config(Section):
    """A benchmark."""

    results: str = Field("results", description="folder for all that a run writes")
    data: str = Field("data", description="folder for prepared data sets")
    datasets: list[str] = Field(min_length=1, description="data sets to run on")
    data_sources: dict[str, str | dict[str, Any]] = Field(
        {},
        description="where a data set comes from: an archive, a folder or an address; or fields"
        " of its registry entry to override. A name the registry lacks is a set of your own",
    )
    size: TrainingSize = Field(
        256,
        description="test images and training crops in pixels: one number, or HEIGHTxWIDTH",
    )
    run: list[str] = Field(min_length=1, description="rows to run, in the tables' order")
    methods: dict[str, Row] = Field({}, description="rows that are a method with other options")
    options: dict[str, Any] = Field({}, description="given to every method that has the option")
    training: dict[str, Any] = Field({}, description="options of the loop for every method")
    seeds: list[Seed] = Field(
        [0],
        min_length=1,
        description="each row is run once a seed; controls, which draw nothing, with the first",
    )
    device: Literal["cpu", "cuda"] = Field("cpu", description="where to train and translate")
    fid_weights: str | None = Field(
        None, description="file with FID's Inception weights; default: looked for, then fetched"
    )
    segmenter: str | None = Field(
        None,
        description="file with the weights of a DRN-D-22, to score data sets with label maps"
        " (Cityscapes) by what it finds in the translations",
    )
    translate_batch_size: int = Field(16, ge=1, description="images translated at a time")
    best: Best | None = Field(
        None, description="score each training along the way and report the best epoch too"
    )
    grid: Grid = Field(Grid(), description="the grid figure")
    ablation: bool = Field(
        False, description="write the ablation table and its scatter: CUT's options as columns"
    )


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
    contrastive: bool  # a variant of CUT, whose encoder a figure can look into
    code: str
    commands: type[ExternalMethod] | None = None  # of a method that runs by its own commands


@dataclass(frozen=True)
class Plan:
    """A checked configuration: its rows and its data sets, by name."""

    config: Config
    rows: dict[str, PlannedRow]
    entries: dict[str, datasets.Entry]

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
        return self.config.seeds[: 1 if self.rows[row].algorithm in CONTROLS else None]


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
    entries = {
        name: datasets.resolve(name, config.data_sources.get(name)) for name in config.datasets
    }
    if unused := set(config.data_sources) - set(config.datasets):
        # Not an error: one config may say where every set lies and run a few.
        for name in sorted(unused):
            datasets.resolve(name, config.data_sources[name])
    return Plan(config, rows, entries)


def _parse(given: dict[str, Any]) -> Config:
    try:
        return Config(**given)
    except ValidationError as error:
        # A misspelt key before the one that it leaves missing: it says what to do.
        first = min(error.errors(), key=lambda e: e["type"] != "extra_forbidden")
        place = [str(part) for part in first["loc"]]
        if first["type"] == "extra_forbidden":
            model = {"methods": Row, "grid": Grid, "best": Best}.get(place[0], Config)
            what = "config key" if model is Config else f"key of {'.'.join(place[:-1])}"
            raise UserError(unknown(what, place[-1], list(model.model_fields))) from None
        if first["type"] == "missing":
            raise UserError(f"the config lacks {'.'.join(place)!r}, which it needs") from None
        reason = first["msg"][0].lower() + first["msg"][1:]
        raise UserError(f"config key {'.'.join(place)} is {first['input']!r}: {reason}") from None


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


class _Loader(yaml.SafeLoader):
    """YAML, but a key that is given twice is an error and not the last of its values."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        seen = set()
        for key, _ in node.value:
            name = (key.tag, str(key.value))
            if name in seen:
                said = f"the key {key.value!r} is given twice"
                raise yaml.composer.ComposerError(None, None, said, key.start_mark)
            seen.add(name)
        return node


def read(path: Path) -> dict[str, Any]:
    """Read a YAML configuration.

    Raises:
        UserError: it is missing or no YAML mapping, or gives a key twice.
    """
    try:
        value = yaml.load(path.read_text(), _Loader)
    except OSError as error:
        raise UserError(f"can't read the config {path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f" at line {line + 1}" if line is not None else ""
        raise UserError(f"{path} is not YAML{where}: {getattr(error, 'problem', error)}") from None
    if not isinstance(value, dict):
        raise UserError(f"{path} holds no mapping of config keys")
    return value


def main(argv: Sequence[str] | None = None) -> int:
    """Check configurations, or print their schema."""
    parser = argparse.ArgumentParser(prog="python -m cut.config", description="Check configs.")
    parser.add_argument("files", nargs="*", type=Path, metavar="CONFIG.yaml")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema")
    args = parser.parse_args(argv)
    if args.schema:
        print(json.dumps(Config.model_json_schema(), indent=2))
    elif not args.files:
        raise UserError("give one or more config files, or --schema")
    for path in args.files:
        plan = make_plan(read(path))
        checks.check_inputs(plan)
        print(f"{path}: {len(plan.runs())} runs")
        for run in plan.runs():
            print(f"  {run}")
    return 0


if __name__ == "__main__":
    command(main)
