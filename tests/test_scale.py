"""What the benchmark of the scale adds up."""

from __future__ import annotations

import pytest
from workflow_runs import TINY

from benchmarks import scale
from cut.base import image_files
from cut.plan.config import read
from cut.plan.inputs import check_inputs
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


def test_a_plan_opens_and_looks_at_no_file_of_a_large_folder(tmp_path, monkeypatch):
    for part in ("trainA", "trainB", "testA", "testB"):
        (tmp_path / part).mkdir()
        for k in range(3):
            (tmp_path / part / f"{k}.png").touch()
    looked = []
    monkeypatch.setattr(image_files, "check_regular", looked.append)
    monkeypatch.setattr(image_files, "looks_like_image", looked.append)
    config = {"datasets": ["many"], "run": ["copy"], "data_sources": {"many": str(tmp_path)}}
    check_inputs(make_plan(config))
    assert looked == []


def test_the_time_of_a_plan_on_many_names_is_printed(capsys):
    scale.many_names(20)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all(line.startswith("20 names, ") for line in lines)
