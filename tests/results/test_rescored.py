"""docs/cityscapes-rescored.md: its table and its statements follow from the published numbers."""

from __future__ import annotations

import re

import pytest
from conftest import ROOT

from cut.metrics.catalogue import METRICS, SEGMENTATION
from cut.results.published import published_number, published_numbers

TEXT = (ROOT / "docs" / "cityscapes-rescored.md").read_text()
NAMES = {"real test images": "real-test"}


def scored(metric):
    """Return one score by that scorer, {method: value}."""
    found = [n for n in published_numbers() if (n.source, n.metric) == ("city", metric)]
    return {number.method: number.value for number in found}


def table():
    """Return the page's table, {method: [texts]}."""
    lines = re.findall(r"^\| (?!method|---)(.+) \|$", TEXT, flags=re.M)
    cells = [[text.strip("` ") for text in line.split("|")] for line in lines]
    return {NAMES.get(name, name): texts for name, *texts in cells}


def test_the_table_has_the_published_numbers():
    shown = table()
    assert list(shown) == list(scored("fid"))
    for method, value in scored("fid").items():
        assert shown[method][0] == METRICS["fid"].show(value), method
    for place, metric in enumerate(SEGMENTATION, 2):
        for method, value in scored(metric).items():
            assert shown[method][place] == f"{100 * value:.2f}", (method, metric)


@pytest.mark.parametrize("method", scored("fid"))
def test_the_fid_elsewhere_is_that_of_another_source(method):
    number = published_number("cityscapes", method, "fid")
    text = "–" if number.source == "city" else METRICS["fid"].show(number.value)
    assert table()[method][1] == text


def test_the_gan_alone_has_the_best_fid_and_a_poor_miou():
    fid, miou = scored("fid"), scored("miou")
    del fid["real-test"], miou["real-test"]
    assert fid["gan-alone"] == min(fid.values()) == fid["decent"]
    assert sum(value > miou["gan-alone"] for value in miou.values()) == 8 == len(miou) - 3
