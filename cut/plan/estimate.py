"""How long a config's trainings take here, and how much disk its runs need."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cut.base.errors import UserError
from cut.base.image_form import RGB
from cut.base.image_size import height_width
from cut.data.prepare import stands
from cut.data.registry import Entry
from cut.plan.inputs import known_images
from cut.plan.plan import Plan
from cut.plan.rows import PlannedRow
from cut.plan.timing import Measured, measure
from cut.records.dataset import DatasetRecord

if TYPE_CHECKING:
    import torch

PNG_SHARE = 0.7  # of the bytes of its pixels; photographs compress to less


@dataclass(frozen=True)
class RowCost:
    """What the trainings of one row cost that are not done yet.

    Attributes:
        row: name of the row.
        measured: its training step; rows with the same method and options share one.
        trainings: runs that are left.
        steps: of all of them together.
        threads: CPU threads of one.
    """

    row: str
    measured: Measured
    trainings: int
    steps: int
    threads: int

    @property
    def seconds(self) -> float:
        """Return the time of all trainings, one after another."""
        return self.steps * self.measured.seconds


def image_counts(plan: Plan) -> dict[str, dict[str, int]]:
    """Return the number of images in each folder of each data set for which it is known."""
    counts = {name: _counts(entry, Path(plan.config.data)) for name, entry in plan.entries.items()}
    return {name: found for name, found in counts.items() if {"trainA", "trainB"} <= found.keys()}


def _counts(entry: Entry, data: Path) -> dict[str, int]:
    if stands(entry, data / entry.name):
        return DatasetRecord.read(data / entry.name / "dataset.json").counts
    if counts := entry.expected_counts():
        return counts
    try:
        return {folder: len(names) for folder, names in known_images(entry).items()}
    except UserError:
        return {}  # its own line says what is missing


def trained_rows(plan: Plan) -> list[PlannedRow]:
    """Return the rows that train here: neither a control nor a program of its own."""
    return [row for row in plan.rows.values() if row.trained and row.commands is None]


def runs_left(plan: Plan, row: str, dataset: str) -> int:
    """Return how many runs of a row on a data set are not trained yet."""
    folders = [Path(run) for run in plan.runs(dataset)]
    return sum(f.parent.name == row and not (f / "run.json").is_file() for f in folders)


def row_costs(
    plan: Plan, device: torch.device, seconds: float
) -> tuple[list[RowCost], list[UserError]]:
    """Measure each row's training step, and multiply.

    Args:
        plan: a checked config.
        device: where to measure.
        seconds: about how long to measure in all.

    Returns:
        (the cost of each row that trains, the reasons why some can't train here).
    """
    size, counts = height_width(plan.config.size), image_counts(plan)
    rows = trained_rows(plan)
    keys = {row.name: _key(row) for row in rows}
    left = len(set(keys.values()))
    done: dict[str, Measured | UserError] = {}
    found, wrong = [], []
    for row in rows:
        key = keys[row.name]
        if key not in done:
            try:
                done[key] = measure(row, size, device, seconds / left)
            except UserError as error:
                done[key] = error
                wrong.append(error)
        measured = done[key]
        if isinstance(measured, UserError):
            continue
        steps = trainings = 0
        for dataset in plan.config.datasets:
            runs = runs_left(plan, row.name, dataset)
            trainings += runs
            steps += runs * _steps(measured, counts.get(dataset))
        found.append(RowCost(row.name, measured, trainings, steps, row.threads))
    return found, wrong


def _key(row: PlannedRow) -> str:
    """Return what decides the time of a row's step: the rest only decides how many there are."""
    return json.dumps([row.algorithm, row.options, row.training, row.loop], sort_keys=True)


def _steps(measured: Measured, counts: dict[str, int] | None) -> int:
    """Return the steps of one training; 0 if the number of images is not known."""
    if counts is None:
        return 0
    options = measured.options
    images = max(counts["trainA"], counts["trainB"]) - options.held_out
    pairs = options.images_per_epoch or images
    return options.epochs * math.ceil(pairs / options.batch_size)


def at_a_time(costs: Sequence[RowCost], gpus: int, cores: int) -> int:
    """Return how many trainings run side by side: one per GPU, or as many as the cores allow."""
    trainings = sum(cost.trainings for cost in costs)
    widest = max((cost.threads for cost in costs), default=1)
    return max(1, min(trainings, gpus or cores // widest))


def wall_seconds(costs: Sequence[RowCost], at_once: int) -> float:
    """Return the time of all trainings, `at_once` side by side: the longest takes its own time."""
    total = sum(cost.seconds for cost in costs)
    longest = max((c.seconds / c.trainings for c in costs if c.trainings), default=0)
    return max(total / at_once, longest)


def disk_bytes(plan: Plan, costs: Sequence[RowCost]) -> int:
    """Return about how many bytes the runs that are left will write: generators and images."""
    counts, (h, w) = image_counts(plan), height_width(plan.config.size)
    weights = sum(cost.trainings * cost.measured.kept for cost in costs)
    copies = 2 if plan.config.best else 1  # of the last epoch, and of the best one
    pixels = 0  # bytes of one pixel of every image
    for dataset in plan.config.datasets:
        tests = max((n for f, n in counts.get(dataset, {}).items() if "test" in f), default=0)
        one = _pixel_bytes(plan.entries[dataset], Path(plan.config.data))
        pixels += tests * len(plan.runs(dataset)) * copies * one
    return weights + round(pixels * h * w * PNG_SHARE)


def _pixel_bytes(entry: Entry, data: Path) -> int:
    """Return the bytes of a translation's pixel; 16 bits per value where that is not known yet."""
    letter = entry.letters[1]
    if stands(entry, data / entry.name):
        form = DatasetRecord.read(data / entry.name / "dataset.json").forms.get(letter, RGB)
        return form.channels * np.dtype(form.dtype).itemsize
    return 3 if entry.channels is None else 2 * entry.channels_of(letter)
