"""The grid of inputs and translations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from command import run_command
from fake_runs import picture, write_run, write_test
from matplotlib.text import Text
from PIL import Image

from cut.base.errors import UserError
from cut.report.figures import image_grid, image_page


@pytest.fixture
def runs(tmp_path):
    """Return a run of every kind."""
    return [write_run(tmp_path / m, m) for m in ("copy", "cut", "fastcut", "real")]


def labels_of(test, runs):
    """Return the labels of a grid's columns."""
    return [column.label for column in image_grid.columns(test, runs)]


def _grid(tmp_path, runs, *more):
    out = tmp_path / "grid.png"
    test = tmp_path / "test"
    run_command(
        "report figures", ["grid", "--out", str(out), "--test", str(test), *map(str, runs), *more]
    )
    return np.asarray(Image.open(out).convert("RGB")).astype(int)


def test_columns_are_input_methods_and_truth(tmp_path, runs):
    labels = labels_of(write_test(tmp_path / "test"), runs)
    assert labels == ["input", "cut", "fastcut", "truth"]
    labels = labels_of(write_test(tmp_path / "t", truth=False), runs)
    assert labels == ["input", "cut", "fastcut"]


def test_a_method_with_seeds_is_shown_once(tmp_path, runs):
    runs.append(write_run(tmp_path / "more", "cut", seed=1))
    assert len(image_grid.columns(write_test(tmp_path / "test"), runs)) == 4


def test_images_are_shown_pixel_for_pixel(tmp_path, runs):
    write_test(tmp_path / "test")
    shown = _grid(tmp_path, runs, "--names", "img_2")
    k = round(image_grid.MOST * 300 / 24)
    source = np.asarray(picture(2).resize((24 * k, 24 * k), Image.Resampling.NEAREST)).astype(int)
    # The input stands right of the image's name; its row is below a label of the font's height.
    left = round(image_grid.NAMES * 300)
    tops = [
        y
        for y in range(shown.shape[0] - 24 * k + 1)
        if np.array_equal(shown[y : y + 24 * k, left : left + 24 * k], source)
    ]
    assert len(tops) == 1


def big(tmp_path, methods, size, names="img_{}", n=8):
    """Write test images and translations of a size by many methods; return both."""
    for folder in ["test/source", *methods]:
        place = tmp_path / folder / ("" if folder.startswith("test") else "translated")
        place.mkdir(parents=True, exist_ok=True)
        for i in range(n):
            picture(i).resize(size).save(place / f"{names.format(i)}.png")
    runs = [write_run(tmp_path / m, m, algorithm="cut", images=0) for m in methods]
    return tmp_path / "test", runs


@pytest.mark.parametrize(
    ("size", "methods", "names"),
    [
        ((256, 256), [f"m{i}" for i in range(8)], "n{:08d}"),
        ((256, 128), [f"a-method-of-24-letters-{i}" for i in range(14)], "frankfurt_000{}_leftImg"),
        ((128, 256), ["x" * 70, "cut"], "img_{}"),
        ((40, 64), ["cut"], "img_{}"),
    ],
)
def test_the_grid_fits_a_page_and_no_words_overlap(tmp_path, size, methods, names):
    test, runs = big(tmp_path, methods, size, names)
    cols = image_grid.columns(test, runs)
    figure = image_grid.draw(cols, list(cols[0].images))
    width, height = figure.get_size_inches()
    assert width <= 6.9 and height <= 9 and len(figure.texts) == len(methods) + 1 + 8
    check_words(figure)
    assert all(text.get_fontsize() >= 5 for text in figure.texts)
    assert len({text.get_text() for text in figure.texts[-8:]}) == 8, "names tell rows apart"


def check_words(figure):
    """Check that no text of a figure lies outside of it or on another."""
    figure.canvas.draw()
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text()]
    page = figure.bbox
    inside = [t for t in texts if t.axes is None or t in [*t.axes.texts, t.axes.title]]
    boxes = {text: text.get_window_extent() for text in inside}
    for text, box in boxes.items():
        assert page.x0 - 1 <= box.x0 and box.x1 <= page.x1 + 1, f"{text} leaves the page"
        assert page.y0 - 1 <= box.y0 and box.y1 <= page.y1 + 1, f"{text} leaves the page"
    for one, two in itertools.combinations(boxes, 2):
        assert not boxes[one].overlaps(boxes[two]), f"{one} lies on {two}"


def test_a_missing_translation_is_named(tmp_path, runs):
    write_test(tmp_path / "test")
    (runs[1] / "translated" / "img_1.png").unlink()
    with pytest.raises(UserError, match="cut has no image for img_1"):
        _grid(tmp_path, runs)


def test_one_grid_shows_one_data_set(tmp_path, runs):
    write_test(tmp_path / "test")
    runs.append(write_run(tmp_path / "more", "cut", dataset="horse2zebra"))
    with pytest.raises(UserError, match="one data set"):
        _grid(tmp_path, runs)


def test_other_shapes_than_squares_are_kept(tmp_path):
    test, runs = big(tmp_path, ["cut"], (32, 16), n=1)
    place = image_page.frame((32, 16), *2 * (image_grid.MOST,))
    assert place.pixels == (32 * 12, 16 * 12)
    shown = _grid(tmp_path, runs)
    inches = image_grid.NAMES + 2 * place.inches[0] + image_grid.GAP + image_grid.MARGIN
    assert shown.shape[1] == round(300 * inches) and 192 < shown.shape[0] < 280
