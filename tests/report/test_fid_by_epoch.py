"""FID by epoch."""

from __future__ import annotations

import numpy as np
import pytest
import seaborn as sns
from command import run_command
from fake_runs import write_best, write_run
from matplotlib.colors import to_rgb
from PIL import Image

from cut.base.errors import NothingToShow
from cut.report.figures import fid_against_cost, fid_by_epoch
from cut.results.run import load_run


def lines_of(figure, colour):
    """Return the drawn (x, y) of lines of a colour with more than one point."""
    found = [line for line in figure.axes[0].lines if to_rgb(line.get_color()) == to_rgb(colour)]
    return [
        (list(line.get_xdata()), list(line.get_ydata()))
        for line in found
        if len(line.get_xdata()) > 1
    ]


def words_of(legend):
    """Return the entries of a legend."""
    return [text.get_text() for text in legend.get_texts()]


def no_overlap(figure):
    """Return whether no two texts of a figure's first axes overlap."""
    figure.canvas.draw()
    boxes = [t.get_window_extent() for t in figure.axes[0].texts]
    return not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


# -- FID by epoch --------------------------------------------------------------------------------


@pytest.fixture
def followed(tmp_path):
    """Return runs of two rows, one with two seeds, and both controls."""
    root = tmp_path / "results"
    runs = [
        write_run(root / "copy", "copy", scores={"fid": 100.0}),
        write_run(root / "real", "real", scores={"fid": 20.0}),
    ]
    for seed, end in ((0, 50.0), (1, 60.0)):
        run = write_run(root / f"cut{seed}", "cut", seed=seed, scores={"fid": end})
        runs.append(write_best(run, {1: 90.0, 2: 40.0 + 10 * seed, 3: end}))
    run = write_run(root / "fastcut", "fastcut", scores={"fid": 70.0})
    return [*runs, write_best(run, {1: 80.0, 2: 75.0, 3: 70.0})]


def test_a_row_is_the_mean_of_its_seeds_with_each_best_epoch_ringed(followed):
    figure = fid_by_epoch.draw([load_run(run) for run in followed])
    blue, orange = sns.color_palette("colorblind", 2)
    epochs = [1, 2, 3]
    assert lines_of(figure, orange) == [(epochs, [80.0, 75.0, 70.0])]
    seeds = [(epochs, [90.0, 40.0, 50.0]), (epochs, [90.0, 50.0, 60.0])]
    assert lines_of(figure, blue) == [*seeds, (epochs, [90.0, 45.0, 55.0])]
    rings = [
        (line.get_xdata()[0], line.get_ydata()[0])
        for line in figure.axes[0].lines
        if line.get_markerfacecolor() == "none"
    ]
    assert sorted(rings) == [(2, 40.0), (2, 50.0), (3, 70.0)]
    assert {t.get_text() for t in figure.axes[0].texts} == {"copy", "real"} and no_overlap(figure)
    words = [[t.get_text() for t in legend.get_texts()] for legend in figure.legends]
    assert words == [["cut", "fastcut"], ["best epoch, by the test images"]]


def test_the_rings_say_which_images_chose_them(tmp_path):
    run = write_best(write_run(tmp_path / "cut", "cut"), {1: 60.0, 2: 30.0}, on="held_out")
    assert words_of(fid_by_epoch.draw([load_run(run)]).legends[1]) == [
        "best epoch, by held-out images"
    ]
    other = write_best(write_run(tmp_path / "fastcut", "fastcut"), {1: 60.0, 2: 30.0})
    assert len(words_of(fid_by_epoch.draw([load_run(run), load_run(other)]).legends[1])) == 2


def test_an_epoch_that_a_seed_lacks_has_no_mean(followed):
    path = followed[2] / "epochs.csv"
    path.write_text(
        "".join(path.read_text().splitlines(keepends=True)[:1])
        + "2,800,40.0,0.01,\n3,1200,50.0,0.01,\n"
    )
    blue = sns.color_palette("colorblind", 1)[0]
    mean = lines_of(fid_by_epoch.draw([load_run(run) for run in followed]), blue)[-1]
    assert mean[0] == [1, 2, 3] and np.isnan(mean[1][0]) and mean[1][1:] == [45.0, 55.0]


def test_many_epochs_have_few_markers(tmp_path):
    run = write_best(write_run(tmp_path / "cut", "cut"), {n: 500.0 - n for n in range(1, 81)})
    line = fid_by_epoch.draw([load_run(run)]).axes[0].lines[0]
    assert len(line.get_xdata()) == 80 and line.get_markevery() == 10


@pytest.mark.parametrize("kind", ["stability", "cost"])
def test_controls_of_several_seeds_are_one_level_with_one_name(tmp_path, kind):
    runs = []
    for seed, real in enumerate((20.0, 26.0, 23.0)):
        runs.append(write_run(tmp_path / f"a{seed}", "copy", seed=seed, scores={"fid": 24.0}))
        runs.append(write_run(tmp_path / f"b{seed}", "real", seed=seed, scores={"fid": real}))
        run = write_run(tmp_path / f"c{seed}", "cut", seed=seed, scores={"fid": 90.0})
        runs.append(write_best(run, {1: 100.0, 2: 90.0}))
    figure = {"stability": fid_by_epoch, "cost": fid_against_cost}[kind].draw(
        [load_run(run) for run in runs]
    )
    axes = figure.axes[-1]
    levels = [line.get_ydata()[0] for line in axes.lines if line.get_linestyle() == ":"]
    assert levels == [24.0, 23.0]
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in axes.texts]
    assert len(boxes) == 2 and not boxes[0].overlaps(boxes[1])
    inside = axes.get_window_extent()
    assert all(box.x0 >= inside.x1 for box in boxes), "names stand where no data lie"
    page = figure.bbox
    assert all(page.x0 <= box.x0 and box.x1 <= page.x1 for box in boxes)


def test_a_collapse_makes_the_axis_logarithmic(tmp_path):
    run = write_best(write_run(tmp_path / "cut", "cut"), {1: 400.0, 2: 30.0})
    assert fid_by_epoch.draw([load_run(run)]).axes[0].get_yscale() == "log"
    run = write_best(write_run(tmp_path / "fastcut", "fastcut"), {1: 60.0, 2: 30.0})
    real = write_run(tmp_path / "real", "real", scores={"fid": 1.0})  # far off, and no course
    axes = fid_by_epoch.draw([load_run(run), load_run(real)]).axes[0]
    assert axes.get_yscale() == "linear" and axes.get_ylim()[0] == 0


def test_without_scores_along_the_way_the_figure_says_so(tmp_path, capsys):
    run = write_run(tmp_path / "cut", "cut")
    with pytest.raises(NothingToShow, match="set best: {every: N} and train"):
        fid_by_epoch.draw([load_run(run)])
    out = tmp_path / "s.png"
    assert run_command("report figures", ["stability", "--out", str(out), str(run)]) == 0
    assert "nothing to draw: no run has a FID" in capsys.readouterr().out
    assert Image.open(out).width > 300
