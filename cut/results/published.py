"""Numbers that papers have published, and the protocol that they stand on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import yaml

from cut.training.options import WEIGHTS_DEPEND_ON

Epoch = Literal["best", "last", "not stated"]


@dataclass(frozen=True)
class Source:
    """Where published numbers stand, and how they were scored; see `published.yaml`'s head."""

    name: str
    short: str
    epoch: Epoch
    scorer: str
    images: str
    remark: str = ""
    users: bool = False


@dataclass(frozen=True)
class PublishedNumber:
    """One number of `cut/resources/published.yaml`, whose head describes the fields.

    `epoch`, `scorer` and `images` are the source's unless the number has others.
    """

    dataset: str
    method: str
    metric: str
    value: float
    source: str
    check: str
    differs: str = ""
    remark: str = ""
    epoch: Epoch = "not stated"
    scorer: str = ""
    images: str = ""


@cache
def published() -> dict[str, Any]:
    """Return `cut/resources/published.yaml`."""
    text = resources.files("cut").joinpath("resources/published.yaml").read_text()
    return yaml.safe_load(text)


@cache
def sources() -> dict[str, Source]:
    """Return every source by its key."""
    return {key: Source(**fields) for key, fields in published()["sources"].items()}


@cache
def published_numbers() -> tuple[PublishedNumber, ...]:
    """Return every published number, in the order of the file."""
    return tuple(map(_number, [*published()["entries"], *_entries_of_tables()]))


def _number(entry: dict[str, Any]) -> PublishedNumber:
    source = sources()[entry["source"]]
    protocol = {"epoch": source.epoch, "scorer": source.scorer, "images": source.images}
    return PublishedNumber(**{**protocol, **entry})


def _entries_of_tables() -> Iterator[dict[str, Any]]:
    """Return the entries that the file gives as tables, row by row."""
    for table in published()["tables"]:
        shared = {key: value for key, value in table.items() if key not in ("columns", "rows")}
        for method, values in table["rows"].items():
            for column, value in zip(table["columns"], values, strict=True):
                if value is not None:
                    dataset, metric = column.split()
                    place = {"dataset": dataset, "method": method, "metric": metric}
                    yield {**shared, **place, "value": value}


@cache
def published_number(dataset: str, row: str, metric: str) -> PublishedNumber | None:
    """Return the published number of a row by its name, or None.

    Of several it is the first, and none that users reported.
    """
    found = (n for n in _numbers_of(dataset, row, metric) if not source_of(n).users)
    return next(found, None)


def other_numbers(number: PublishedNumber, dataset: str) -> list[PublishedNumber]:
    """Return the other numbers of the same method, score and data set, users' reports included."""
    found = _numbers_of(dataset, number.method, number.metric)
    return [other for other in found if other is not number]


def _numbers_of(dataset: str, row: str, metric: str) -> list[PublishedNumber]:
    known = dataset in published()["protocol"]["images"]
    return [
        number
        for number in published_numbers()
        if (number.dataset == dataset or (number.dataset == "any" and known))
        and (number.method, number.metric) == (row, metric)
    ]


def source_of(number: PublishedNumber) -> Source:
    """Return the place that a published number stands in."""
    return sources()[number.source]


@dataclass(frozen=True)
class Settings:
    """The settings of a published row: a method, all its options, and those of the training.

    They are as a run's record has them: lists, and no tuples.
    """

    method: str
    options: dict[str, Any]
    training: dict[str, Any]


@cache
def published_settings(row: str, dataset: str = "") -> Settings | None:
    """Return the settings of a published row, or None where no method of its name is here.

    The defaults of a method are its authors' (of the paper's code). A setting that
    `published.yaml` does not give for a row, on this data set or all, is its method's default.
    """
    # Deferred: the methods load torch, and only data sets with published numbers need them.
    from cut.methods.options import parse_options
    from cut.methods.registry import discover
    from cut.training.options import training_options

    given = published()["protocol"]["rows"].get(row, {})
    name = given.get("method", row)
    method = discover().methods.get(name)
    if method is None:
        return None
    own = given.get("by_dataset", {}).get(dataset, {})
    options = parse_options(method.Options, {**given.get("options", {}), **own}, row)
    training = training_options(method, given.get("training", {})).model_dump(mode="json")
    kept = {key: training[key] for key in WEIGHTS_DEPEND_ON}
    return Settings(name, options.model_dump(mode="json"), kept)
