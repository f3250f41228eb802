"""The tidy table of all scores."""

from __future__ import annotations

from fake_runs import write_run

from cut.metrics.catalogue import METRICS
from cut.report.scores_csv import scores_frame
from cut.results.run import load_run


def test_there_is_one_value_per_row_beside_the_published_one(tmp_path):
    names = ("copy", "cut")
    runs = [load_run(write_run(tmp_path / m, m, dataset="horse2zebra")) for m in names]
    tidy = scores_frame(runs)
    assert len(tidy) == 2 * len(METRICS)
    fid = tidy[tidy.metric == "fid"].set_index("method")
    assert fid.published["cut"] == 45.5 and "Table 1" in fid.source["cut"]
    assert "48x48" in fid.comparable["cut"] and fid.comparable["copy"] == ""
    cost = tidy[(tidy.metric == "seconds_per_iteration") & (tidy.method == "cut")].iloc[0]
    assert cost.published == 0.24 and "hardware" in cost.comparable
    assert cost.protocol == fid.protocol["cut"]


def test_a_data_set_without_a_paper_has_no_published_number(tmp_path):
    tidy = scores_frame([load_run(write_run(tmp_path / "run"))])
    assert tidy.published.isna().all() and set(tidy.comparable) == {""}
