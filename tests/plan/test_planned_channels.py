"""A plan with images of other channels: which rows it refuses, before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from cut.base.errors import UserError
from cut.plan.finished_runs import wanted_of
from cut.plan.plan import make_plan


def planned(run, memory=None, **settings):
    source = {"source": "anywhere", "bits": 8, **settings}
    given = {"datasets": ["mine"], "data_sources": {"mine": source}, "run": run, "size": 64}
    return make_plan(given, memory)


def test_rows_say_which_channels_they_take(tmp_path):
    for _ in range(2):  # resolved, then remembered
        rows = planned(["cut", "cyclegan", "reinhard"], tmp_path).rows
        assert {name: row.channels for name, row in rows.items()} == {
            "cut": "equal",
            "cyclegan": "any",
            "reinhard": "three",
        }


def test_networks_of_the_channels_are_planned():
    planned(["copy", "cut", "cyclegan", "real"], channels=4)
    planned(["cyclegan", "distancegan", "real"], channels={"A": 4})


@pytest.mark.parametrize(
    ("run", "channels"),
    [("cut", {"A": 4}), ("copy", {"B": 1}), ("reinhard", 1), ("reinhard", 4), ("sincut", {"A": 1})],
)
def test_a_row_that_cannot_have_them_is_a_sentence(run, channels):
    with pytest.raises(UserError, match=f"row {run} on mine"):
        planned(["real", run] if run != "reinhard" else [run], channels=channels)


def test_the_fit_is_a_part_of_what_a_run_is():
    plan = make_plan({"datasets": ["coats2stripes"], "run": ["cut"], "size": 64, "fit": "pad"})
    assert wanted_of(plan, plan.rows["cut"], Path())["fit"] == "pad"
    with pytest.raises(UserError, match="fit"):
        make_plan({"datasets": ["coats2stripes"], "run": ["cut"], "size": 64, "fit": "squeeze"})
