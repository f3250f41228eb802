"""Published numbers, and in what a run differs from what they were measured on."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml

from cut.comparable import image_counts
from cut.quantities import METRICS

if TYPE_CHECKING:
    from cut.results import Run

DIFFERENCE = (
    "Difference: measured minus published. Within seed spread: no further off than twice the"
    " standard deviation over seeds."
)


@cache
def published() -> dict[str, Any]:
    """Return `cut/data/published.yaml`."""
    text = resources.files("cut").joinpath("data/published.yaml").read_text()
    return yaml.safe_load(text)


def published_entry(dataset: str, method: str, metric: str) -> dict[str, Any] | None:
    """Return the published number of a table's row, or None."""
    entries = published()["entries"]
    datasets = {entry["dataset"] for entry in entries}
    for entry in entries:
        same_set = entry["dataset"] == dataset or entry["dataset"] == "any" and dataset in datasets
        if same_set and entry["method"] == method and entry["metric"] == metric:
            return entry
    return None


def source_of(entry: Mapping[str, Any]) -> str:
    """Return where a published number stands, in words."""
    return published()["sources"][entry["source"]]


def differences(run: Run, entry: Mapping[str, Any]) -> list[str]:
    """Return in what a run is not what a published number was measured on, in words."""
    found = _differences(run.facts, image_counts(run), entry["metric"])
    return [*found, entry["differs"]] if "differs" in entry else found


def _differences(
    facts: Mapping[str, Any], counts: tuple[int | None, int | None], metric: str
) -> list[str]:
    if metric in ("seconds_per_iteration", "peak_memory_gb"):
        return ["published on the paper's hardware: no absolute comparison"]
    given = published()["protocol"]
    found = []
    if metric in ("miou", "pixel_accuracy", "class_accuracy"):
        found.append("segmented by other weights: the paper's network was not released")
    h, w = facts["size"]
    if (h, w) != (given["size"], given["size"]):
        found.append(f"images {h}x{w}, published {given['size']}x{given['size']}")
    expected = tuple(given["images"].get(facts["dataset"], counts))
    if None not in counts and counts != expected:
        found.append(f"{counts[0]} against {counts[1]} images, published {expected[0]} against"
                     f" {expected[1]}")  # fmt: skip
    return found + _other_settings(facts)


@dataclass(frozen=True)
class Settings:
    """What a published row is: a method, all its options, those of the training, and epochs."""

    method: str
    options: dict[str, Any]
    training: dict[str, Any]
    epochs: int


@cache
def published_settings(row: str) -> Settings | None:
    """Return what a published row is, or None where no method of its name is here.

    The defaults of a method are its authors' (the paper's code's), so what `published.yaml` does
    not say of a row is its method's default.
    """
    # Only tables of sets that a paper has need the methods.
    from cut.methods import discover, parse_options
    from cut.train import training_options

    given = published()["protocol"]
    its = given["rows"].get(row, {})
    name = its.get("method", row)
    method = discover().methods.get(name)
    if method is None:
        return None
    options = parse_options(method.Options, its.get("options", {}), row).model_dump()
    training = training_options(method, {})
    kept = {key: getattr(training, key) for key in TRAINING}
    return Settings(name, options, kept, given["epochs"].get(row, training.epochs))


# What of a training decides its weights, beside epochs and size.
TRAINING = ("batch_size", "flip", "load_size", "precision", "held_out")


def _other_settings(facts: Mapping[str, Any]) -> list[str]:
    """Return in what a run's method, options and training are not the published row's, in words."""
    known = published_settings(facts["method"])
    if known is None:
        return []
    if facts["algorithm"] != known.method:
        return [f"method {facts['algorithm']}, published {known.method}"]
    found = []
    if facts["epochs"] != known.epochs:
        found.append(f"{facts['epochs']} epochs, published {known.epochs}")
    training = facts.get("training", {})
    for mine, theirs in ((facts["options"], known.options), (training, known.training)):
        for name, value in theirs.items():
            if name in mine and mine[name] != value:
                found.append(f"{name} {json.dumps(mine[name])}, published {json.dumps(value)}")
    return found


@dataclass(frozen=True)
class Comparison:
    """A row's mean beside a published number.

    Attributes:
        published: the published number as a table shows it.
        difference: the mean minus that number, in the metric's unit.
        signed: the difference as a table shows it.
        verdict: how they stand to each other (see `verdict`).
        reasons: what keeps them from comparison.
    """

    published: str
    difference: float
    signed: str
    verdict: str
    reasons: list[str]


def compare(run: Run, values: Sequence[float], entry: Mapping[str, Any]) -> Comparison:
    """Return how a row's values, one a seed and at least one, compare to a published number.

    `run` is any of the row's: its seeds have all but the seed in common.
    """
    reasons = differences(run, entry)
    metric, value = METRICS[entry["metric"]], entry["value"]
    difference = statistics.fmean(values) - value
    signed = metric.show_signed(difference)
    words = verdict(values, value, reasons, metric.better == "lower")
    return Comparison(metric.show(value), difference, signed, words, reasons)


def verdict(
    values: Sequence[float], published_value: float, reasons: Sequence[str], lower_is_better: bool
) -> str:
    """Return how a row's values, one a seed, stand to the published one, in words.

    "not comparable" where `reasons` say in what the runs differ; "within seed spread" up to twice
    the standard deviation over seeds; else "better" or "worse", with "one seed" where there is no
    spread to hold it against.
    """
    if reasons:
        return "not comparable"
    difference = statistics.fmean(values) - published_value
    if len(values) > 1 and abs(difference) <= 2 * statistics.stdev(values):
        return "within seed spread"
    word = "better" if (difference < 0) == lower_is_better else "worse"
    return word if len(values) > 1 else f"{word}, one seed"
