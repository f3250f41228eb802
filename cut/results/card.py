"""What a model card says of a generator: facts, scores, and the licence of its images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cut.base.errors import UserError
from cut.data.registry import registry
from cut.metrics.catalogue import METRICS
from cut.records.dataset import DatasetRecord
from cut.records.run import RunRecord
from cut.results.run import NOT_MEASURED, Run, Value

SCORES = [
    metric
    for metric in METRICS.values()
    if metric.family == "score" and metric.source == "scores" and not metric.part_of
]
ARROWS = {"lower": "lower is better", "higher": "higher is better", "": ""}


def facts(
    record: RunRecord, epoch: int, digest: str, licence: str, scores: dict[str, Value]
) -> dict[str, Any]:
    """Return what the card says, as YAML values; scores are in the unit of the catalogue.

    Args:
        record: of the run.
        epoch: the epoch of the weights, counted from 1.
        digest: sha256 of the file of the weights, or "" without one.
        licence: of the images that the generator was trained on.
        scores: of these weights' translations.
    """
    measured = {key: value for key, (value, _) in scores.items() if value is not None}
    return {
        "pipeline_tag": "image-to-image",
        "library_name": "cutbench",
        "method": record.algorithm,
        "row": record.method,
        "options": record.options,
        "training": record.training,
        "dataset": record.dataset,
        "dataset_digest": record.dataset_digest,
        "dataset_licence": licence,
        "size": list(record.size),
        "seed": record.seed,
        "epoch": epoch,
        "epochs": record.epochs,
        "scores": measured or None,
        "generator_sha256": digest,
        "code_digest": record.code_digest,
        "versions": record.versions,
    }


def licence_of(record: RunRecord, run: Path, dataset: DatasetRecord | None = None) -> str:
    """Return the licence of the images that a run was trained on.

    `dataset` is the run's, which has the licence; by default the list of known sets says it.

    Raises:
        UserError: `dataset` is not the run's.
    """
    if dataset is None:
        return registry().get(record.dataset, {}).get("licence", "not known here")
    if dataset.digest != record.dataset_digest:
        raise UserError(
            f"{run} was trained on another version of {record.dataset} than the data set"
            f" {dataset.dataset} that was given; give its own dataset.json"
        )
    return dataset.licence


def last_scores(run: Run) -> dict[str, Value]:
    """Return (value, "") or (None, the reason) of each score after the last epoch."""
    return {metric.key: run.value(metric.key) for metric in SCORES}


def best_scores(run: Run) -> dict[str, Value]:
    """Return the same of the best epoch; empty if none was chosen."""
    return {metric.key: run.best.value(metric) for metric in SCORES} if run.best else {}


def score_lines(scores: dict[str, Value]) -> list[str]:
    """Return the scores as a Markdown table with directions, or one sentence if there are none."""
    measured = [(metric, scores[metric.key][0]) for metric in SCORES if metric.key in scores]
    rows = [
        f"| {metric.label} | {metric.show(value)} | {ARROWS[metric.better]} |"
        for metric, value in measured
        if value is not None
    ]
    head = ["| score | value | |", "|---|---|---|"]
    return [*head, *rows] if rows else [f"This generator: {NOT_MEASURED}."]
