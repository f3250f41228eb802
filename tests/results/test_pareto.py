"""Which rows are dominated in two scores."""

from __future__ import annotations

from fake_runs import write_run

from cut.results.pareto import dominated, dominated_by
from cut.results.rows import rows_of
from cut.results.run import load_run


def test_a_point_is_dominated_by_one_that_is_nowhere_worse():
    points = {"a": (1, 5), "b": (2, 3), "c": (4, 1), "d": (2, 4), "e": (5, 5), "f": (4.5, 1)}
    # e is dominated by all, and named with the one of the lowest first coordinate.
    assert dominated_by(points) == {"d": "b", "e": "a", "f": "c"}


def test_equal_points_do_not_dominate_each_other():
    assert dominated_by({"a": (1, 1), "b": (1, 1)}) == {}
    assert dominated_by({}) == {}


def test_controls_and_rows_without_a_score_take_no_part(tmp_path):
    given = {
        "copy": (0.0, 50.0),
        "cut": (0.1, 60.0),
        "fastcut": (0.2, 65.0),
        "moco": (0.3, None),
        "real": (0.05, 10.0),
    }
    runs = [
        load_run(write_run(tmp_path / n, n, scores={"perceptual": c, "fid": f}, images=0, points=1))
        for n, (c, f) in given.items()
    ]
    rows = rows_of(runs)
    assert dominated(rows, ("perceptual", "fid")) == {"fastcut": "cut"}
    # A score that is better when higher counts the other way.
    assert dominated(rows, ("ssim", "fid")) == {"fastcut": "cut"}
