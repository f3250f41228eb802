"""Published numbers, and in what a run differs from what they were measured on."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml
from scipy.special import stdtrit  # Student's t; scipy.stats takes half a second to import

from cut.metrics.catalogue import COSTS, METRICS
from cut.records.scores import SAME_NETWORK
from cut.results.protocol import WEIGHTS_DEPEND_ON, flatten, image_counts

if TYPE_CHECKING:
    from cut.results.run import Run

DIFFERENCE = "Difference: measured minus published."
VERDICTS = (
    "Within seed spread: the published value lies where one more seed would in 19 of 20 cases;"
    " within image interval, of a single seed: in the interval of its FID; equal: no difference in"
    " the digits shown."
)
LOAD_SIZE = 286  # what it is by default at the published size
EPOCHS = ("epochs_constant", "epochs_decay")


@cache
def published() -> dict[str, Any]:
    """Return `cut/resources/published.yaml`."""
    text = resources.files("cut").joinpath("resources/published.yaml").read_text()
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
    if entry["metric"] in COSTS:
        return ["published on the paper's hardware: no absolute comparison"]
    found = [*_other_scoring(run, entry["metric"]), *_other_settings(run.facts)]
    return [*found, entry["differs"]] if "differs" in entry else found


def _other_scoring(run: Run, metric: str) -> list[str]:
    """Return in what the images and their scoring are not the published ones, in words."""
    given, found = published()["protocol"], []
    facts, protocol = run.facts, flatten(run.protocol)
    if metric in ("miou", "pixel_accuracy", "class_accuracy"):
        found.append("segmented by other weights: the paper's network was not released")
    elif protocol.get("weights.source", SAME_NETWORK[0]) not in SAME_NETWORK:
        found.append(f"Inception weights from {protocol['weights.source']}, not pytorch-fid's")
    formats = protocol.get("fake.formats", ["PNG"])
    if formats != ["PNG"]:
        found.append(f"translations scored as {' and '.join(formats)} files, published PNG")
    h, w = facts["size"]
    if (h, w) != (given["size"], given["size"]):
        found.append(f"images {h}x{w}, published {given['size']}x{given['size']}")
    counts = image_counts(run)
    expected = tuple(given["images"].get(facts["dataset"], counts))
    if None not in counts and counts != expected:
        found.append(f"{counts[0]} against {counts[1]} images, published {expected[0]} against"
                     f" {expected[1]}")  # fmt: skip
    return found


@dataclass(frozen=True)
class Settings:
    """What a published row is: a method, all its options, and those of the training."""

    method: str
    options: dict[str, Any]
    training: dict[str, Any]


@cache
def published_settings(row: str) -> Settings | None:
    """Return what a published row is, or None where no method of its name is here.

    The defaults of a method are its authors' (the paper's code's), so what `published.yaml` does
    not say of a row is its method's default.
    """
    # Only tables of sets that a paper has need the methods.
    from cut.methods.contract import parse_options
    from cut.methods.registry import discover
    from cut.training.options import training_options

    its = published()["protocol"]["rows"].get(row, {})
    name = its.get("method", row)
    method = discover().methods.get(name)
    if method is None:
        return None
    options = parse_options(method.Options, its.get("options", {}), row).model_dump()
    training = training_options(method, {}).model_dump()
    return Settings(name, options, {key: training[key] for key in WEIGHTS_DEPEND_ON})


def _other_settings(facts: Mapping[str, Any]) -> list[str]:
    """Return in what a run's method, options and training are not the published row's, in words."""
    known = published_settings(facts["method"])
    if known is None:
        return [f"no method {facts['method']} is here to compare the settings with"]
    if facts["algorithm"] != known.method:
        return [f"method {facts['algorithm']}, published {known.method}"]
    if facts.get("external"):
        return ["ran by its own commands: its training is not in the record"]
    training = dict(facts.get("training", {}))
    if training.get("load_size") == LOAD_SIZE:
        training["load_size"] = None  # spelled out, but the same
    found = _other_epochs(facts, training, known.training)
    for mine, theirs in ((facts["options"], known.options), (training, known.training)):
        for name, value in theirs.items():
            if name in mine and name not in EPOCHS and mine[name] != value:
                found.append(f"{name} {json.dumps(mine[name])}, published {json.dumps(value)}")
    pairs = published()["protocol"]["pairs"].get(facts["dataset"])
    seen = facts["images_seen"] / facts["epochs"] if facts["epochs"] else 0
    batch = training.get("batch_size", 1)
    if pairs and not training.get("held_out") and abs(seen - pairs) >= batch:
        found.append(f"{seen:.0f} pairs of training images an epoch, published {pairs}")
    return found


def _other_epochs(
    facts: Mapping[str, Any], training: Mapping[str, Any], theirs: Mapping[str, Any]
) -> list[str]:
    """Return how the schedule differs: epochs at the full learning rate, and of its decay."""
    mine, default = ([options.get(name) for name in EPOCHS] for options in (training, theirs))
    if mine == default:
        return []
    stated = facts["method"] in published()["protocol"]["epochs_stated"]
    words = "published" if stated else "published not stated, by default"
    return [f"{mine[0]} + {mine[1]} epochs, {words} {default[0]} + {default[1]}"]


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
    equal = not float(metric.show(difference))
    words = verdict(values, value, reasons, metric.better == "lower", equal,
                    _interval(run, entry["metric"]))  # fmt: skip
    return Comparison(metric.show(value), difference, signed, words, reasons)


def _interval(run: Run, metric: str) -> tuple[float, float] | None:
    """Return the bootstrap interval of a score of `run`, where it has one."""
    bounds = [
        run.value(name)[0] for end in ("low", "high") if (name := f"{metric}_{end}") in METRICS
    ]
    return (bounds[0], bounds[1]) if bounds and None not in bounds else None


def verdict(
    values: Sequence[float],
    published_value: float,
    reasons: Sequence[str],
    lower_is_better: bool,
    equal: bool = False,
    interval: Sequence[float] | None = None,
) -> str:
    """Return how a row's values, one a seed, stand to the published one, in words.

    "not comparable" where `reasons` say in what the runs differ. Else "equal" where a table shows
    no difference; "within seed spread" where the published value lies in the 95 % prediction
    interval of one more seed (Student's t), as it does 19 times in 20 if it is one; of a single
    seed "within image interval" where it lies in `interval`, the bootstrap's; else "better" or
    "worse", with "one seed" where there is no spread to hold it against.
    """
    if reasons:
        return "not comparable"
    if equal:
        return "equal"
    mean, n = statistics.fmean(values), len(values)
    if n > 1:
        reach = stdtrit(n - 1, 0.975) * statistics.stdev(values) * math.sqrt(1 + 1 / n)
        if abs(mean - published_value) <= reach:
            return "within seed spread"
    elif interval and interval[0] <= published_value <= interval[1]:
        return "within image interval, one seed"
    word = "better" if (mean < published_value) == lower_is_better else "worse"
    return word if n > 1 else f"{word}, one seed"
