"""The memory that jobs ask a cluster for."""

from __future__ import annotations

from pathlib import Path

import pytest

from cut.plan import memory
from cut.plan.plan import make_plan
from cut.records.job import JobRecord

CONFIG = {"datasets": ["coats2stripes"], "run": ["copy", "cut"], "training": {"workers": 0}}


def asked(row="cut", **changes):
    plan = make_plan({**CONFIG, **changes})
    return memory.training_mb(plan.rows[row], plan.config)


@pytest.mark.parametrize(
    "row, size, peak",
    [
        ("cut", 128, 1665),
        ("fastcut", 256, 2358),
        ("cyclegan", 128, 1973),
        ("munit", 128, 2452),
        ("drit", 64, 1965),
        ("drit", 128, 2340),
    ],
)
def test_the_training_of_each_method_asks_for_what_was_measured(row, size, peak):
    assert peak + 300 < asked(row, run=[row], size=size) < 3 * peak


# Peaks of the training process, in megabytes: size, width, batch (docs/scale.md).
@pytest.mark.parametrize(
    "size, width, batch, peak",
    [
        (64, 16, 1, 816),
        (64, 64, 1, 1158),
        (64, 64, 4, 1525),
        (128, 32, 1, 1143),
        (128, 64, 1, 1665),
        (256, 16, 1, 1412),
        (256, 64, 1, 3449),
    ],
)
def test_a_training_asks_for_what_was_measured_and_not_for_much_more(size, width, batch, peak):
    options, training = {"ngf": width, "ndf": width}, {"batch_size": batch}
    assert peak + 300 < asked(size=size, options=options, training=training) < 3 * peak


def test_a_control_asks_for_little_and_loaders_for_more():
    assert asked("copy") == memory.PROCESS
    assert asked(training={"workers": 4}) == asked() + 4 * memory.LOADER
    assert asked(training={"cache_images": True}) > asked()


def test_on_a_gpu_the_width_takes_no_memory_of_the_node():
    assert asked(device="cuda", options={"ngf": 64}) == asked(device="cuda", options={"ngf": 256})


@pytest.mark.parametrize("state", ["done", "failed", "stopped"])
def test_a_job_that_could_say_how_it_ended_asks_for_the_same_again(tmp_path, state):
    path = tmp_path / "train.log.json"
    job = JobRecord.start()
    job.write(path)
    job.end(path, state)
    assert [memory.after(n, 1000, path) for n in (1, 2, 3)] == [1000, 1000, 1000]


def test_a_job_that_was_killed_asks_for_more(tmp_path):
    path = tmp_path / "train.log.json"
    JobRecord.start().write(path)
    assert [memory.after(n, 1000, path) for n in (1, 2, 3)] == [1000, 2000, 3000]


def test_without_a_readable_status_a_job_asks_for_the_same_again(tmp_path):
    (tmp_path / "train.log.json").write_text("{")
    for path in (tmp_path / "train.log.json", Path("missing")):
        assert memory.after(2, 1000, path) == 1000


def test_edges_of_large_images_take_more_memory():
    def scoring(**changes):
        return memory.scoring_mb(make_plan({**CONFIG, "extra_scores": ["edges"], **changes}).config)

    # The peak of HED alone on an image of 724x724 pixels was 983 MB.
    assert 983 + 300 < scoring(size=724) < 3 * 983
    assert scoring(size=64) == scoring(size=256) < scoring(size="1024x2048")
    plain = memory.scoring_mb(make_plan(CONFIG).config)
    assert plain == memory.PROCESS + memory.INCEPTION < scoring(size=64)
