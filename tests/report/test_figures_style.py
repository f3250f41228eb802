"""What figures share: one look a row in all of them, legends of long names, axes, error bars."""

from __future__ import annotations

import itertools
import statistics

import matplotlib.pyplot as plt
import numpy as np
import pytest
import seaborn as sns
from command import run_command
from fake_runs import run_record, write_best, write_run
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb

from cut.report.figures import (
    ablation_scatter,
    fid_against_cost,
    fid_by_epoch,
    loss_curves,
    main,
    style,
    text,
)
from cut.results.run import load_run

LONG = ["a-method-of-24-letters-b", *(f"no-identity-{'another-part-' * 4}end-{i}" for i in "ab")]


@pytest.fixture(autouse=True)
def in_style():
    """Draw in the style of the command, and close what a test has drawn."""
    with sns.axes_style("ticks"), plt.rc_context(main.STYLE):
        yield
    plt.close("all")


def rows(tmp_path, names, seeds=1, fid=50.0, datasets=("coats2stripes",), **last):
    """Write rows with the controls, the last one with other scores; return the runs' folders."""
    found = []
    for dataset, (i, name) in itertools.product(datasets, enumerate(["copy", *names, "real"])):
        control = name in ("copy", "real")
        for seed in range(seeds):
            scores = {"fid": fid + 3 * i + seed, "l1": 0.1 + 0.01 * i + 0.002 * seed}
            scores |= last if name == names[-1] else {}
            run = write_run(
                tmp_path / dataset / name / str(seed),
                name,
                seed=seed,
                scores=scores,
                algorithm=name if control else "cut",
                dataset=dataset,
                seconds_per_iteration=0.1 + 0.02 * i + 0.01 * seed,
            )
            if not control:
                write_best(run, {1: scores["fid"] + 30, 2: scores["fid"]})
            found.append(run)
    return found


def draw(kind, folders):
    """Draw a figure of runs' folders."""
    if kind == "curves":
        return loss_curves.draw(folders)
    module = {"scatter": ablation_scatter, "cost": fid_against_cost, "stability": fid_by_epoch}[
        kind
    ]
    return module.draw([load_run(run) for run in folders])


def legend(figure):
    """Return (colour, marker) by name, as a figure's first legend shows them."""
    key = figure.legends[0]
    names = [text.get_text().replace("\n", "") for text in key.get_texts()]
    lines = key.get_lines()
    return {
        name: (to_rgb(line.get_color()), line.get_marker())
        for name, line in zip(names, lines, strict=True)
    }


def record(name):
    """Return the record of a run of a row."""
    algorithm = name if name in ("copy", "real") else "cut"
    return run_record("coats2stripes", name, algorithm, 0, 1, 1.0, {})


KINDS = ("scatter", "cost", "stability", "curves")


def test_a_row_has_one_style_in_every_figure(tmp_path):
    names = [f"m{i}" for i in range(10)]
    folders = rows(tmp_path, names)
    one = folders[2]  # m1 was not followed, has no FID and no history
    (one / "epochs.csv").unlink()
    (one / "best.json").unlink()
    (one / "history.csv").write_text((one / "history.csv").read_text().splitlines()[0] + "\n")
    write_run(one, "m1", algorithm="cut", scores={"fid": None}, missing={"fid": "no"}, points=0)
    shown = {kind: legend(draw(kind, folders)) for kind in KINDS}
    assert "m1" not in {**shown["scatter"], **shown["cost"], **shown["stability"]}
    want = shown["scatter"]
    for kind, got in shown.items():
        assert {name: got[name] for name in names if name != "m1"} == {
            name: want[name] for name in names if name != "m1"
        }, kind
    assert len({want[name] for name in names if name != "m1"}) == 9
    assert want["m0"] != want["m8"], "colours come again after eight rows, with another marker"


def test_colours_are_dark_enough_and_pairs_distinct():
    def luminance(colour):
        rgb = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return float(np.dot(rgb, (0.2126, 0.7152, 0.0722)))

    assert all(1.05 / (luminance(colour) + 0.05) > 2.2 for colour in style.COLOURS)
    given = style.row_styles(record(f"m{i}") for i in range(80))
    assert len({(row.marker, row.colour) for row in given.values()}) == 80
    # Lines of many epochs have few markers: dashes tell the same colours apart too.
    assert len({(row.colour, row.dashes) for row in list(given.values())[:32]}) == 32


def test_controls_take_no_place():
    records = [record(name) for name in ("copy", "cut", "real", "fastcut", "cut")]
    assert list(style.row_styles(records)) == ["cut", "fastcut"]
    assert style.row_styles(records) == style.row_styles(records[1::2])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("names", [["cut", "fastcut"], LONG, [f"row-{i}" for i in range(14)]])
def test_nothing_leaves_the_figure_or_overlaps_the_legend(tmp_path, kind, names):
    figure = draw(kind, rows(tmp_path, names, fid=440.0))
    figure.canvas.draw()
    page, renderer = figure.bbox, figure.canvas.get_renderer()
    assert figure.get_figwidth() <= 6.9
    keys = [key.get_window_extent() for key in figure.legends]
    boxes = [ax.get_tightbbox(renderer) for ax in figure.axes]
    texts = [text.get_window_extent() for key in figure.legends for text in key.get_texts()]
    for box in [*keys, *boxes, *texts]:
        assert page.x0 <= box.x0 and box.x1 <= page.x1, (kind, box)
        assert page.y0 <= box.y0 and box.y1 <= page.y1, (kind, box)
    for one, two in itertools.combinations([*keys, *boxes], 2):
        assert not one.padded(-1).overlaps(two.padded(-1))
    for ax in figure.axes:
        assert ax.get_window_extent().width > 0.25 * page.width / len(figure.axes)
        labels = [label.get_window_extent() for label in ax.get_xticklabels() if label.get_text()]
        assert not any(a.overlaps(b) for a, b in itertools.pairwise(labels))


def test_names_break_after_hyphens():
    assert text.wrapped("no-id-15neg-last", 0.7, 8) == "no-id-\n15neg-last"
    cut = text.wrapped("w" * 40, 0.5, 8).splitlines()
    assert "".join(cut) == "w" * 40 and all(text.text_width(line, 8) <= 0.5 for line in cut)
    assert text.hard_cut("ww\nw") and not text.hard_cut("no-\nid")
    assert text.shortened("short", 1.0, 8) == "short"
    short = text.shortened("frankfurt_000000_leftImg8bit", 0.8, 8)
    assert short.startswith("fran") and short.endswith("8bit") and "…" in short
    assert text.text_width(short, 8) <= 0.8


# -- axes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["scatter", "cost", "stability"])
def test_a_collapsed_row_makes_the_axis_logarithmic(tmp_path, kind):
    folders = rows(tmp_path, ["a", "b", "c"], fid=42.0, datasets=["coats2stripes"])
    axis = "xscale" if kind == "scatter" else "yscale"
    assert plt.getp(draw(kind, folders).axes[0], axis) == "linear"
    folders = rows(tmp_path, ["a", "b", "c"], fid=42.0, datasets=["coats2stripes"])
    last = write_run(tmp_path / "d", "d", algorithm="cut", scores={"fid": 440.0})
    figure = draw(kind, [*folders, write_best(last, {1: 441.0, 2: 440.0})])
    assert plt.getp(figure.axes[0], axis) == "log"


@pytest.mark.parametrize(
    ("limits", "want"),
    [
        ((40, 470), [50, 100, 200, 400]),
        ((15, 446), [20, 50, 100, 200, 400]),
        ((28, 95), [30, 50, 90]),
        ((18, 560), [20, 50, 100, 200, 500]),
        ((0.9, 2e6), [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 2e6]),
    ],
)
def test_a_logarithmic_axis_has_a_number_near_either_end(limits, want):
    assert style.Ticks().tick_values(*limits).tolist() == want


def test_a_distant_level_does_not_choose_the_scale():
    ax = plt.figure().add_subplot()
    style.fit(ax, "y", [40.0, 60.0], levels=[2.0])
    assert ax.get_yscale() == "linear" and ax.get_ylim()[0] == 0
    style.fit(ax, "y", [40.0, 400.0], levels=[2.0], ends=[-30.0, 700.0])
    low, high = ax.get_ylim()
    assert ax.get_yscale() == "log" and 0 < low < 2 and high > 700


# -- error bars ----------------------------------------------------------------------------------


def bars(ax):
    """Return the ends of a figure's error bars: (x0, y0), (x1, y1)."""
    found = [c for c in ax.collections if isinstance(c, LineCollection)]
    return [segment for collection in found for segment in collection.get_segments()]


def test_deviations_over_seeds_are_bars(tmp_path):
    folders = rows(tmp_path, ["cut"], seeds=3)
    ax = draw("scatter", folders).axes[0]
    fids = [load_run(run).scored.scores["fid"] for run in folders if "cut" in run.parts]
    mean, deviation = statistics.mean(fids), statistics.stdev(fids)
    across = [segment for segment in bars(ax) if segment[0][1] == segment[1][1]]
    assert any(np.allclose(s[:, 0], (mean - deviation, mean + deviation)) for s in across)
    assert len(bars(ax)) == 2 * 2, "copy and cut, x and y; real has no L1"
    for panel in draw("cost", folders).axes:
        upright = [segment for segment in bars(panel) if segment[0][0] == segment[1][0]]
        (bar,) = upright
        assert np.allclose(bar[:, 1], (mean - deviation, mean + deviation))


@pytest.mark.parametrize("kind", ["scatter", "cost"])
def test_one_seed_has_no_bars(tmp_path, kind):
    assert not [bar for ax in draw(kind, rows(tmp_path, ["cut"])).axes for bar in bars(ax)]


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_runs_give_the_same_bytes(tmp_path, kind):
    folders = list(map(str, rows(tmp_path, ["cut", LONG[1]], seeds=2)))
    for name in ("a", "b"):
        run_command("report figures", [kind, "--out", str(tmp_path / f"{name}.png"), *folders])
    for end in ("png", "pdf"):
        written = (tmp_path / f"a.{end}").read_bytes()
        assert written == (tmp_path / f"b.{end}").read_bytes() and b"CreationDate" not in written
