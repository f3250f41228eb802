"""Measured rows against published numbers: what differs in the settings, and a verdict."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from scipy.special import stdtrit  # Student's t; scipy.stats takes half a second to import

from cut.metrics.catalogue import COSTS, METRICS, SEGMENTATION
from cut.records.scores import SAME_NETWORK
from cut.results.protocol import image_counts
from cut.results.published import PublishedNumber, published, published_settings
from cut.results.rows import Row
from cut.results.run import Run
from cut.results.seed_deviation import SeedDeviation

LOAD_SIZE = 286  # the default load size at the published image size
FIT = "stretch"  # how papers bring images to the size
EPOCHS = ("epochs_constant", "epochs_decay")

Kind = Literal[
    "hardware",  # costs belong to the machine that they were measured on
    "segmenter",  # the network that segments the translations
    "weights",  # of the Inception network
    "formats",  # of the files that were scored
    "size",  # of the images, (height, width)
    "fit",  # how images were brought to it
    "images",  # (translations, references)
    "no_method",  # the published row's method is not here
    "method",
    "commands",  # the method's own commands trained it, so the record has no training options
    "epochs",  # (at the full learning rate, of its decay), stated by the paper
    "default_epochs",  # the same, not stated: the defaults of the paper's code
    "option",  # of the method or the training; `name` says which
    "pairs",  # of training images per epoch
    "epoch",  # the published number is of the best epoch, a run's of the last
    "entry",  # what the published entry itself says
]


@dataclass(frozen=True)
class Difference:
    """One setting in which a run is not what a published number was measured on."""

    kind: Kind
    measured: Any = None
    published: Any = None
    name: str = ""


def differences(run: Run, number: PublishedNumber) -> list[Difference]:
    """Return every difference that keeps a run from comparison with a published number."""
    if number.metric in COSTS:
        return [Difference("hardware")]
    found = [*_scoring(run, number.metric), *_settings(run)]
    found += [Difference("epoch", "last", "best")] if number.epoch == "best" else []
    return [*found, Difference("entry", None, number.differs)] if number.differs else found


def _scoring(run: Run, metric: str) -> list[Difference]:
    """Return the differences of the images and of their scoring."""
    given, found = published()["protocol"], []
    weights, formats = run.protocol.weights, run.protocol.fake.formats
    if metric in SEGMENTATION:
        found.append(Difference("segmenter"))
    elif weights and weights.source not in SAME_NETWORK:
        found.append(Difference("weights", weights.source, SAME_NETWORK[0]))
    if formats != ("PNG",):
        found.append(Difference("formats", formats, ("PNG",)))
    size, expected = run.record.size, (given["size"], given["size"])
    if size != expected:
        found.append(Difference("size", size, expected))
    if run.record.fit != FIT:
        found.append(Difference("fit", run.record.fit, FIT))
    counts = image_counts(run)
    expected = tuple(given["images"].get(run.record.dataset, counts))
    if counts != expected:
        found.append(Difference("images", counts, expected))
    return found


def _settings(run: Run) -> list[Difference]:
    """Return the differences of the method, its options and its training."""
    record = run.record
    known = published_settings(record.method, record.dataset)
    if known is None:
        return [Difference("no_method", name=record.method)]
    if record.algorithm != known.method:
        return [Difference("method", record.algorithm, known.method)]
    if record.external:
        return [Difference("commands")]
    training = dict(record.training)
    if training.get("load_size") == LOAD_SIZE:
        training["load_size"] = None  # the default, spelled out
    found = _epochs(record.method, training, known.training)
    for measured, theirs in ((record.options, known.options), (training, known.training)):
        for name, value in theirs.items():
            if name in measured and name not in EPOCHS and measured[name] != value:
                found.append(Difference("option", measured[name], value, name))
    pairs = published()["protocol"]["pairs"].get(record.dataset)
    seen = record.images_seen / record.epochs if record.epochs else 0
    batch = training.get("batch_size", 1)
    if pairs and not training.get("held_out") and abs(seen - pairs) >= batch:
        found.append(Difference("pairs", seen, pairs))
    return found


def _epochs(row: str, training: Mapping[str, Any], theirs: Mapping[str, Any]) -> list[Difference]:
    """Return the difference of the schedules."""
    measured, default = (tuple(o.get(name) for name in EPOCHS) for o in (training, theirs))
    if measured == default:
        return []
    stated = row in published()["protocol"]["epochs_stated"]
    return [Difference("epochs" if stated else "default_epochs", measured, default)]


# -- verdicts ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Verdict:
    """A row's mean against a published value, and what it was judged by.

    "one training": there is no verdict, since another seed may give another number.
    """

    kind: Literal[
        "not comparable",
        "one training",
        "equal",
        "within seed spread",
        "within image interval",
        "better",
        "worse",
    ]
    judged_by: Literal["seeds", "given deviation", "images", ""] = ""


@dataclass(frozen=True)
class Comparison:
    """A row beside a published number.

    Attributes:
        number: the published number.
        difference: the row's mean minus that number, in the metric's unit; None without a mean.
        verdict: None without a mean.
        differences: what keeps the two from comparison.
        deviation: the deviation over seeds that was given, where the verdict used it.
    """

    number: PublishedNumber
    difference: float | None
    verdict: Verdict | None
    differences: list[Difference]
    deviation: SeedDeviation | None = None


def compare(row: Row, number: PublishedNumber) -> Comparison:
    """Return how a row compares to a published number."""
    found = differences(row.first, number)
    mean = row.mean(number.metric)
    if mean is None:
        return Comparison(number, None, None, found)
    judged = Verdict("not comparable") if found else _judged(row, number)
    used = row.deviations[number.metric] if judged.judged_by == "given deviation" else None
    return Comparison(number, mean - number.value, judged, found, used)


def _judged(row: Row, number: PublishedNumber) -> Verdict:
    """Return the verdict on a row with a mean and without a difference in the settings."""
    metric, values = METRICS[number.metric], row.values(number.metric)
    lower, given = metric.better == "lower", row.deviations.get(metric.key)
    if not row.varies:
        interval = _interval(row.first, metric.key)
        judged = judge_untrained(values[0], number.value, lower, interval)
    else:
        judged = judge(values, number.value, lower, given)
    same = not float(metric.show(statistics.fmean(values) - number.value))
    return Verdict("equal") if same and judged.kind != "one training" else judged


def _interval(run: Run, metric: str) -> tuple[float, float] | None:
    """Return the bootstrap interval of a score, where the run has one."""
    names = [f"{metric}_low", f"{metric}_high"]
    bounds = [run.value(name)[0] for name in names if name in METRICS]
    return (bounds[0], bounds[1]) if bounds and None not in bounds else None


def judge(
    values: Sequence[float],
    published_value: float,
    lower_is_better: bool,
    given: SeedDeviation | None = None,
) -> Verdict:
    """Return the verdict on comparable values of a training, one per seed and at least one.

    "within seed spread": the published value lies in the 95 % prediction interval of one more seed
    (Student's t), as one more seed would in 19 of 20 cases. The spread is that of the values or,
    with a single one, the deviation that is `given`. Otherwise "better" or "worse". An interval
    over images does not judge a training: two seeds differ by more than it.
    """
    n = len(values)
    if n > 1:
        spread, seeds, by = statistics.stdev(values), n, "seeds"
    elif given:
        spread, seeds, by = given.deviation, given.seeds, "given deviation"
    else:
        return Verdict("one training")
    mean = statistics.fmean(values)
    reach = stdtrit(seeds - 1, 0.975) * spread * math.sqrt(1 + 1 / n)
    if abs(mean - published_value) <= reach:
        return Verdict("within seed spread", by)
    return Verdict(_side(mean, published_value, lower_is_better), by)


def judge_untrained(
    value: float,
    published_value: float,
    lower_is_better: bool,
    interval: tuple[float, float] | None = None,
) -> Verdict:
    """Return the verdict on the comparable value of a row that no seed changes.

    "within image interval": the published value lies in `interval`, the bootstrap's over images.
    """
    if interval and interval[0] <= published_value <= interval[1]:
        return Verdict("within image interval", "images")
    return Verdict(_side(value, published_value, lower_is_better), "images" if interval else "")


def _side(
    value: float, published_value: float, lower_is_better: bool
) -> Literal["better", "worse"]:
    return "better" if (value < published_value) == lower_is_better else "worse"
