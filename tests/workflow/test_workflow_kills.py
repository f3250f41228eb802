"""Trainings that outlive a killed Snakemake, and trainings that fail, through real Snakemake."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

import pytest
from workflow_runs import TINY, job_counts, snakemake, start

from cut.plan import status
from cut.records.job import JobRecord

# One worker runs all tests of the workflow: Snakemake takes both cores.
pytestmark = [pytest.mark.xdist_group("workflow"), pytest.mark.slow]
CONFIG = {**TINY, "run": ["cut"], "replace": True}
del CONFIG["best"]
RUN = Path("results/coats2stripes/cut/seed0")
LOG = Path("results/logs/coats2stripes.cut.seed0.train.log")
STATUS = LOG.with_name(LOG.name + ".json")
FAILING = {**CONFIG, "options": {**TINY["options"], "tau": 1e-42}}
LONGER = {**CONFIG, "training": {**TINY["training"], "epochs_constant": 12, "log_every": 1}}


def train(folder: Path, config: dict, *more: str) -> tuple[int, str]:
    return snakemake(folder, "--until", "train", *more, config=config)


def wait_for(condition, what: str) -> None:
    deadline = time.monotonic() + 300
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> Path:
    """Return the folder of a benchmark with one finished training."""
    folder = tmp_path_factory.mktemp("kills")
    code, output = train(folder, CONFIG)
    assert code == 0, output
    return folder


def test_a_failed_training_is_not_taken_for_the_one_before(trained):
    before = (trained / RUN / "run.json").read_bytes()
    code, output = train(trained, FAILING)
    assert code != 0, output
    job = JobRecord.read(trained / STATUS)
    assert job.state == "failed" and "nan" in job.reason
    assert status.show(trained / "config.yaml", trained) == 1
    code, output = train(trained, FAILING, "--dry-run")
    assert code == 0 and job_counts(output)["train"] == 1, output
    # With the options of before, the weights of before are still good.
    code, output = train(trained, CONFIG)
    assert code == 0, output
    assert "holds this very run" in (trained / LOG).read_text()
    assert json.loads((trained / RUN / "run.json").read_text()) == json.loads(before)
    code, output = train(trained, CONFIG, "--dry-run")
    assert code == 0 and not job_counts(output).get("train"), output


def test_a_training_that_outlives_snakemake_is_not_trained_twice(trained):
    process = start(trained, "--until", "train", config=LONGER)
    wait_for(lambda: (trained / RUN / "state/progress.json").is_file(), "no progress was written")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    job = JobRecord.read(trained / STATUS)
    assert job.state == "running" and not job.killed, "the training outlives Snakemake"
    wait_for(lambda: JobRecord.read(trained / STATUS).state == "done", "the training went on")
    before = (trained / RUN / "run.json").read_bytes()
    code, output = snakemake(trained, "--until", "train")
    assert code == 0, output
    assert "holds this very run" in (trained / LOG).read_text()
    assert json.loads(before)["epochs"] == 13
    assert (trained / RUN / "run.json").read_bytes() == before
    code, output = train(trained, LONGER, "--dry-run")
    assert code == 0 and not job_counts(output).get("train"), output
    code, output = train(trained, CONFIG, "--dry-run")
    assert job_counts(output)["train"] == 1, "a changed option trains again"
