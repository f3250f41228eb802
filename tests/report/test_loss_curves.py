"""Training curves: which losses they show, and how."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from command import run_command
from fake_runs import write_run
from matplotlib.colors import to_rgb

from cut.report.figures import loss_curves
from cut.report.figures.loss_curves import smooth, together


@pytest.fixture
def runs(tmp_path):
    """Return a run of every kind."""
    return [write_run(tmp_path / m, m) for m in ("copy", "cut", "fastcut", "real")]


def test_there_is_a_panel_per_loss_and_a_colour_per_method(runs):
    figure = loss_curves.draw(runs)
    titles = [ax.get_title("left") for ax in figure.axes]
    assert titles == [
        "generator, adversarial",
        "discriminator, real",
        "discriminator, fake",
        "PatchNCE, translation",
        "PatchNCE, identity",
    ]
    legend = figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == ["cut", "fastcut"]
    cut, fastcut = (to_rgb(line.get_color()) for line in legend.get_lines())
    assert cut != fastcut
    identity = {to_rgb(line.get_color()) for line in figure.axes[4].get_lines()[:-1]}
    assert identity == {cut}, "FastCUT has no identity term"


def test_seeds_are_one_line_in_a_band(tmp_path):
    runs = [write_run(tmp_path / f"cut{seed}", "cut", seed=seed) for seed in range(3)]
    ax = loss_curves.draw(runs).axes[0]
    (line,) = (line for line in ax.lines if len(line.get_xdata()) == 100)
    values = [smooth(loss_curves.load_curve(run).losses.G_GAN) for run in runs]
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
def test_values_are_drawn_behind_few_rows(tmp_path, rows, faint):
    runs = [write_run(tmp_path / f"m{i}", f"m{i}", algorithm="cut") for i in range(rows)]
    lines = [line for line in loss_curves.draw(runs).axes[0].lines if len(line.get_xdata()) == 100]
    behind = [line for line in lines if line.get_alpha()]
    assert len(behind) == faint and len(lines) == rows + faint
    means = [line.get_zorder() for line in lines if line not in behind]
    assert all(line.get_zorder() < min(means) for line in behind)


def test_a_single_value_is_a_marker(tmp_path):
    figure = loss_curves.draw([write_run(tmp_path / "cut", "cut", points=1, epochs=1)])
    ax = figure.axes[0]
    (line,) = (line for line in ax.lines if len(line.get_xdata()) == 1)
    assert line.get_marker() == "o" and ax.get_xlim()[0] <= 1 <= ax.get_xlim()[1]
    shown = [tick for tick in ax.get_xticks() if ax.get_xlim()[0] <= tick <= ax.get_xlim()[1]]
    assert shown == [0, 1]


def test_a_weight_is_divided_out_and_chance_is_marked(runs):
    ax = loss_curves.draw(runs).axes[3]
    ends = [line.get_ydata()[-1] for line in ax.get_lines() if len(line.get_ydata()) == 100]
    assert max(ends) < 4, "FastCUT's weight of 10 is divided out"
    assert any(np.allclose(line.get_ydata(), math.log(64)) for line in ax.get_lines())


def test_the_x_axis_is_epochs(runs):
    line = loss_curves.draw(runs).axes[0].get_lines()[0]
    assert line.get_xdata()[-1] == pytest.approx(3.0)


def test_a_loss_without_a_record_has_a_panel(tmp_path):
    run = write_run(tmp_path / "mine", "mine")
    path = run / "history.csv"
    path.write_text(path.read_text().replace("NCE_Y", "cycle"))
    assert "cycle (mine)" in [ax.get_title("left") for ax in loss_curves.draw([run]).axes]


def test_without_a_trained_run_there_is_a_placeholder(tmp_path, runs):
    assert (
        run_command("report figures", ["curves", "--out", str(tmp_path / "c.png"), str(runs[0])])
        == 0
    )
    assert (tmp_path / "c.png").stat().st_size and (tmp_path / "c.pdf").stat().st_size
