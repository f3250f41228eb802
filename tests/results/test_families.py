"""The families of methods."""

from __future__ import annotations

from fake_runs import write_run

from cut.methods.registry import discover
from cut.results.families import ALONE, OTHER, families, families_of, family_of
from cut.results.rows import rows_of
from cut.results.run import load_run


def row(root, name, **facts):
    return rows_of([load_run(write_run(root / name, name, images=0, points=2, **facts))])[0]


def test_every_listed_name_is_a_method():
    methods = discover().methods
    assert families().keys() <= methods.keys()
    assert all(methods[name].role == "method" for name in families())
    assert {OTHER, ALONE}.isdisjoint(families().values())


def test_a_family_is_that_of_the_method_and_not_of_the_row(tmp_path):
    assert family_of(row(tmp_path, "mine", algorithm="cyclegan")) == families()["cyclegan"]
    assert family_of(row(tmp_path, "new-idea")) == OTHER
    assert family_of(row(tmp_path, "copy")) == ""
    alone = row(tmp_path, "gan-alone", algorithm="cut", options={"lambda_nce": 0.0})
    assert family_of(alone) == ALONE
    rows = [alone, row(tmp_path, "cut"), row(tmp_path, "real"), row(tmp_path, "moco")]
    assert families_of(rows) == [families()["cut"], ALONE]
