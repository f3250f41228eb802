"""What the benchmark of the scale adds up."""

from __future__ import annotations

import pytest
from workflow_runs import TINY

from benchmarks import scale
from cut.plan.config import read
from cut.plan.plan import make_plan


@pytest.fixture(scope="module")
def paper():
    return make_plan(read(scale.ROOT / "config" / "paper.yaml"))


def test_a_training_takes_its_published_steps_and_seconds(paper):
    entry = paper.entries["horse2zebra"]
    assert scale.steps(paper.rows["cut"], entry) == 533_600
    assert scale.steps(paper.rows["fastcut"], entry) == 266_800
    assert scale.seconds_per_step(paper.rows["cut"]) == 0.24
    hours = scale.trainings(paper)
    assert len(hours) == 9 and max(hours) == pytest.approx(0.24 * 533_600 / 3600)


@pytest.mark.parametrize("gpus, hours", [(1, 9), (2, 5), (3, 4), (8, 4)])
def test_the_last_training_ends_after(gpus, hours):
    assert scale.makespan([3, 2, 4], gpus) == hours


def test_the_disk_holds_translations_and_kept_generators():
    plan = make_plan({**TINY, "run": ["copy", "cut"]})
    files, size = scale.disk(plan)
    # Of cut: two kept generators; translations of the last and of the best epoch.
    assert files == scale.SHARED + 2 * scale.OWN + 2 + 3 * 5
    assert size == 15 * (scale.PNG + scale.FEATURES) + 4 * scale.GENERATOR
