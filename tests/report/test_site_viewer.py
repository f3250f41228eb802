"""The page of many seeds, data sets and long names, in a browser and on paper."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fake_runs import write_best, write_images, write_run, write_test
from PIL import Image
from site_results import to_images, write_ablation, write_many

from cut.report.site.page import Contents, write_site

LONG = "a-method-whose-name-goes-on-for-seventy-letters-to-tell-all-of-its-opt"


@pytest.fixture(scope="module")
def ablation(tmp_path_factory) -> Path:
    """Return the page of an ablation on two data sets, of three seeds with best epochs."""
    root = tmp_path_factory.mktemp("ablation")
    runs = write_ablation(root, seeds=(0, 1, 2))
    return write_site(root / "site", runs, Contents(ablation=True))


def labels(page) -> list[str]:
    """Return what the strip shows."""
    return page.locator("#strip button span").all_inner_texts()


def test_seeds_and_epochs_are_two_choices_and_not_a_column_each(opened, ablation):
    page = opened(ablation)
    to_images(page)
    methods = ["cut", "no-id-15neg", "last", "no-id", "ext-only"]
    assert labels(page) == ["input", "copy (control)", *[f"{m}, seed 0" for m in methods]]
    boxes = page.locator("#columns label").all_inner_texts()
    assert [box.strip() for box in boxes] == ["input", "copy (control)", *methods]
    page.get_by_role("combobox", name="Seed", exact=True).select_option("2")
    page.get_by_role("combobox", name="Epoch", exact=True).select_option("best")
    shown = [f"{m}, seed 2, best epoch (2)" for m in methods]
    assert labels(page)[2:] == shown
    assert page.locator("#grid thead th").all_inner_texts() == ["image", "input", *shown]
    assert page.locator("#right-name").inner_text() == shown[0], "the comparison follows"
    assert page.locator("#left-name").inner_text() == "input"


def test_the_choices_are_hidden_where_there_is_one_seed_and_no_best_epoch(opened, tmp_path):
    page = opened(write_site(tmp_path / "site", write_many(tmp_path, images=2, methods=2)))
    to_images(page)
    assert not page.get_by_role("combobox", name="Seed", exact=True).is_visible()
    assert not page.get_by_role("combobox", name="Epoch", exact=True).is_visible()


def test_a_link_to_one_seed_shows_that_seed(opened, ablation):
    query = "#images&set=cityscapes&image=img_2&left=cut%2C+seed+0&right=last%2C+seed+1"
    page = opened(ablation, query)
    assert page.locator("#left-name").inner_text() == "cut, seed 0"
    assert page.locator("#right-name").inner_text() == "last, seed 1"
    assert page.locator("#compared").inner_text() == "img_2, 3 of 4"
    assert page.get_by_role("combobox", name="Seed", exact=True).input_value() == "1"
    pressed = page.locator("#strip [aria-pressed=true] span")
    assert pressed.all_inner_texts() == ["last, seed 1"]


def test_another_data_set_keeps_what_was_chosen(opened, ablation):
    page = opened(ablation)
    to_images(page)
    page.get_by_role("combobox", name="Seed", exact=True).select_option("1")
    page.get_by_role("combobox", name="Left").select_option(label="no-id, seed 1")
    page.get_by_role("combobox", name="Right").select_option(label="last, seed 2, best epoch (2)")
    page.locator("#columns").get_by_label("ext-only").uncheck()
    page.get_by_role("button", name="Compare img_3").click()
    page.get_by_role("combobox", name="Data set", exact=True).select_option(label="cityscapes")
    assert page.locator("#left-name").inner_text() == "no-id, seed 1"
    assert page.locator("#right-name").inner_text() == "last, seed 2, best epoch (2)"
    assert page.locator("#compared").inner_text() == "img_3, 4 of 4"
    assert not page.locator("#columns").get_by_label("ext-only").is_checked()
    image = page.locator("img-comparison-slider img").first
    assert "/cityscapes/no-id/seed1/" in image.get_attribute("src")


def test_the_keyboard_passes_the_strip_at_one_stop(opened, ablation):
    page = opened(ablation)
    to_images(page)
    page.locator("#reveal").focus()
    page.keyboard.press("Tab")
    focus = "document.activeElement.querySelector('span')?.textContent"
    assert page.evaluate(focus) == "cut, seed 0", "the column compared"
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert page.locator("#right-name").inner_text() == "last, seed 0"
    page.keyboard.press("Home")
    assert page.evaluate(focus) == "input"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "column-0"


def test_the_table_of_all_sets_sorts_and_says_by_which_column(opened, ablation):
    page = opened(ablation)
    names = page.locator("#overview tbody th")
    page.locator("#overview").get_by_role("button", name="FID ↓").nth(1).click()
    assert names.first.inner_text() == "no-id" and "copy" not in names.first.inner_text()
    status = page.locator("#overview-status").inner_text()
    assert status == "Sorted by cityscapes FID ↓, ascending."
    page.locator("#overview").get_by_role("button", name="Negs").click()
    assert names.first.inner_text() == "no-id-15neg"
    assert names.last.inner_text().startswith("copy"), "without a value: last"


def test_bars_share_their_left_edge_and_are_there_on_a_phone(opened, ablation):
    for width in (1280, 390):
        page = opened(ablation, viewport={"width": width, "height": 800})
        bars = page.locator("#scores-1 svg.interval")
        boxes = bars.evaluate_all("all => all.map((e) => e.getBoundingClientRect().toJSON())")
        assert len(boxes) == 6
        assert {round(box["left"], 1) for box in boxes} == {round(boxes[0]["left"], 1)}
        assert boxes[0]["width"] > 80 and {box["width"] for box in boxes} == {boxes[0]["width"]}


def test_a_table_can_be_skipped_with_the_keyboard(opened, ablation):
    page = opened(ablation)
    skip = page.get_by_role("link", name="Skip this table").first
    skip.focus()
    assert skip.evaluate("e => e.getBoundingClientRect().left >= 0")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.closest('#overview') === null")
    assert page.evaluate("document.activeElement.closest('.protocol') !== null")
    page.keyboard.press("Tab")
    assert page.evaluate("!document.activeElement.closest('.set').querySelector('#overview')")


@pytest.mark.parametrize("width", [320, 390])
def test_long_names_do_not_widen_a_phone(opened, tmp_path, width):
    home = tmp_path / "coats2stripes"
    write_test(home / "test")
    runs = []
    for name in (LONG, LONG.replace("-", "_")):
        for seed in (0, 1):
            run = write_run(home / name / f"seed{seed}", name, algorithm="cut", seed=seed)
            write_images(write_best(run, {2: 60.0, 3: 61.0}) / "best" / "translated")
            runs.append(run)
    page = opened(
        write_site(tmp_path / "site", runs),
        viewport={"width": width, "height": 800},
        is_mobile=True,
        has_touch=True,
    )
    to_images(page)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("#left-name").inner_text() == "input"
    line = "e => e.getBoundingClientRect().height / parseFloat(getComputedStyle(e).lineHeight)"
    rects = (
        "e => { const r = document.createRange(); r.selectNodeContents(e);"
        " return r.getClientRects().length; }"
    )
    assert page.locator("#left-name").evaluate(rects) == 1, "a short word in one line"
    assert page.locator("#columns label").nth(1).evaluate(line) > 1.5, "a long one wraps"
    page.emulate_media(media="print")
    for name in page.locator(".scores .name").all():
        assert name.evaluate("e => e.scrollWidth <= e.clientWidth"), "within its cell on paper"


def test_a_wide_figure_scrolls_at_a_readable_size_on_a_phone(opened, tmp_path):
    run = write_run(tmp_path / "coats2stripes" / "cut" / "seed0", "cut")
    (tmp_path / "figures").mkdir()
    picture = Image.new("RGB", (1380, 500), "white")
    picture.save(tmp_path / "figures" / "coats2stripes-cost.png", dpi=(200, 200))
    page = opened(write_site(tmp_path / "site", [run]), viewport={"width": 390, "height": 800})
    page.locator("#figures").scroll_into_view_if_needed()
    image = page.locator("#figures img")
    assert image.evaluate("e => e.getBoundingClientRect().width") >= 6.9 * 96 - 1
    assert page.locator(".wide").evaluate("e => e.scrollWidth > e.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_paper_holds_every_column_in_dark_letters(opened, ablation):
    page = opened(ablation, color_scheme="dark", viewport={"width": 1032, "height": 720})
    page.emulate_media(media="print", color_scheme="dark")
    for table in page.locator("table.scores, table.glance, table.chart").all():
        right = table.evaluate("e => e.getBoundingClientRect().right")
        assert right <= 1032, "A4 on its side, less margins"
    ink = page.evaluate("getComputedStyle(document.body).color")
    assert max(map(int, ink.removeprefix("rgb(").removesuffix(")").split(","))) < 60
    arrow = "getComputedStyle(document.querySelector('.scores button'), '::after').display"
    assert page.evaluate(arrow) == "none"
    place = "getComputedStyle(document.querySelector('.scores tbody th')).position"
    assert page.evaluate(place) == "static"


def test_the_ablation_s_viewer_stays_small(opened, ablation):
    page = opened(ablation, viewport={"width": 390, "height": 800})
    to_images(page)
    assert page.locator("#strip").evaluate("e => e.offsetHeight") < 400
    assert page.locator("#columns").evaluate("e => e.offsetHeight") < 200


def test_the_page_can_be_copied_with_its_results(opened, ablation, tmp_path):
    shutil.copytree(ablation.parents[1], tmp_path / "copied")
    page = opened(tmp_path / "copied" / "site" / "index.html")
    to_images(page)
    page.wait_for_function("document.querySelector('#strip img').naturalWidth > 0")
