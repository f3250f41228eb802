"""Figures: which images and losses they show, and the same bytes for the same runs."""

from __future__ import annotations

import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from command import run_command
from fake_runs import picture, write_run, write_test
from matplotlib.colors import to_rgb
from matplotlib.text import Text
from PIL import Image

from cut.base.errors import UserError
from cut.report.figures import image_grid, image_page, main
from cut.report.figures.loss_curves import smooth, together
from cut.results.run import load_history


@pytest.fixture
def runs(tmp_path):
    """Return a run of every kind."""
    root = tmp_path / "results"
    return [write_run(root / m, m) for m in ("copy", "cut", "fastcut", "real")]


@pytest.fixture(autouse=True)
def close():
    """Close what a test has drawn."""
    yield
    plt.close("all")


def _grid(tmp_path, runs, *more):
    out = tmp_path / "grid.png"
    test = tmp_path / "test"
    run_command(
        "report figures", ["grid", "--out", str(out), "--test", str(test), *map(str, runs), *more]
    )
    return np.asarray(Image.open(out).convert("RGB")).astype(int)


def test_columns_are_input_methods_and_truth_without_controls(tmp_path, runs):
    labels = [label for label, _ in image_grid.columns(write_test(tmp_path / "test"), runs)]
    assert labels == ["input", "cut", "fastcut", "truth"]
    labels = [
        label for label, _ in image_grid.columns(write_test(tmp_path / "t", truth=False), runs)
    ]
    assert labels == ["input", "cut", "fastcut"]


def test_a_method_with_several_seeds_is_shown_once(tmp_path, runs):
    runs.append(write_run(tmp_path / "more", "cut", seed=1))
    assert len(image_grid.columns(write_test(tmp_path / "test"), runs)) == 4


def test_the_grid_shows_the_images_pixel_for_pixel(tmp_path, runs):
    write_test(tmp_path / "test")
    shown = _grid(tmp_path, runs, "--names", "img_2")
    k = round(image_grid.CELL[1] * 300 / 24)
    source = np.asarray(picture(2).resize((24 * k, 24 * k), Image.Resampling.NEAREST)).astype(int)
    # The input stands right of the image's name; its row is below a label of the font's height.
    left = round(image_grid.NAMES * 300)
    tops = [y for y in range(shown.shape[0] - 24 * k + 1)
            if np.array_equal(shown[y : y + 24 * k, left : left + 24 * k], source)]  # fmt: skip
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
def test_the_grid_is_a_page_at_most_and_its_words_lie_apart(tmp_path, size, methods, names):
    test, runs = big(tmp_path, methods, size, names)
    cols = image_grid.columns(test, runs)
    figure = image_grid.draw(cols, list(cols[0][1]))
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


def test_small_images_are_enlarged_by_squares_and_large_ones_reduced():
    assert image_page.cell((48, 48), 1.0, 2.0) == image_page.Cell((288, 288), 300)
    place = image_page.cell(
        (64, 64), 0.4, 0.4
    )  # 64 pixels would fill half of it, 128 are more than 120
    assert place.pixels == (128, 128) and place.dpi == 320 and max(place.inches) <= 0.4
    assert image_page.cell((512, 256), 1.0, 1.0) == image_page.Cell((300, 150), 300)
    twice = image_page.fitted(picture(0), (71, 60))
    assert np.array_equal(twice, np.asarray(picture(0)).repeat(2, 0).repeat(2, 1))
    lines = np.zeros((64, 64, 3), np.uint8)
    lines[:, ::2] = 255
    reduced = np.asarray(image_page.fitted(Image.fromarray(lines), (24, 24)))
    assert reduced.shape == (24, 24, 3)
    assert np.ptp(reduced[:, 4:-4].astype(int)) < 128, "lines become grey, not other lines"


def test_choice_is_by_seed_or_by_name():
    known = [f"img_{i}" for i in range(50)]
    first = main.choose(known, 5, 0)
    assert first == main.choose(list(reversed(known)), 5, 0) == sorted(first)
    assert first != main.choose(known, 5, 1)
    assert main.choose(known, 99, 0) == sorted(known)
    assert main.choose(known, 5, 0, ["img_7.png", "img_3"]) == ["img_7", "img_3"]
    with pytest.raises(UserError, match="unknown test image 'img_x'"):
        main.choose(known, 5, 0, ["img_x"])
    with pytest.raises(UserError, match="--rows is 0"):
        main.choose(known, 0, 0)


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


def test_images_that_are_not_square_keep_their_shape(tmp_path):
    test, runs = big(tmp_path, ["cut"], (32, 16), n=1)
    place = image_page.cell((32, 16), *2 * image_grid.CELL[1:])
    assert place.pixels == (32 * 12, 16 * 12)
    shown = _grid(tmp_path, runs)
    inches = image_grid.NAMES + 2 * place.inches[0] + image_grid.GAP + image_grid.MARGIN
    assert shown.shape[1] == round(300 * inches) and 192 < shown.shape[0] < 280


def test_curves_have_a_panel_a_kind_of_loss_and_a_colour_a_method(runs):
    figure = main.curves(runs)
    titles = [ax.get_title("left") for ax in figure.axes]
    assert titles == ["generator, adversarial", "discriminator, real", "discriminator, fake",
                      "PatchNCE, translation", "PatchNCE, identity"]  # fmt: skip
    legend = figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["cut", "fastcut"]
    cut, fastcut = (to_rgb(line.get_color()) for line in legend.get_lines())
    assert cut != fastcut
    identity = {to_rgb(line.get_color()) for line in figure.axes[4].get_lines()[:-1]}
    assert identity == {cut}, "FastCUT has no identity term"


def test_the_seeds_of_a_row_are_one_line_in_a_band(tmp_path):
    runs = [write_run(tmp_path / f"cut{seed}", "cut", seed=seed) for seed in range(3)]
    ax = main.curves(runs).axes[0]
    (line,) = (line for line in ax.lines if len(line.get_xdata()) == 100)
    values = [smooth(load_history(run).G_GAN) for run in runs]
    assert np.allclose(line.get_ydata(), np.mean(values, axis=0))
    (band,) = ax.collections
    low, high = (
        f(axis=0) for f in (band.get_paths()[0].vertices.min, band.get_paths()[0].vertices.max)
    )
    deviation = np.std(values, axis=0, ddof=1)
    assert low[1] == pytest.approx((np.mean(values, axis=0) - deviation).min())
    assert high[1] == pytest.approx((np.mean(values, axis=0) + deviation).max())


def test_a_seed_with_another_interval_is_interpolated():
    x = pd.Series([1.0, 2.0, 3.0, 4.0])
    found = together([(x, x), (pd.Series([2.0, 4.0]), pd.Series([4.0, 8.0]))])
    assert found.index.tolist() == [2.0, 3.0, 4.0]
    assert found["mean"].tolist() == [3.0, 4.5, 6.0]
    assert found.deviation.tolist() == pytest.approx([2**0.5, 1.5 * 2**0.5, 2 * 2**0.5])


@pytest.mark.parametrize(("rows", "faint"), [(6, 6), (7, 0)])
def test_values_stand_behind_the_means_of_few_rows(tmp_path, rows, faint):
    runs = [write_run(tmp_path / f"m{i}", f"m{i}", algorithm="cut") for i in range(rows)]
    lines = [line for line in main.curves(runs).axes[0].lines if len(line.get_xdata()) == 100]
    behind = [line for line in lines if line.get_alpha()]
    assert len(behind) == faint and len(lines) == rows + faint
    means = [line.get_zorder() for line in lines if line not in behind]
    assert all(line.get_zorder() < min(means) for line in behind)


def test_a_single_value_is_a_marker_between_sane_ticks(tmp_path):
    figure = main.curves([write_run(tmp_path / "cut", "cut", points=1, epochs=1)])
    ax = figure.axes[0]
    (line,) = (line for line in ax.lines if len(line.get_xdata()) == 1)
    assert line.get_marker() == "o" and ax.get_xlim()[0] <= 1 <= ax.get_xlim()[1]
    shown = [tick for tick in ax.get_xticks() if ax.get_xlim()[0] <= tick <= ax.get_xlim()[1]]
    assert shown == [0, 1]


def test_patchnce_is_divided_by_its_weight_and_guessing_is_marked(runs):
    ax = main.curves(runs).axes[3]
    ends = [line.get_ydata()[-1] for line in ax.get_lines() if len(line.get_ydata()) == 100]
    assert max(ends) < 4, "FastCUT's weight of 10 is divided out"
    assert any(np.allclose(line.get_ydata(), math.log(64)) for line in ax.get_lines())


def test_the_x_axis_is_epochs(runs):
    line = main.curves(runs).axes[0].get_lines()[0]
    assert line.get_xdata()[-1] == pytest.approx(3.0)


def test_a_methods_own_loss_gets_a_panel(tmp_path):
    run = write_run(tmp_path / "mine", "mine")
    path = run / "history.csv"
    path.write_text(path.read_text().replace("NCE_Y", "cycle"))
    assert "cycle (mine)" in [ax.get_title("left") for ax in main.curves([run]).axes]


def test_without_a_trained_run_the_figure_says_so(tmp_path, runs):
    assert (
        run_command("report figures", ["curves", "--out", str(tmp_path / "c.png"), str(runs[0])])
        == 0
    )
    assert (tmp_path / "c.png").stat().st_size and (tmp_path / "c.pdf").stat().st_size


@pytest.mark.parametrize("kind", ["grid", "cases"])
def test_the_same_images_give_the_same_bytes(tmp_path, runs, kind):
    test = write_test(tmp_path / "test")
    for name in ("one", "two"):
        out = str(tmp_path / f"{name}.png")
        run_command("report figures", [kind, "--out", out, "--test", str(test), *map(str, runs)])
    for end in ("png", "pdf"):
        one, two = (tmp_path / f"{name}.{end}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes(), end
        assert b"CreationDate" not in one.read_bytes()


def test_another_ending_is_refused(tmp_path, runs):
    with pytest.raises(UserError, match="ends in .png"):
        run_command("report figures", ["curves", "--out", str(tmp_path / "c.svg"), str(runs[1])])
