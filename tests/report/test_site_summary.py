"""The page's beginning, its filter, the folded protocol and the model cards."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, unquote

import pytest
import yaml
from fake_runs import write_resamples, write_run, write_test
from site_results import ODD, to_images, write_many, write_results

from cut.report.site.links import Links
from cut.report.site.page import write_site
from cut.report.site.pictures import pictures
from cut.report.site.summary import summary_of
from cut.results.rows import rows_of
from cut.results.run import load_run


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("results")
    runs = write_results(root) + write_results(root, "cat2dog", truth=False)
    home = root / "horse2zebra"
    runs.append(write_run(home / "cyclegan" / "seed0", "cyclegan", dataset="horse2zebra"))
    for run in (runs[1], runs[-1]):  # two rows with resamples have a rank matrix
        write_resamples(run, fid=[60.0, 62.5])
    return write_site(root / "site", runs)


def summary(out, runs):
    rows = rows_of(map(load_run, runs))
    return summary_of(rows, pictures(rows, Links(out)))


def test_the_strip_has_the_input_and_every_method(tmp_path):
    (tmp_path / "site").mkdir()  # a link leads out of it
    found = summary(tmp_path / "site", write_results(tmp_path))
    labels = [column.label for column in found.strip]
    assert labels == ["input", "cut", "fastcut", "none", "true counterpart"]
    assert [column.family for column in found.strip][1:3] == ["contrastive"] * 2
    for column in found.strip:
        assert len(column.tiles) == 3
        for tile in column.tiles:
            assert (tmp_path / "site" / unquote(tile.url)).is_file()
    query = parse_qs(found.strip[1].tiles[2].address.removeprefix("#images&"))
    assert query == {
        "set": ["horse2zebra"],
        "image": ["img_2"],
        "left": ["input"],
        "right": ["cut"],
    }


def test_the_images_are_spread_over_the_test_set(tmp_path):
    found = summary(tmp_path / "site", write_many(tmp_path, images=30, methods=1))
    words = [tile.words for tile in found.strip[0].tiles]
    assert words == [f"input: n0238146_{i:05}" for i in (0, 10, 20)]


def test_names_are_quoted_and_a_missing_picture_has_no_address(tmp_path):
    write_test(tmp_path / ODD / "coats2stripes" / "test")
    run = write_run(tmp_path / ODD / "coats2stripes" / "cut" / "seed0")
    (run / "translated" / "img_0.png").unlink()
    page = write_site(tmp_path / "site", [run]).read_text()
    assert '<td data-family="contrastive">none</td>' in page and ODD not in page


def test_every_run_of_a_method_has_a_card(site):
    names = {path.name for path in (site.parent / "cards").iterdir()}
    sets = {"horse2zebra": ["cut", "fastcut", "none", "cyclegan"], "cat2dog": ["cut", "fastcut"]}
    assert {f"{name}-{row}-seed0.md" for name, rows in sets.items() for row in rows} < names
    assert not [name for name in names if "-copy-" in name or "-real-" in name]
    card = (site.parent / "cards" / "horse2zebra-cut-seed0.md").read_text()
    front = yaml.safe_load(card.split("---\n")[1])
    assert front["scores"]["fid"] == 171.7 and front["dataset"] == "horse2zebra"
    page = site.read_text()
    assert page.count('href="cards/horse2zebra-cut-seed0.md"') == 2, "the chart and the details"


# -- in a browser --------------------------------------------------------------------------------


def test_a_data_set_and_a_family_are_chosen_for_the_whole_page(opened, site):
    page = opened(site)
    page.get_by_role("combobox", name="Show data set").select_option("cat2dog")
    assert page.locator("#summary h3:visible").all_inner_texts() == ["cat2dog"]
    assert page.locator("#scores h3:visible").all_inner_texts() == ["cat2dog"]
    assert page.locator("#details h3:visible").all_inner_texts() == ["cat2dog"]
    assert page.locator("#ranks h3").count() == 1, "of horse2zebra"
    assert not page.locator("#ranks h3").is_visible()
    assert not page.locator("#figures img[alt*='horse2zebra']").is_visible()
    to_images(page)
    assert "/cat2dog/" in page.locator("#grid img").first.get_attribute("src")
    page.get_by_role("combobox", name="Show data set").select_option("all")
    page.get_by_role("combobox", name="Show family").select_option("cycle")
    shown = page.locator("#scores-1 tbody tr:not([hidden]) .name").all_inner_texts()
    assert shown == ["copy", "cyclegan", "real"], "controls belong to every family"
    assert page.locator("#scores-1-status").inner_text() == "3 of 6 rows shown."
    first = page.locator("#summary .set").first
    assert first.locator(".glance thead th:visible").all_inner_texts() == [
        "input",
        "cyclegan",
        "true counterpart",
    ]
    assert first.locator(".chart tbody .name:visible").all_inner_texts() == [
        "real",
        "cyclegan",
        "copy",
    ]
    boxes = page.locator("#columns label").all_inner_texts()
    assert [box.strip() for box in boxes] == ["input", "copy (control)"], "cat2dog has no other"
    page.get_by_role("combobox", name="Data set", exact=True).select_option(label="horse2zebra")
    boxes = page.locator("#columns label").all_inner_texts()
    assert "cyclegan" in [box.strip() for box in boxes] and len(boxes) == 4


def test_a_picture_of_the_strip_leads_to_its_comparison(opened, site):
    page = opened(site)
    page.locator("#summary .glance").first.get_by_alt_text("fastcut: img_2").click()
    assert page.locator("#compared").inner_text() == "img_2, 3 of 4"
    assert page.locator("#left-name").inner_text() == "input"
    assert page.locator("#right-name").inner_text() == "fastcut"
    page.locator("#summary .glance").nth(1).get_by_alt_text("cut: img_1", exact=True).click()
    assert page.locator("#compared").inner_text() == "img_1, 2 of 4"
    assert page.locator("#set").input_value() == "1", "of the other data set"


def test_the_protocol_is_folded_but_for_its_first_sentence(opened, site):
    page = opened(site)
    protocol = page.locator("#scores-1-end .protocol")
    assert protocol.locator("summary").inner_text().startswith("Final epoch, 48x48 pixels")
    words = protocol.locator(".caption")
    assert not words.is_visible()
    protocol.locator("summary").click()
    assert "test translations against" in words.inner_text()
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".protocol:not([open])").count() == 0


def test_without_scripts_the_summary_is_there_and_no_filter(opened, site):
    page = opened(site, java_script_enabled=False)
    assert page.locator("#summary .chart").first.is_visible()
    assert page.locator("#summary .glance img").first.is_visible()
    assert not page.get_by_role("combobox", name="Show family").is_visible()
