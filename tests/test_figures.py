"""Figures: which images and losses they show, and the same bytes for the same runs."""

from __future__ import annotations

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from fake_runs import picture, write_images, write_run, write_test
from matplotlib.colors import to_rgb
from PIL import Image

from cut import figures
from cut.errors import UserError


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
    figures.main(["grid", "--out", str(out), "--test", str(test), *map(str, runs), *more])
    return np.asarray(Image.open(out).convert("RGB")).astype(int)


def test_columns_are_input_methods_and_truth_without_controls(tmp_path, runs):
    labels = [label for label, _ in figures.columns(write_test(tmp_path / "test"), runs)]
    assert labels == ["input", "cut", "fastcut", "true counterpart"]
    labels = [label for label, _ in figures.columns(write_test(tmp_path / "t", truth=False), runs)]
    assert labels == ["input", "cut", "fastcut"]


def test_a_method_with_several_seeds_is_shown_once(tmp_path, runs):
    runs.append(write_run(tmp_path / "more", "cut", seed=1))
    assert len(figures.columns(write_test(tmp_path / "test"), runs)) == 4


def test_the_grid_shows_the_images_pixel_for_pixel(tmp_path, runs):
    write_test(tmp_path / "test")
    shown = _grid(tmp_path, runs, "--names", "img_2")
    k = math.ceil(figures.CELL / 24)
    source = np.asarray(picture(2).resize((24 * k, 24 * k), Image.Resampling.NEAREST)).astype(int)
    # The input stands at the left edge; its row is found, as the label's height is the font's.
    tops = [y for y in range(shown.shape[0] - 24 * k + 1)
            if np.array_equal(shown[y : y + 24 * k, 8 : 8 + 24 * k], source)]  # fmt: skip
    assert len(tops) == 1


def test_choice_is_by_seed_or_by_name():
    known = [f"img_{i}" for i in range(50)]
    first = figures.choose(known, 5, 0)
    assert first == figures.choose(list(reversed(known)), 5, 0) == sorted(first)
    assert first != figures.choose(known, 5, 1)
    assert figures.choose(known, 99, 0) == sorted(known)
    assert figures.choose(known, 5, 0, ["img_7.png", "img_3"]) == ["img_7", "img_3"]
    with pytest.raises(UserError, match="unknown test image 'img_x'"):
        figures.choose(known, 5, 0, ["img_x"])
    with pytest.raises(UserError, match="--rows is 0"):
        figures.choose(known, 0, 0)


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
    for folder in ("test/source", "run/translated"):
        write_images(tmp_path / folder, 1)
        picture(0).resize((32, 16)).save(tmp_path / folder / "img_0.png")
    shown = _grid(tmp_path, [write_run(tmp_path / "run", images=0)])
    assert shown.shape[1] == 2 * 192 + 6 + 16 and 96 < shown.shape[0] < 160


def test_curves_have_a_panel_a_kind_of_loss_and_a_colour_a_method(runs):
    figure = figures.curves(runs)
    titles = [ax.get_title("left") for ax in figure.axes]
    assert titles == ["generator, adversarial", "discriminator", "PatchNCE, translation",
                      "PatchNCE, identity"]  # fmt: skip
    legend = figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["cut", "fastcut"]
    cut, fastcut = (to_rgb(line.get_color()) for line in legend.get_lines())
    assert cut != fastcut
    identity = {to_rgb(line.get_color()) for line in figure.axes[3].get_lines()[:-1]}
    assert identity == {cut}, "FastCUT has no identity term"


def test_patchnce_is_divided_by_its_weight_and_guessing_is_marked(runs):
    ax = figures.curves(runs).axes[2]
    ends = [line.get_ydata()[-1] for line in ax.get_lines() if len(line.get_ydata()) == 100]
    assert max(ends) < 4, "FastCUT's weight of 10 is divided out"
    assert any(np.allclose(line.get_ydata(), math.log(64)) for line in ax.get_lines())


def test_the_x_axis_is_epochs(runs):
    line = figures.curves(runs).axes[0].get_lines()[0]
    assert line.get_xdata()[-1] == pytest.approx(3.0)


def test_a_methods_own_loss_gets_a_panel(tmp_path):
    run = write_run(tmp_path / "mine", "mine")
    path = run / "history.csv"
    path.write_text(path.read_text().replace("NCE_Y", "cycle"))
    assert "cycle (mine)" in [ax.get_title("left") for ax in figures.curves([run]).axes]


def test_without_a_trained_run_the_figure_says_so(tmp_path, runs):
    assert figures.main(["curves", "--out", str(tmp_path / "c.png"), str(runs[0])]) == 0
    assert (tmp_path / "c.png").stat().st_size and (tmp_path / "c.pdf").stat().st_size


@pytest.mark.parametrize("kind", ["grid", "curves"])
def test_the_same_runs_give_the_same_bytes(tmp_path, runs, kind):
    more = ["--test", str(write_test(tmp_path / "test"))] if kind == "grid" else []
    for name in ("one", "two"):
        figures.main([kind, "--out", str(tmp_path / f"{name}.png"), *more, *map(str, runs)])
    for end in ("png", "pdf"):
        one, two = (tmp_path / f"{name}.{end}" for name in ("one", "two"))
        assert one.read_bytes() == two.read_bytes(), end
        assert b"CreationDate" not in one.read_bytes()


def test_another_ending_is_refused(tmp_path, runs):
    with pytest.raises(UserError, match="ends in .png"):
        figures.main(["curves", "--out", str(tmp_path / "c.svg"), str(runs[1])])
