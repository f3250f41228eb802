"""Differences and verdicts in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

from cut.metrics.catalogue import METRICS
from cut.results.comparison import Comparison, Difference, Verdict
from cut.results.published import PublishedNumber, other_numbers, source_of
from cut.results.rows import Row

DIFFERENCE = "Difference: measured minus published."
VERDICTS = (
    "Within seed spread: the published value lies where one more seed would lie in 19 of 20 cases."
    " One training: no verdict, since no interval over images shows how far another seed may lie."
    " Within image interval (rows without training): it lies in the bootstrap interval of the FID."
    " Equal: no difference in the digits shown."
)
VARIANCE = "docs/variance.md"  # where the deviation over seeds is measured

EPOCHS = {"best": "best epoch", "last": "last epoch", "not stated": "epoch not stated"}


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _epochs(found: Difference, words: str) -> str:
    (full, decay), (theirs, their_decay) = found.measured, found.published
    return f"{full} + {decay} epochs, {words} {theirs} + {their_decay}"


WORDS: dict[str, Callable[[Difference], str]] = {
    "hardware": lambda d: "published on the paper's hardware: no absolute comparison",
    "segmenter": lambda d: "segmented by other weights than the published number",
    "weights": lambda d: f"Inception weights from {d.measured}, not pytorch-fid's",
    "formats": lambda d: f"translations scored as {' and '.join(d.measured)} files, published PNG",
    "size": lambda d: f"images {_size(d.measured)}, published {_size(d.published)}",
    "fit": lambda d: f"images brought to the size by {d.measured}, published {d.published}",
    "images": lambda d: (
        f"{d.measured[0]} against {d.measured[1]} images, published {d.published[0]} against"
        f" {d.published[1]}"
    ),
    "no_method": lambda d: f"no method {d.name} is here to compare the settings with",
    "method": lambda d: f"method {d.measured}, published {d.published}",
    "commands": lambda d: "ran by its own commands: its training is not in the record",
    "epochs": lambda d: _epochs(d, "published"),
    "default_epochs": lambda d: _epochs(d, "published not stated, by default"),
    "option": lambda d: f"{d.name} {json.dumps(d.measured)}, published {json.dumps(d.published)}",
    "pairs": lambda d: (
        f"{d.measured:.0f} pairs of training images per epoch, published {d.published}"
    ),
    "epoch": lambda d: (
        f"{d.measured} epoch, published {d.published} of a training by the test images"
    ),
    "entry": lambda d: d.published,
}


def why(differences: Sequence[Difference]) -> list[str]:
    """Return the words of each difference."""
    return [WORDS[difference.kind](difference) for difference in differences]


def how_scored(number: PublishedNumber) -> str:
    """Return which epoch a published number is of, who scored it, and which images."""
    return f"{EPOCHS[number.epoch]}; scored by {number.scorer}; {number.images}"


def also_published(number: PublishedNumber, dataset: str) -> list[str]:
    """Return the other numbers of the same row and score that read differently, with their sources.

    They are those of other papers, and those that users report.
    """
    show = METRICS[number.metric].show
    return [
        f"also {show(other.value)} by {source_of(other).short} ({'; '.join(_details(other))})"
        for other in other_numbers(number, dataset)
        if show(other.value) != show(number.value)
    ]


def remarks_on(number: PublishedNumber, dataset: str) -> list[str]:
    """Return the remark on a published number and the other numbers, each if there are any."""
    return [*filter(None, [number.remark]), *also_published(number, dataset)]


def _details(number: PublishedNumber) -> list[str]:
    """Return a number's epoch, its remark, and what prevents a comparison."""
    return [EPOCHS[number.epoch], *filter(None, [number.remark, number.differs])]


def verdict_words(verdict: Verdict) -> str:
    """Return a verdict as tables show it."""
    return "one training: no verdict" if verdict.kind == "one training" else verdict.kind


def judged_by(row: Row, found: Comparison) -> str:
    """Return what a verdict was judged by, or "" where it was by nothing but the digits."""
    if found.deviation:
        given, show = found.deviation, METRICS[found.number.metric].show
        return (
            f"judged by a given deviation of {show(given.deviation)} over {given.seeds} seeds"
            f" ({given.source})"
        )
    seeds = len(row.values(found.number.metric))
    words = {"seeds": f"{seeds} seeds", "images": "the interval over images"}
    by = words.get(found.verdict.judged_by if found.verdict else "", "")
    return by and f"judged by {by}"


def given_note(row: Row, found: Comparison) -> tuple[str, ...]:
    """Return the note on a verdict by a deviation that was given; none on another."""
    return (f"{row.name}: {judged_by(row, found)}",) if found.deviation else ()


def one_training(rows: Iterable[Row]) -> list[str]:
    """Return the sentence for a table whose trained rows have one seed; none without any."""
    trained = [row for row in rows if row.varies]
    single = list(dict.fromkeys(row.name for row in trained if row.one_training))
    if not single:
        return []
    if all(row.one_training for row in trained):
        whose = "Each trained row is one training"
    else:
        whose = f"Of one training: {', '.join(single)}"
    return [f"{whose}; differences between rows may be chance of the seed ({VARIANCE})."]
