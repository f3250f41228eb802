"""Differences and verdicts in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from cut.metrics.catalogue import METRICS
from cut.results.comparison import Difference, Verdict
from cut.results.published import PublishedNumber, other_numbers, source_of

DIFFERENCE = "Difference: measured minus published."
VERDICTS = (
    "Within seed spread: the published value lies where one more seed would lie in 19 of 20 cases."
    " Within image interval (single seeds): it lies in the bootstrap interval of the FID."
    " Equal: no difference in the digits shown."
)

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
    return f"{verdict.kind}, one seed" if verdict.one_seed else verdict.kind
