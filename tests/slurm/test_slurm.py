"""The workflow through `profiles/slurm`, on a Slurm cluster of one node that the test sets up.

`make test-slurm` runs it: it takes some minutes, and needs root, the packages `slurm-wlm` and
`munge`, and Snakemake's plugin for Slurm.
"""

from __future__ import annotations

import importlib.util
import json
import time
from pathlib import Path

import pytest
from cluster import Cluster, cluster, missing
from conftest import ROOT
from workflow_runs import TINY, snakemake, start

from benchmarks.scale import cluster_jobs
from cut.plan.plan import make_plan
from cut.records.job import JobRecord

pytestmark = [pytest.mark.slurm, pytest.mark.slow, pytest.mark.xdist_group("slurm")]
PROFILE = [
    f"--workflow-profile={ROOT / 'profiles' / 'slurm'}",
    # A job of the test takes seconds, one of the benchmark hours.
    "--slurm-init-seconds-before-status-checks=3",
    "--seconds-between-status-checks=3",
    "--latency-wait=5",
]
# So many steps that the training lasts until it is cancelled and sent back to the queue.
TRAINING = {"epochs_constant": 120, "epochs_decay": 1, "log_every": 4, "checkpoint_minutes": 0.02}
CONFIG = {
    **TINY,
    "methods": {"cut": {"training": TRAINING}},
    "best": {**TINY["best"], "every": 200},
}
CUT = Path("results/coats2stripes/cut/seed0")
LOGS = Path("results/logs")


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """Return a running cluster, in whose environment Snakemake runs."""
    reason = missing()
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        reason = reason or 'needs the plugin: pip install ".[slurm]"'
    if reason:
        pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch, cluster(tmp_path_factory.mktemp("slurm")) as here:
        for name in ("PATH", "SLURM_CONF"):
            patch.setenv(name, here.env[name])
        yield here


def running(here: Cluster, rule: str) -> str:
    """Return the number of a running job of a rule and its wildcards, or an empty text."""
    jobs = here.jobs().items()
    found = (n for n, j in jobs if j.state == "RUNNING" and j.comment.startswith(rule))
    return next(found, "")


def steps(folder: Path) -> int:
    """Return how many steps the training has logged."""
    path = folder / CUT / "state" / "progress.json"
    try:
        return json.loads(path.read_text())["iteration"]
    except (OSError, ValueError):
        return 0


def submitted(output: str) -> int:
    return output.count("has been submitted with SLURM jobid")


@pytest.fixture(scope="module")
def finished(slurm, tmp_path_factory):
    """Return a benchmark that got past a cancelled and a requeued training and a drained node."""
    folder = tmp_path_factory.mktemp("benchmark")
    process = start(folder, *PROFILE, config=CONFIG)
    try:
        disturb(slurm, folder)
        output, _ = process.communicate(timeout=1200)
    finally:
        process.kill()
    (folder / "output.txt").write_text(output)
    assert process.returncode == 0, output
    return folder


def disturb(slurm: Cluster, folder: Path) -> None:
    """Cancel a training, drain the node and resume it, and queue the training again."""
    train = "rule_train_wildcards_coats2stripes_cut"
    slurm.wait(lambda: steps(folder) and running(slurm, train), "no training runs", 240)
    slurm.call("scancel", running(slurm, train))
    slurm.wait(lambda: not running(slurm, train), "the training is not cancelled")
    slurm.call("scontrol", "update", "NodeName=node", "State=DRAIN", "Reason=test")
    slurm.wait(lambda: slurm.node_state() == "drained", "the node does not drain", 240)
    time.sleep(5)
    assert not running(slurm, "rule_")
    before = steps(folder)
    slurm.call("scontrol", "update", "NodeName=node", "State=RESUME")
    slurm.wait(lambda: steps(folder) > before and running(slurm, train), "it does not go on", 240)
    slurm.call("scontrol", "requeue", running(slurm, train))  # what pre-emption does


def test_the_workflow_reaches_its_page(finished):
    assert (finished / "results" / "site" / "index.html").is_file()
    record = json.loads((finished / CUT / "run.json").read_text())
    assert record["epochs"] == 121 and record["iterations"] == 121 * 6


def test_a_cancelled_and_a_requeued_training_continue(finished):
    log = (finished / LOGS / "coats2stripes.cut.seed0.train.log").read_text()
    assert "continuing from step" in log
    assert (
        JobRecord.read(finished / LOGS / "coats2stripes.cut.seed0.train.log.json").state == "done"
    )


def test_small_jobs_share_jobs_of_the_cluster(finished):
    output = (finished / "output.txt").read_text()
    # 28 jobs of the workflow do not run where Snakemake does. One is tried again.
    assert submitted(output) == cluster_jobs(make_plan(CONFIG)) + 1 == 13 + 1


def test_a_second_run_has_nothing_to_do(finished):
    code, output = snakemake(finished, *PROFILE)
    assert code == 0 and "Nothing to be done" in output


def test_a_failing_training_ends_and_is_not_taken_for_the_one_before(slurm, finished):
    before = (finished / CUT / "run.json").read_bytes()
    options = {**TINY["options"], "tau": 1e-42}
    failing = {**CONFIG, "methods": {"cut": {"training": TRAINING, "options": options}}}
    failing["replace"] = True
    code, output = snakemake(finished, *PROFILE, "--retries=1", config=failing)
    assert code != 0 and submitted(output) == 2
    job = JobRecord.read(finished / LOGS / "coats2stripes.cut.seed0.train.log.json")
    assert job.state == "failed" and "nan" in job.reason
    assert not (finished / CUT / "trained").exists()
    code, output = snakemake(finished, *PROFILE, "--dry-run", config=failing)
    assert "rule train:" in output
    code, output = snakemake(finished, *PROFILE, config=CONFIG)
    assert code == 0, output
    assert json.loads((finished / CUT / "run.json").read_text()) == json.loads(before)


def test_a_training_that_runs_out_of_memory_asks_for_more(slurm, tmp_path):
    before = set(slurm.jobs())
    # A wide projection head takes 0.8 GB, which the estimate does not know.
    large = {**CONFIG, "run": ["cut"], "options": {**TINY["options"], "width": 4096}}
    large |= {"methods": {}, "training": {"epochs_constant": 1, "epochs_decay": 0}}
    code, output = snakemake(tmp_path, *PROFILE, "--until", "train", config=large)
    assert code == 0, output
    new = [job for number, job in slurm.jobs().items() if number not in before]
    asked = sorted(int(job.memory.removesuffix("M")) for job in new)
    assert len(asked) > 1 and asked == [asked[0] * n for n in range(1, len(asked) + 1)]
