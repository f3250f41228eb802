"""The state of each run, from status files, progress and outputs."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import yaml
from fake_runs import write_run

from cut.base import processes
from cut.plan import status
from cut.records.job import JobRecord
from cut.records.progress import ProgressRecord
from cut.training.run_lock import only_one

PLACE = "epoch 3/12 step 1200/4800"


@pytest.fixture(scope="module")
def gone() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def progress(folder, seconds_left=252.0, **more) -> None:
    values = {"iteration": 1200, "iterations": 4800, "epoch": 3, "epochs": 12}
    values |= {"images_per_second": 16.4, "seconds_left": seconds_left, **more}
    ProgressRecord(**values).write(folder / "state" / "progress.json")


class Benchmark:
    """A folder of results whose jobs' files are written by hand."""

    def __init__(self, root):
        self.root = root
        self.logs = root / "results" / "logs"
        self.runs = root / "results" / "coats2stripes"

    def folder(self, row):
        return self.runs / row / "seed0"

    def job(self, row, stage, state, reason="", **more):
        job = JobRecord.start().model_copy(update={"state": state, "reason": reason, **more})
        job.write(self.logs / f"coats2stripes.{row}.seed0.{stage}.log.json")

    def finish(self, row, *names):
        for name in names:
            (self.folder(row) / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder(row) / name).touch()

    def state(self, row="cut", **more):
        state = status.state_of(status.RunJobs(self.folder(row), self.logs), **more)
        return " ".join(f"{state.word} {state.detail}".split())

    def show(self, run, **more):
        path = self.root / "config.yaml"
        path.write_text(yaml.safe_dump({"datasets": ["coats2stripes"], "run": run, **more}))
        return status.show(path, self.root)


@pytest.fixture
def bench(tmp_path):
    return Benchmark(tmp_path)


def test_every_state_is_shown_with_totals(bench, gone, capsys):
    write_run(bench.folder("cut"), "cut")
    translated = write_run(bench.folder("copy"), "copy")
    (translated / "scores.json").unlink()
    bench.job("copy", "score", "failed", "features are bad")
    bench.job("fastcut", "train", "running")
    progress(bench.folder("fastcut"))
    bench.job("cyclegan", "train", "running", pid=gone)
    bench.job("gcgan", "train", "stopped", "exit status 143")
    progress(bench.folder("gcgan"), pid=gone)
    assert bench.show(["copy", "cut", "fastcut", "cyclegan", "gcgan", "moco"]) == 1
    *lines, total = capsys.readouterr().out.splitlines()
    shown = {line.split("/")[1]: " ".join(line.split()[1:]) for line in lines}
    assert shown == {
        "copy": "failed score: features are bad",
        "cut": "done",
        "fastcut": f"training {PLACE} 4.2 min left",
        "cyclegan": "failed train: killed",
        "gcgan": f"stopped {PLACE}",
        "moco": "waiting",
    }
    assert total.startswith("2 failed, 1 done, 1 training, 1 stopped, 1 waiting; 4.2 min left")
    assert "2 more" in total


def test_a_finished_benchmark_exits_with_zero(bench, capsys):
    write_run(bench.folder("cut"), "cut")
    assert bench.show(["cut"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 done"


def test_jobs_at_work_are_named(bench):
    steps = [
        ("train", "training", "run.json"),
        ("translate", "translating", "translated/manifest.json"),
        ("score", "scoring", "scores.json"),
    ]
    assert bench.state() == "waiting"
    for stage, running, output in steps:
        bench.job("cut", stage, "running")
        assert bench.state() == running
        bench.finish("cut", output)
        bench.job("cut", stage, "done")
    assert bench.state() == "done"
    assert bench.state(best=True) == "scored"
    bench.job("cut", "select", "running")
    assert bench.state(best=True) == "choosing"
    bench.finish("cut", "best.json")
    bench.job("cut", "select", "done")
    bench.job("cut", "score_best", "running")
    assert bench.state(best=True) == "scoring"
    bench.finish("cut", "best/scores.json")
    bench.job("cut", "score_best", "done")
    assert bench.state(best=True) == "done"


def test_jobs_of_a_method_of_commands_are_named(bench):
    steps = [
        ("train", "training", "trained"),
        ("translate", "translating", "translations"),
        ("record", "recording", "run.json"),
        ("score", "scoring", "scores.json"),
    ]
    for stage, running, output in steps:
        bench.job("cut", stage, "running")
        assert bench.state(by_commands=True) == running
        bench.finish("cut", output)
        bench.job("cut", stage, "done")
    assert bench.state(by_commands=True) == "done"


def test_a_failure_is_shown_at_every_stage(bench):
    bench.job("cut", "train", "failed", "OSError: disk full")
    assert bench.state() == "failed train: OSError: disk full"
    # Snakemake restores the outputs of the training before.
    bench.finish("cut", "run.json", "translated/manifest.json", "scores.json")
    assert bench.state() == "failed train: OSError: disk full"
    bench.job("cut", "train", "done")
    bench.job("cut", "translate", "done")
    bench.job("cut", "select", "failed", "no snapshots")
    (bench.folder("cut") / "scores.json").unlink()
    bench.job("cut", "score", "running")
    assert bench.state(best=True) == "failed select: no snapshots"


def test_a_killed_job_is_noticed_at_once(bench, gone):
    bench.job("cut", "train", "running")
    progress(bench.folder("cut"))
    assert bench.state().startswith("training")
    bench.job("cut", "train", "running", pid=gone)
    progress(bench.folder("cut"), pid=gone)
    assert bench.state() == f"failed train: killed {PLACE}"


def test_a_process_with_a_number_used_again_is_another(bench):
    bench.job("cut", "train", "running", started=time.time() - 1e7)
    assert bench.state() == "failed train: killed"


def test_a_job_of_another_machine_counts_as_running(bench, gone):
    bench.job("cut", "train", "running", pid=gone, host="elsewhere")
    assert bench.state() == "training"
    progress(bench.folder("cut"), pid=gone, host="elsewhere", time=time.time() - 7200)
    assert bench.state() == f"training {PLACE} 4.2 min left no step logged for 2.0 h"


def test_a_training_started_by_hand_needs_no_status_file(bench, gone):
    progress(bench.folder("cut"))
    assert bench.state() == f"training {PLACE} 4.2 min left"
    progress(bench.folder("cut"), pid=gone)
    assert bench.state() == f"stopped {PLACE}"


def test_the_best_epoch_is_part_of_a_run(bench, capsys):
    for name in ("copy", "cut"):
        write_run(bench.folder(name), name)
    best = {"every": 2}
    assert bench.show(["copy", "cut"], best=best) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 done, 1 scored"
    bench.job("cut", "select", "failed", "epoch0002.pt is gone")
    assert bench.show(["copy", "cut"], best=best) == 1


def test_time_left_is_summed_and_long_times_are_in_hours(bench, capsys):
    for name in ("cut", "fastcut"):
        bench.job(name, "train", "running")
        progress(bench.folder(name), 1066.3 * 60)
    assert bench.show(["copy", "cut", "fastcut"]) == 0
    *lines, total = capsys.readouterr().out.splitlines()
    assert lines[1].endswith("17.8 h left")
    assert "2 training" in total and "35.5 h" in total and "1 more" in total


def test_looking_takes_no_lock(bench):
    with only_one(bench.folder("cut")):
        progress(bench.folder("cut"))
        assert bench.state().startswith("training")
    with only_one(bench.folder("cut"), lambda: True) as mine:
        assert mine


def test_a_process_is_alive_until_it_ends(gone):
    now = time.time()
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert processes.alive(child.pid, now + 1)
    child.kill()
    time.sleep(0.3)
    assert not processes.alive(child.pid, now + 1), "nobody has waited for it yet"
    child.communicate()
    assert not processes.alive(child.pid, now) and not processes.alive(gone, now)
