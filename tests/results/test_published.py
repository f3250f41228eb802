"""The published numbers: which one is shown, and what is beside it."""

from __future__ import annotations

from typing import get_args

import pytest

from cut.metrics.catalogue import METRICS, SEGMENTATION
from cut.results.published import (
    Epoch,
    other_numbers,
    published,
    published_number,
    published_numbers,
    source_of,
    sources,
)

PAPER = ("table1", "fig4")
# Whose own methods a source has.
OWN = {"dclgan": {"dclgan", "simdcl"}, "unsb": {"unsb"}, "flsesim": {"f-lsesim"}}


def test_numbers_are_well_formed_and_each_is_given_once():
    seen = set()
    for number in published_numbers():
        assert number.metric in METRICS and number.check in ("V1", "V2", "V3"), number
        assert isinstance(number.value, int | float) and number.value >= 0, number
        if METRICS[number.metric].scale != 1:
            assert number.value < 1, f"{number} is scaled"
        key = (number.dataset, number.method, number.metric, number.source, number.value)
        assert key not in seen, f"{key} is given twice"
        seen.add(key)


def test_every_source_says_how_it_was_scored_and_is_used():
    assert {number.source for number in published_numbers()} == set(sources())
    for key, source in sources().items():
        assert source.epoch in get_args(Epoch) and source.scorer and source.images, key
        assert len(source.short) <= len(source.name), key
    for number in published_numbers():
        assert number.epoch in get_args(Epoch) and number.scorer and number.images


def test_the_number_shown_is_the_papers_or_the_authors_own():
    keys = {(number.dataset, number.method, number.metric) for number in published_numbers()}
    for dataset, method, metric in keys - {("cityscapes", "dclgan", name) for name in SEGMENTATION}:
        place = "cityscapes" if dataset == "any" else dataset
        shown = published_number(place, method, metric)
        if shown is None or shown.source in PAPER:
            continue
        others = {other.source for other in other_numbers(shown, place)}
        assert not others & {*PAPER}, shown
        own = {source for source, methods in OWN.items() if method in methods}
        assert shown.source in own or not others & own, shown


def test_dclgan_is_shown_with_the_segmentation_network_of_all_others():
    shown = published_number("cityscapes", "dclgan", "miou")
    (own,) = other_numbers(shown, "cityscapes")
    assert (shown.value, own.value) == (0.2775, 0.17) and "FCN-8" in own.scorer


@pytest.mark.parametrize(
    ("dataset", "method", "value"),
    [
        ("horse2zebra", "cut", 45.5),
        ("horse2zebra", "fastcut", 73.4),
        ("horse2zebra", "cyclegan", 77.2),
        ("cat2dog", "munit", 104.4),
        ("cityscapes", "drit", 155.3),
        ("cityscapes", "cyclegan", 76.3),
        ("cityscapes", "distancegan", 81.8),
        ("horse2zebra", "last", 441.7),
        ("cityscapes", "ext-only-last", 389.1),
        ("cityscapes", "dclgan", 49.4),
        ("cityscapes", "f-lsesim", 49.7),
        ("cityscapes", "gan-alone", 47.4),
        ("facades", "cut", 119.7),
    ],
)
def test_published_fids_are_the_papers(dataset, method, value):
    assert published_number(dataset, method, "fid").value == value


def test_no_number_of_another_source_is_lost():
    shown = published_number("cityscapes", "cyclegan", "fid")
    found = {(n.source, n.value) for n in other_numbers(shown, "cityscapes")}
    assert found == {("dclgan", 68.6), ("city", 66.7)}


def test_what_users_report_is_beside_a_published_number_and_never_alone():
    assert published_number("horse2zebra", "hneg-src", "fid") is None
    shown = published_number("horse2zebra", "unsb", "fid")
    others = other_numbers(shown, "horse2zebra")
    assert (shown.value, shown.epoch) == (35.7, "best")
    assert [(n.value, n.epoch) for n in others] == [(67.0, "last"), (38.9, "best")]
    assert all(source_of(n).users for n in others)


def test_a_cost_is_published_for_all_sets_of_the_paper_and_no_other():
    assert published_number("cat2dog", "cut", "seconds_per_iteration").value == 0.24
    for dataset in ("coats2stripes", "summer2winter", "facades"):
        assert published_number(dataset, "cut", "seconds_per_iteration") is None


def test_a_table_gives_one_number_per_value():
    (table,) = (t for t in published()["tables"] if t["source"] == "city")
    numbers = [n for n in published_numbers() if n.source == "city"]
    assert len(numbers) == 12 * 4 == len(table["rows"]) * len(table["columns"])
    (decent,) = (n for n in numbers if n.method == "decent" and n.metric == "class_accuracy")
    assert (decent.dataset, decent.value) == ("cityscapes", 0.3933)
