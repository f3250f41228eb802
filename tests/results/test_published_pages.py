"""The pages about published numbers: their tables and statements follow from published.yaml."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

from cut.metrics.catalogue import METRICS, SEGMENTATION
from cut.results.published import published_number, published_numbers, source_of

NAMES = {"real test images": "real-test"}
SHOWN = [("horse2zebra", "fid"), ("cat2dog", "fid"), ("cityscapes", "fid"), ("cityscapes", "miou")]


def tables(page):
    """Return the tables of a page by the header of their second column: lists of lists of texts."""
    found: dict[str, list[list[str]]] = {}
    text = (ROOT / "docs" / page).read_text()
    for block in re.findall(r"^\|(?:.+\|\n)+", text, flags=re.M):
        head, _, *lines = (
            [cell.strip(" `") for cell in line.split("|")[1:-1]] for line in block.splitlines()
        )
        found[head[1]] = lines
    return found


def shown(dataset, row, metric):
    """Return a published number as a table shows it, or a dash."""
    number = published_number(dataset, row, metric)
    return METRICS[metric].show(number.value) if number else "–"


# -- the re-evaluation on cityscapes -------------------------------------------------------------


def scored(metric):
    """Return one score by that scorer, {method: value}."""
    found = [n for n in published_numbers() if (n.source, n.metric) == ("city", metric)]
    return {number.method: number.value for number in found}


@pytest.fixture(scope="module")
def rescored():
    """Return the page's table, {method: [texts]}."""
    return {NAMES.get(n, n): texts for n, *texts in tables("cityscapes-rescored.md")["FID ↓"]}


def test_the_table_has_the_published_numbers(rescored):
    assert list(rescored) == list(scored("fid"))
    for method, value in scored("fid").items():
        assert rescored[method][0] == METRICS["fid"].show(value), method
    for place, metric in enumerate(SEGMENTATION, 2):
        for method, value in scored(metric).items():
            assert rescored[method][place] == f"{100 * value:.2f}", (method, metric)


def test_the_fid_elsewhere_is_that_of_another_source(rescored):
    for method in scored("fid"):
        number = published_number("cityscapes", method, "fid")
        text = "–" if number.source == "city" else METRICS["fid"].show(number.value)
        assert rescored[method][1] == text, method


def test_the_gan_alone_has_the_best_fid_and_a_poor_miou():
    fid, miou = scored("fid"), scored("miou")
    del fid["real-test"], miou["real-test"]
    assert fid["gan-alone"] == min(fid.values()) == fid["decent"]
    assert sum(value > miou["gan-alone"] for value in miou.values()) == 8 == len(miou) - 3


# -- the methods after CUT -----------------------------------------------------------------------


def test_the_published_numbers_of_the_methods_after_cut_are_as_tables_show_them():
    lines = tables("successors.md")["horse2zebra FID"]
    assert len(lines) >= 13
    for row, *texts, source in lines:
        assert texts == [shown(dataset, row, metric) for dataset, metric in SHOWN], row
        numbers = filter(None, (published_number(d, row, m) for d, m in SHOWN))
        places = dict.fromkeys(source_of(number).short for number in numbers)
        assert source == (", ".join(places) or "–"), row


def test_every_number_that_users_report_is_on_the_page():
    (lines,) = (lines for head, lines in tables("successors.md").items() if head == "data set")
    reports = [number for number in published_numbers() if source_of(number).users]
    assert len(lines) == len(reports)
    for (row, dataset, published, value, epoch, where), number in zip(lines, reports, strict=True):
        assert (row, dataset, epoch) == (number.method, number.dataset, number.epoch)
        assert value == METRICS[number.metric].show(number.value), number
        assert published == shown(dataset, row, number.metric) and where in source_of(number).name
