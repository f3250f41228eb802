"""The chart at the page's beginning: places on its axis, lines of controls, ticks."""

from __future__ import annotations

import pytest
from fake_runs import write_run

from cut.report.site.chart import chart_of
from cut.results.rows import rows_of
from cut.results.run import load_run


def chart(root, scores, halves=5.0, seeds=1):
    """Return the chart of rows with these FIDs; their intervals reach `halves` to either side.

    `halves` is of all rows, or by name; 0 is no interval.
    """
    runs, by_name = [], halves if isinstance(halves, dict) else dict.fromkeys(scores, halves)
    for name, fid in scores.items():
        half = by_name[name]
        for seed in range(seeds):
            value = fid and fid + seed
            ends = {"fid_low": value - half, "fid_high": value + half} if value else {}
            run = write_run(
                root / name / f"seed{seed}",
                name,
                algorithm=name if name in ("copy", "real") else "cut",
                seed=seed,
                scores={"fid": value} | (ends if half else {}),
                missing={} if value else {"fid": "none"},
                images=0,
                points=2,
            )
            runs.append(load_run(run))
    return chart_of(rows_of(runs))


def test_rows_are_in_order_and_places_are_shares_of_the_axis(tmp_path):
    found = chart(tmp_path, {"b": 60.0, "a": 40.0, "none": None})
    assert [line.row.name for line in found.rows] == ["a", "b"] and found.absent == ["none"]
    (a,), (b,) = (line.bar.whiskers for line in found.rows)
    # The whiskers span 35 to 65. intervals.py leaves 4 % of room at either end, the chart 3 % more.
    room = 0.04 * 30 + 0.03 * (30 + 2 * 0.04 * 30)
    width = 30 + 2 * room
    assert a.low == pytest.approx(100 * room / width, abs=0.06)
    assert (a.point, b.point) == pytest.approx(
        (100 * (room + 5) / width, 100 * (room + 25) / width), abs=0.06
    )
    assert b.high == pytest.approx(100 - a.low, abs=0.06)
    assert found.rows[0].text == "40.0" and found.rows[0].bounds == "35.0 to 45.0"


def test_ticks_are_round_numbers_at_their_places(tmp_path):
    found = chart(tmp_path, {"a": 40.0, "b": 60.0})
    assert [label for _, label in found.ticks] == ["40", "50", "60"]
    assert [place for place, _ in found.ticks][::2] == [
        line.bar.whiskers[0].point for line in found.rows
    ]
    small = chart(tmp_path / "small", {"a": 40.0, "b": 40.3}, halves=0.1)
    assert {"39.9", "40", "40.1"} & {label for _, label in small.ticks}
    assert 3 <= len(small.ticks) <= 7


def test_controls_are_lines_where_they_are_near(tmp_path):
    found = chart(tmp_path, {"copy": 80.0, "a": 40.0, "b": 60.0, "real": 30.0})
    assert [level.role for level in found.levels] == ["ceiling", "floor"]
    names = [line.row.name for line in found.rows]
    assert names == ["real", "a", "b", "copy"]
    points = {line.row.name: line.bar.whiskers[0].point for line in found.rows}
    assert [level.place for level in found.levels] == [points["real"], points["copy"]]


def test_a_control_that_is_far_is_an_arrow_and_no_line(tmp_path):
    found = chart(tmp_path, {"copy": 290.0, "a": 40.0, "b": 60.0, "real": 30.0})
    assert [level.role for level in found.levels] == ["ceiling"]
    far = found.rows[-1]
    assert far.row.name == "copy" and far.bar.right and not far.bar.whiskers
    a, b = (line.bar.whiskers[0].point for line in found.rows[1:3])
    assert b - a > 20, "the methods keep their room"


@pytest.mark.parametrize("half", [5.0, 0.0])
def test_a_single_training_stands_between_all_controls(tmp_path, half):
    halves = {"copy": 5.0, "a": half, "real": 5.0}
    found = chart(tmp_path, {"copy": 290.0, "a": 40.0, "real": 20.0}, halves)
    assert [level.role for level in found.levels] == ["ceiling", "floor"]
    assert not any(line.bar.left or line.bar.right for line in found.rows)


def test_scores_without_intervals_are_points_and_one_row_has_an_axis(tmp_path):
    found = chart(tmp_path, {"a": 40.0, "b": 60.0}, halves=0)
    points = [line.bar.whiskers[0].point for line in found.rows]
    assert points[0] < points[1] and all(line.bounds == "" for line in found.rows)
    one = chart(tmp_path / "one", {"a": 40.0}, halves=0)
    assert one.rows[0].bar.whiskers[0].point == pytest.approx(50, abs=0.1) and one.ticks


def test_each_seed_has_a_whisker(tmp_path):
    found = chart(tmp_path, {"a": 40.0}, seeds=3)
    assert len(found.rows[0].bar.whiskers) == 3 and found.rows[0].text == "41.0 ± 1.0"


def test_without_a_scored_method_there_is_no_chart(tmp_path):
    assert chart(tmp_path, {"copy": 200.0, "a": None, "real": 20.0}) is None
