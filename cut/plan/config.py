"""The configuration of a benchmark: its keys, their types and their defaults.

A configuration lists the rows to `run`. A row is a method, or an entry of `methods`: a method with
other options. docs/schemas/config.schema.json is the JSON schema.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cut.base.errors import UserError
from cut.base.files import read_text
from cut.base.image_form import Fit
from cut.base.image_size import TrainingSize
from cut.plan.paths import Folder, GivenPath
from cut.plan.shards import Shard
from cut.results.seed_deviation import SeedDeviations

ExtraScore = Literal["memorised", "st_lpips", "edges"]
MOST_NODES = 100_000  # values in a config file


def _integer(value: Any) -> Any:
    """Return the integer that a text stands for: Snakemake's --config gives texts in lists."""
    return int(value) if isinstance(value, str) and re.fullmatch(r"-?\d{1,20}", value) else value


# 64 bits, as in most programs that take a seed; `true` is no seed.
Seed = Annotated[int, Field(strict=True, ge=-(2**63), lt=2**63), BeforeValidator(_integer)]


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

    rows: int = Field(6, ge=1, le=1000, description="test images shown")
    seed: Seed = Field(0, description="which images: drawn from this seed")
    names: list[str] = Field([], description="which images: these, in place of rows and seed")


class Best(Section):
    """Scoring during training: final against best epoch, and FID by epoch."""

    every: int = Field(
        ge=1,
        le=100_000,
        description="epochs between generators that are kept and scored (the last always is)",
    )
    held_out: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="training images of each domain left out of training, to choose the best epoch"
        " by; 0 chooses by the test images themselves, as papers do",
    )


class Config(Section):
    """A benchmark."""

    results: Folder = Field("results", description="folder for all that a run writes")
    data: Folder = Field("data", description="folder for prepared data sets")
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
    fit: Fit = Field(
        "stretch",
        description="how images of another aspect ratio are brought to a size, in training, as"
        " inputs and as FID's real images: stretch their sides, crop the middle, or pad with black",
    )
    run: list[str] = Field(min_length=1, description="rows to run, in the tables' order")
    methods: dict[str, Row] = Field({}, description="rows that are a method with other options")
    options: dict[str, Any] = Field({}, description="options of every method that has them")
    training: dict[str, Any] = Field({}, description="options of the loop for every method")
    seeds: list[Seed] = Field(
        [0],
        min_length=1,
        description="each row runs once per seed; controls run with the first seed alone",
    )
    shard: Shard | None = Field(
        None,
        description="run one part of the runs: 2/5 is the second of five. For machines that share"
        " no disk; `python -m cut collect` merges their results",
    )
    device: Literal["cpu", "cuda"] = Field("cpu", description="where to train and translate")
    fid_weights: GivenPath | None = Field(
        None, description="file with FID's Inception weights; default: looked for, then fetched"
    )
    segmenter: GivenPath | None = Field(
        None,
        description="file with the weights of a DRN-D-22, to score data sets with label maps"
        " (Cityscapes) by what it finds in the translations",
    )
    extra_scores: list[ExtraScore] = Field(
        [],
        description="scores that take more time: memorised (features of all training images of the"
        " target), st_lpips and edges (networks whose weights are fetched)",
    )
    translate_batch_size: int = Field(16, ge=1, le=4096, description="images translated at a time")
    scoring_threads: int = Field(
        4,
        ge=1,
        le=1024,
        description="CPU threads of each job that translates or scores, at most --cores",
    )
    best: Best | None = Field(
        None, description="score each training at several epochs and report the best epoch too"
    )
    replace: bool = Field(
        False,
        description="replace finished runs that differ from this config; by default the workflow"
        " refuses",
    )
    grid: Grid = Field(Grid(), description="the grid figure")
    seed_deviation: SeedDeviations = Field(
        {},
        description="deviations over seeds that were measured elsewhere, by data set, row and"
        " score: with one, a row with a single seed has a verdict against a published number",
    )
    ablation: bool = Field(
        False, description="write the ablation table and its scatter: CUT's options as columns"
    )


class _Loader(yaml.SafeLoader):
    """YAML in which a key that is given twice is an error, and aliases stay few."""

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

    def get_single_node(self) -> yaml.Node | None:
        node = super().get_single_node()
        if node is not None and _written_out(node, {}) > MOST_NODES:
            said = f"its aliases stand for more than {MOST_NODES} values"
            raise yaml.composer.ComposerError(None, None, said, node.start_mark)
        return node


def _written_out(node: yaml.Node, known: dict[int, float]) -> float:
    """Return the number of nodes with every alias written out; infinite if one contains itself."""
    if id(node) not in known:
        known[id(node)] = float("inf")
        parts = node.value if isinstance(node, yaml.CollectionNode) else []
        pairs = (part if isinstance(part, tuple) else (part,) for part in parts)
        known[id(node)] = 1 + sum(_written_out(one, known) for pair in pairs for one in pair)
    return known[id(node)]


def read(path: Path) -> dict[str, Any]:
    """Read a YAML configuration.

    Raises:
        UserError: it is missing, not UTF-8 or no YAML mapping, gives a key twice, or has a number
            or a nesting that no config needs.
    """
    try:
        text = read_text(path)
    except UserError as error:
        raise UserError(f"can't read the config: {error}") from None
    try:
        value = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f" at line {line + 1}" if line is not None else ""
        raise UserError(f"{path} is not YAML{where}: {getattr(error, 'problem', error)}") from None
    except (RecursionError, ValueError) as error:  # deep brackets; thousands of digits, no date
        reason = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        raise UserError(f"{path} can't be read as a config: {reason}") from None
    if not isinstance(value, dict):
        raise UserError(f"{path} holds no mapping of config keys")
    return value
