"""FID against how much of the input is kept."""

from __future__ import annotations

import itertools

import pytest
from command import run_command
from fake_runs import write_run

from cut.base.errors import NothingToShow, UserError
from cut.report.figures import fid_against_content
from cut.results.run import load_run

POINTS = {
    "copy": (0.0, 90.0),
    "cut": (0.1, 60.0),
    "fastcut": (0.2, 65.0),
    "gan-alone": (0.3, 50.0),
    "real": (0.15, 10.0),
}


def write(root, points=POINTS):
    """Write a run per row with (content distance, FID)."""
    runs = []
    for name, (content, fid) in points.items():
        scores = {"perceptual": content, "self_similarity": 2 * content, "fid": fid}
        options = {"options": {"lambda_nce": 0.0}} if name == "gan-alone" else {}
        algorithm = name if name in ("copy", "real") else "cut"
        more = {"algorithm": algorithm, "scores": scores, "images": 0, "points": 1} | options
        runs.append(write_run(root / name, name, **more))
    return runs


def drawn(figure):
    """Return {(x, y): whether the point is open}."""
    points = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
    return {
        (p.get_xdata()[0], p.get_ydata()[0]): p.get_markerfacecolor() == "white" for p in points
    }


@pytest.mark.parametrize(("score", "times"), [("perceptual", 1), ("self_similarity", 2)])
def test_dominated_methods_are_open_and_the_ceiling_is_a_level(tmp_path, score, times):
    figure = fid_against_content.draw([load_run(run) for run in write(tmp_path)], score)
    assert drawn(figure) == {
        (times * x, y): name == "fastcut" for name, (x, y) in POINTS.items() if name != "real"
    }
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert texts == {"copy", "gan-alone", "real"}
    (front,) = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 4]
    assert list(front.get_xdata())[:3] == [times * 0.1, times * 0.1, times * 0.3]
    assert list(front.get_ydata())[1:] == [60.0, 50.0, 50.0]


def test_a_score_that_is_better_when_higher_has_its_best_at_the_left(tmp_path):
    runs = write(tmp_path, {})
    for name, (content, fid) in POINTS.items():
        scores = {"edges": 1 - content, "fid": fid}
        algorithm = name if name in ("copy", "real") else "cut"
        more = {"algorithm": algorithm, "scores": scores, "images": 0, "points": 1}
        runs.append(write_run(tmp_path / name, name, **more))
    figure = fid_against_content.draw([load_run(run) for run in runs], "edges")
    left, right = figure.axes[0].get_xlim()
    assert left > right
    assert [x for (x, _), is_open in drawn(figure).items() if is_open] == [0.8]
    (front,) = [line for line in figure.axes[0].lines if len(line.get_xdata()) == 4]
    assert list(front.get_xdata()) == [0.9, 0.9, 0.7, right]


def test_nothing_leaves_the_figure(tmp_path):
    points = {f"a-row-with-a-long-name-{i}": (0.1 * i, 50.0 - i) for i in range(1, 14)}
    figure = fid_against_content.draw([load_run(run) for run in write(tmp_path, points)])
    figure.canvas.draw()
    boxes = [ax.get_tightbbox() for ax in figure.axes]
    boxes += [key.get_window_extent() for key in figure.legends]
    for box in boxes:
        assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0 and box.y1 <= figure.bbox.y1
    assert not any(a.padded(-1).overlaps(b) for a, b in itertools.combinations(boxes, 2))


def test_what_cannot_be_drawn_says_why(tmp_path):
    runs = write(tmp_path)
    with pytest.raises(UserError, match="fid"):
        run_command("report figures", ["content", "--score", "fid", "--out", "a.png", *runs])
    controls = [load_run(run) for run in (runs[0], runs[-1])]
    with pytest.raises(NothingToShow, match="no method"):
        fid_against_content.draw(controls)
