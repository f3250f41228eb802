"""Numbers that papers have published, and the protocol that they stand on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

from cut.training.options import WEIGHTS_DEPEND_ON


@dataclass(frozen=True)
class PublishedNumber:
    """One entry of `cut/resources/published.yaml`, whose head describes the fields."""

    dataset: str
    method: str
    metric: str
    value: float
    source: str
    check: str
    differs: str = ""
    remark: str = ""


@cache
def published() -> dict[str, Any]:
    """Return `cut/resources/published.yaml`."""
    text = resources.files("cut").joinpath("resources/published.yaml").read_text()
    return yaml.safe_load(text)


@cache
def published_numbers() -> tuple[PublishedNumber, ...]:
    """Return every published number."""
    return tuple(PublishedNumber(**entry) for entry in published()["entries"])


@cache
def published_number(dataset: str, row: str, metric: str) -> PublishedNumber | None:
    """Return the published number of a row by its name, or None."""
    known = dataset in {number.dataset for number in published_numbers()}
    for number in published_numbers():
        same_set = number.dataset == dataset or (number.dataset == "any" and known)
        if same_set and number.method == row and number.metric == metric:
            return number
    return None


def source_of(number: PublishedNumber) -> str:
    """Return the paper and the table that a published number stands in."""
    return published()["sources"][number.source]


@dataclass(frozen=True)
class Settings:
    """The settings of a published row: a method, all its options, and those of the training."""

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
    options = parse_options(method.Options, {**given.get("options", {}), **own}, row).model_dump()
    training = training_options(method, {}).model_dump(mode="json")
    return Settings(name, options, {key: training[key] for key in WEIGHTS_DEPEND_ON})
