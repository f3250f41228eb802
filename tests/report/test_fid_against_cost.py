"""FID against time and memory."""

from __future__ import annotations

import pytest
from fake_runs import write_run

from cut.base.errors import NothingToShow, UserError
from cut.report.figures import fid_against_cost, fid_by_epoch
from cut.results.run import load_run


def test_costs_are_points_of_the_trained_rows_alone(tmp_path):
    runs = [
        write_run(tmp_path / "copy", "copy", scores={"fid": 90.0}),
        write_run(tmp_path / "a", "cut", scores={"fid": 50.0}, seconds_per_iteration=0.2),
        write_run(tmp_path / "b", "cut", seed=1, scores={"fid": 60.0}, seconds_per_iteration=0.4),
        write_run(tmp_path / "c", "fastcut", scores={"fid": None}, missing={"fid": "no weights"}),
    ]
    figure = fid_against_cost.draw([load_run(run) for run in runs])
    for axes, x in zip(figure.axes, (0.3, 0.512), strict=True):
        points = [line for line in axes.lines if len(line.get_xdata()) == 1]
        assert [(p.get_xdata()[0], p.get_ydata()[0]) for p in points] == [(pytest.approx(x), 55.0)]
        assert axes.get_xlim()[1] > x
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["cut"]
    assert figure.get_suptitle() == "measured on Example CPU & Co, 1 thread (resident memory)"
    with pytest.raises(NothingToShow, match="no run has both a FID and a cost"):
        fid_against_cost.draw([load_run(runs[0]), load_run(runs[3])])


def test_runs_of_two_data_sets_are_refused(tmp_path):
    runs = [load_run(write_run(tmp_path / d, "cut", dataset=d)) for d in ("a", "b")]
    for module in (fid_against_cost, fid_by_epoch):
        with pytest.raises(UserError, match="one figure shows one data set, but runs of a, b were"):
            module.draw(runs)
