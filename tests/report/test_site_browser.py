"""The page of results in a browser, opened from the disk."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from fake_runs import write_run, write_test
from site_results import ODD, to_images, write_many, write_results

from cut.report.site.page import Contents, write_site

# What a reader can operate or look at; each needs a name that a screen reader says.
NAMED = {
    "button",
    "link",
    "slider",
    "searchbox",
    "textbox",
    "spinbutton",
    "combobox",
    "checkbox",
    "image",
    "table",
    "region",
    "navigation",
}
CONTRAST = """([text, behind]) => {
  const style = (e, what) => getComputedStyle(document.querySelector(e))[what];
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((v) => {
      const c = v / 255;
      return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [a, b] = [light(style(text, "color")), light(style(behind, "backgroundColor"))];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("results")
    runs = write_results(root) + write_results(root, "cat2dog", truth=False)
    return write_site(root / "site", runs, Contents(title="Horses & <cats>"))


def methods(page, shown: bool = False) -> list[str]:
    rows = "#scores-1 tbody tr" + (":not([hidden])" if shown else "")
    return [name.split()[0] for name in page.locator(f"{rows} th").all_inner_texts()]


def loaded(page, selector: str) -> list[bool]:
    """Return whether each picture has loaded, after waiting for the first."""
    page.wait_for_function("s => document.querySelector(s)?.naturalWidth > 0", arg=selector)
    return page.eval_on_selector_all(selector, "all => all.map((i) => i.naturalWidth > 0)")


def accessible(page) -> list[tuple[str, str]]:
    """Return (role, name) of all that assistive software sees."""
    session = page.context.new_cdp_session(page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    seen = [node for node in nodes if not node.get("ignored")]
    return [(n["role"]["value"], n.get("name", {}).get("value", "")) for n in seen if "role" in n]


def test_the_page_opens_from_the_disk_without_a_complaint(opened, site):
    page = opened(site)
    assert page.title() == page.locator("h1").inner_text() == "Horses & <cats>"
    to_images(page)
    for summary in page.locator("summary").all():
        summary.click()
    page.locator("footer").scroll_into_view_if_needed()
    assert all(loaded(page, "#figures img"))


def test_columns_sort_by_number_with_the_missing_last_either_way(opened, site):
    page = opened(site)
    header = page.locator("#scores-1 thead th").nth(1)
    assert header.inner_text().startswith("FID")
    page.locator("#scores-1").get_by_role("button", name="FID ↓", exact=True).click()
    assert methods(page) == ["real", "fastcut", "cut", "copy", "none"]
    assert header.get_attribute("aria-sort") == "ascending"
    page.keyboard.press("Enter")  # the button keeps the focus
    assert methods(page) == ["copy", "cut", "fastcut", "real", "none"]
    assert header.get_attribute("aria-sort") == "descending"
    page.keyboard.press("Space")
    assert methods(page)[0] == "real"
    status = page.locator("#scores-1-status")
    assert status.inner_text() == "Sorted by FID ↓, ascending."
    page.locator("#scores-1 thead button").first.click()
    assert methods(page) == ["copy", "cut", "fastcut", "none", "real"]
    assert header.get_attribute("aria-sort") is None
    page.locator("#scores-1").get_by_role("button", name="SSIM ↑", exact=True).click()
    assert page.locator("#scores-1 [aria-sort]").get_attribute("aria-sort") == "descending"


def test_rows_are_filtered_by_words_and_controls_left_out(opened, site):
    page = opened(site)
    words, controls = (page.locator(f"[data-{name}='scores-1']") for name in ("filter", "controls"))
    words.fill("CUT comparable")
    assert methods(page, shown=True) == ["cut", "fastcut"]
    assert page.locator("#scores-1-status").inner_text() == "2 of 5 rows shown."
    words.fill("")
    controls.uncheck()
    assert methods(page, shown=True) == ["cut", "fastcut", "none"]
    assert page.locator("#scores-2 tbody tr:not([hidden])").count() == 5, "the other set's table"


def test_the_reason_of_a_missing_value_shows_at_the_focus(opened, site):
    page = opened(site)
    note = page.locator("#scores-1 tbody tr", has_text="none").locator("a.note").first
    note.focus()
    tip = page.locator(".tip")
    assert tip.inner_text() == "no weights <here>"
    assert page.locator(f"[id='{note.get_attribute('aria-describedby')}']").is_visible()
    page.keyboard.press("Escape")
    assert not tip.is_visible()
    note.hover()
    assert tip.is_visible()


def test_two_columns_are_compared_with_pointer_and_keys(opened, site):
    page = opened(site)
    to_images(page)
    page.get_by_role("combobox", name="Left").select_option(label="cut, best epoch (2)")
    page.get_by_role("combobox", name="Right").select_option(label="true counterpart")
    assert loaded(page, "img-comparison-slider img") == [True, True]
    alts = page.eval_on_selector_all("img-comparison-slider img", "all => all.map((i) => i.alt)")
    assert alts == ["cut, best epoch (2): img_0", "true counterpart: img_0"]
    reveal = page.get_by_role("slider", name="Share of cut, best epoch (2) shown")
    reveal.focus()
    page.keyboard.press("End")
    value = "document.querySelector('img-comparison-slider').value"
    assert float(page.evaluate(value)) == 100
    assert reveal.get_attribute("aria-valuetext") == "100 % cut, best epoch (2)"
    page.keyboard.press("ArrowLeft")
    assert float(page.evaluate(value)) == 99
    page.locator("#compare-title").scroll_into_view_if_needed()
    page.locator("img-comparison-slider").scroll_into_view_if_needed()
    box = page.locator("img-comparison-slider").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 20)
    page.mouse.up()
    assert float(reveal.input_value()) == pytest.approx(25, abs=1)


def test_images_are_reached_by_number_by_name_and_from_the_grid(opened, site):
    page = opened(site)
    to_images(page)
    words = page.locator("#compared")
    page.get_by_role("button", name="Next", exact=True).press("Enter")
    assert words.inner_text() == "img_1, 2 of 4"
    page.get_by_role("button", name="Compare img_3").press("Enter")
    assert words.inner_text() == "img_3, 4 of 4"
    assert page.evaluate("document.activeElement.id") == "reveal"
    assert page.get_by_role("button", name="Next", exact=True).is_disabled()
    page.get_by_label("Find images by name").fill("G_2")
    assert words.inner_text() == "img_2, 1 of 1"
    assert page.locator("#grid tbody tr").count() == 1
    page.locator("#strip button", has_text="fastcut").click()
    assert page.locator("#right-name").inner_text() == "fastcut"
    page.get_by_label("Find images by name").fill("nothing")
    assert words.inner_text() == "No image has this name."
    assert not page.locator("img-comparison-slider").is_visible()


def test_a_link_leads_back_to_what_was_compared(opened, site):
    page = opened(site)
    to_images(page)
    assert "#" not in page.url, "nothing was chosen yet"
    page.get_by_role("combobox", name="Data set", exact=True).press("ArrowDown")
    page.get_by_role("combobox", name="Right").select_option(label="none")
    page.get_by_role("button", name="Compare img_2").press("Enter")
    assert page.url.endswith("#images&set=cat2dog&image=img_2&left=input&right=none")
    link = page.get_by_role("link", name="Link to this comparison")
    assert link.get_attribute("href") == "#" + page.url.partition("#")[2]
    again = opened(site, link.get_attribute("href"))
    assert again.locator("#compared").inner_text() == "img_2, 3 of 4"
    assert again.locator("#right-name").inner_text() == "none"
    assert "/cat2dog/" in again.locator("#grid img").first.get_attribute("src")


def test_the_grid_shows_the_columns_chosen_of_the_set_chosen(opened, site):
    page = opened(site)
    to_images(page)
    heads = page.locator("#grid thead th")
    assert heads.all_inner_texts() == [
        "image",
        "input",
        "cut",
        "fastcut",
        "none",
        "true counterpart",
    ]
    page.get_by_role("combobox", name="Epoch", exact=True).select_option("best")
    page.locator("#columns").get_by_label("none").uncheck()
    assert "cut, best epoch (2)" in heads.all_inner_texts()
    assert "none" not in heads.all_inner_texts()
    page.get_by_role("combobox", name="Data set", exact=True).select_option(label="cat2dog")
    assert heads.all_inner_texts() == ["image", "input", "cut, best epoch (2)", "fastcut"]
    assert "/cat2dog/" in page.locator("#grid img").first.get_attribute("src")


def test_every_control_and_picture_has_a_name(opened, site):
    page = opened(site)
    to_images(page)
    for summary in page.locator("summary").all():
        summary.click()
    seen = accessible(page)
    roles = {role for role, _ in seen}
    assert {
        "button",
        "link",
        "slider",
        "searchbox",
        "spinbutton",
        "combobox",
        "checkbox",
        "image",
        "columnheader",
        "rowheader",
        "main",
        "banner",
        "contentinfo",
    } <= roles
    assert not [role for role, name in seen if role in NAMED and not name.strip()]
    assert ("image", "fastcut: img_0") in seen
    assert page.locator("html").get_attribute("lang") == "en"
    headings = page.eval_on_selector_all("h1,h2,h3,h4,h5,h6", "all => all.map((h) => h.tagName)")
    levels = [int(tag[1]) for tag in headings]
    assert levels[0] == 1 and all(b - a <= 1 for a, b in zip(levels, levels[1:], strict=False))


def test_the_keyboard_skips_to_the_content(opened, site):
    page = opened(site)
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    assert skip.evaluate("e => e === document.activeElement && e.getBoundingClientRect().left >= 0")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_thousand_images_load_when_looked_at(opened, tmp_path):
    index = write_site(tmp_path / "site", write_many(tmp_path))
    assert index.stat().st_size < 150_000
    started = time.monotonic()
    page = opened(index, viewport={"width": 1280, "height": 800})
    assert time.monotonic() - started < 10
    pictures = [url for url in opened.asked if url.endswith(".png")]
    assert len(pictures) < 100, "those near the window at most"
    assert page.evaluate("document.querySelectorAll('*').length") < 5000
    to_images(page)
    assert page.locator("#page-status").inner_text() == "Page 1 of 40: images 1 to 25 of 1000."
    assert page.locator("#grid img").count() == 25 * 8
    assert all(page.eval_on_selector_all("#grid img", "a => a.map((i) => i.loading === 'lazy')"))
    page.get_by_label("Page", exact=True).fill("40")
    page.keyboard.press("Enter")
    assert page.locator("#grid tbody th").last.inner_text() == "n0238146_00999"
    page.locator("#grid-title").scroll_into_view_if_needed()
    assert loaded(page, "#grid img")[0]


def test_names_of_any_kind_lead_to_their_images(opened, tmp_path):
    home = tmp_path / ODD / "coats2stripes"
    write_test(home / "test")
    run = write_run(home / "cut" / "seed0")
    for place in (run / "translated", home / "test" / "source"):
        (place / "img_0.png").rename(place / f"{ODD}.png")
    page = opened(write_site(tmp_path / "site", [run]))
    to_images(page)
    assert loaded(page, "img-comparison-slider img") == [True, True]
    assert page.locator("#compared").inner_text() == f"{ODD}, 1 of 4"


@pytest.mark.parametrize("width", [320, 375, 768])
def test_a_narrow_window_scrolls_no_way_but_down(opened, site, width):
    page = opened(site, viewport={"width": width, "height": 700}, has_touch=True, is_mobile=True)
    to_images(page)
    for summary in page.locator("summary").all():
        summary.click()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    table = page.locator(".scroll", has=page.locator("#scores-1"))
    assert table.evaluate("e => e.scrollWidth > e.clientWidth"), "the table scrolls in itself"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_schemes_have_contrast(opened, site, scheme):
    page = opened(site, color_scheme=scheme)
    red, green, blue = map(
        int,
        re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).backgroundColor"))[:3],
    )
    assert (red + green + blue > 600) == (scheme == "light")
    for text in ("body", ".lead", ".caption", "nav a", "a.note", ".missing", ".tag"):
        assert page.evaluate(CONTRAST, [text, "body"]) >= 4.5, text


def test_without_scripts_scores_figures_and_details_are_there(opened, site):
    page = opened(site, java_script_enabled=False)
    assert page.locator("#scores-1 tbody tr").count() == 5
    assert page.get_by_text("Comparing images needs scripts").is_visible()
    assert not page.get_by_label("Filter rows").first.is_visible()
    page.locator("#details summary").nth(1).click()
    assert page.get_by_role("link", name="run.json").first.is_visible()
