"""Rows: the seeds of one row, and the order of rows."""

from __future__ import annotations

import statistics

import pytest
from fake_runs import write_run

from cut.results.rows import by_dataset, over_datasets, present, rows_of, runs_of
from cut.results.run import load_run


def runs(root, *rows, dataset="coats2stripes"):
    """Write and load a run per (name, seed, FID)."""
    return [
        load_run(
            write_run(
                root / dataset / name / str(seed),
                name,
                dataset=dataset,
                seed=seed,
                scores={"fid": fid},
                missing={"fid": f"reason {seed}"},
            )
        )
        for name, seed, fid in rows
    ]


def test_statistics_are_those_of_the_seeds_with_a_value(tmp_path):
    (row,) = rows_of(runs(tmp_path, ("cut", 2, 64.0), ("cut", 0, 60.0), ("cut", 1, None)))
    assert row.values("fid") == [64.0, 60.0] and row.seeds == [0, 1, 2]
    assert row.mean("fid") == 62.0 and row.sd("fid") == pytest.approx(statistics.stdev([60, 64]))
    assert row.by_seed("fid") == {0: 60.0, 1: None, 2: 64.0}
    assert list(row.by_seed("fid")) == [0, 1, 2]
    assert row.missing("fid") == {1: "reason 1"} and row.missing("kid") == {}


def test_one_value_has_no_deviation_and_none_no_mean(tmp_path):
    one, none = rows_of(runs(tmp_path, ("cut", 0, 60.0), ("fastcut", 0, None)))
    assert (one.mean("fid"), one.sd("fid")) == (60.0, None)
    assert (none.mean("fid"), none.sd("fid"), none.values("fid")) == (None, None, [])
    assert none.missing("fid") == {0: "reason 0"}


def test_a_row_has_what_its_runs_share(tmp_path):
    run = load_run(write_run(tmp_path / "run", "mine", algorithm="cut", options={"ngf": 8}))
    (row,) = rows_of([run])
    assert (row.name, row.dataset, row.algorithm) == ("mine", "coats2stripes", "cut")
    assert row.options == {"ngf": 8} and row.epochs == 3 and row.role == "method"
    (copy,) = rows_of([load_run(write_run(tmp_path / "copy", "copy"))])
    assert copy.control and copy.role == "floor" and copy.epochs is None


def test_rows_have_the_floor_first_and_the_ceiling_last(tmp_path):
    names = ["real", "fastcut", "copy", "cut", "fastcut"]
    given = [(name, names[:i].count(name), 60.0) for i, name in enumerate(names)]
    rows = rows_of(runs(tmp_path, *given))
    assert [row.name for row in rows] == ["copy", "fastcut", "cut", "real"]
    assert [len(row.runs) for row in rows] == [1, 2, 1, 1]
    assert len(runs_of(rows)) == len(given)


def test_rows_are_kept_apart_by_data_set(tmp_path):
    given = runs(tmp_path, ("cut", 0, 60.0), ("real", 0, 20.0), dataset="a")
    given += runs(tmp_path, ("cut", 0, 80.0), ("mine", 0, 70.0), dataset="b")
    sets = by_dataset(rows_of(given))
    assert {name: [row.name for row in rows] for name, rows in sets.items()} == {
        "a": ["cut", "real"],
        "b": ["cut", "mine"],
    }
    series = over_datasets(rows_of(given))
    assert [(each.name, list(each.rows)) for each in series] == [
        ("cut", ["a", "b"]),
        ("mine", ["b"]),
        ("real", ["a"]),
    ]
    assert series[0].rows["b"].mean("fid") == 80.0 and series[2].control


def test_present_metrics_have_a_value_somewhere(tmp_path):
    rows = rows_of(runs(tmp_path, ("cut", 0, None), ("copy", 0, 90.0)))
    assert present(rows, ["recall", "fid", "l1"]) == ["fid", "l1"]
