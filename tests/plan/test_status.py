"""What `cut.plan.status` says of a benchmark's runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
import yaml
from command import run_command
from fake_runs import write_run

from cut.plan import job_logs, status
from cut.training.run_lock import only_one

TRACEBACK = """loading
Traceback (most recent call last):
  File "train.py", line 3, in <module>
    step(batch)
{}"""
LINE = "epoch 3/12  step 1200/4800  D 0.1  G 0.2  16.4 images/s  4.2 min left\n"


def config(folder, run, **more):
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump({"datasets": ["coats2stripes"], "run": run, **more}))
    return path


def test_every_state_is_told_apart(tmp_path, capsys):
    runs = tmp_path / "results" / "coats2stripes"
    logs = tmp_path / "results" / "logs"
    logs.mkdir(parents=True)
    write_run(runs / "cut" / "seed0", "cut")
    translated = write_run(runs / "copy" / "seed0", "copy")
    (translated / "scores.json").unlink()
    (logs / "coats2stripes.copy.seed0.score.log").write_text("loading\nerror: features are bad\n")
    (logs / "coats2stripes.cyclegan.seed0.train.log").write_text("error: loss G is nan\n")
    stopped = runs / "gcgan" / "seed0" / "state"
    stopped.mkdir(parents=True)
    (stopped / "abc.pt").touch()
    (logs / "coats2stripes.gcgan.seed0.train.log").write_text(LINE + "stopped by signal 15\n")
    (logs / "coats2stripes.fastcut.seed0.train.log").write_text(LINE)
    file = config(tmp_path, ["copy", "cut", "fastcut", "cyclegan", "gcgan", "moco"])
    with only_one(runs / "fastcut" / "seed0"):
        assert run_command("status", [str(file), "--directory", str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    said = {line.split("/")[1]: " ".join(line.split()[1:]) for line in lines[:-1]}
    assert said == {
        "copy": "failed score: features are bad",
        "cut": "done",
        "fastcut": "training epoch 3/12 step 1200/4800 4.2 min left",
        "cyclegan": "failed train: loss G is nan",
        "gcgan": "stopped epoch 3/12 step 1200/4800",
        "moco": "waiting",
    }
    assert lines[-1] == (
        "2 failed, 1 done, 1 training, 1 stopped, 1 waiting; at least 4.2 min of training left, the"
        " sum of those that run at their rate so far; 2 more not counted"
    )


def test_looking_takes_no_lock(tmp_path):
    with only_one(tmp_path):
        assert status.locked(tmp_path)
    assert not status.locked(tmp_path)
    with only_one(tmp_path):
        pass


def test_a_finished_benchmark_exits_with_zero(tmp_path, capsys):
    write_run(tmp_path / "results" / "coats2stripes" / "cut" / "seed0", "cut")
    assert (
        run_command("status", [str(config(tmp_path, ["cut"])), "--directory", str(tmp_path)]) == 0
    )
    assert capsys.readouterr().out.splitlines()[-1] == "1 done"


def test_a_run_that_is_followed_is_done_when_its_best_epoch_is_scored(tmp_path, capsys):
    runs = tmp_path / "results" / "coats2stripes"
    for name in ("copy", "cut"):
        write_run(runs / name / "seed0", name)
    file = config(tmp_path, ["copy", "cut"], best={"every": 2})
    arguments = [str(file), "--directory", str(tmp_path)]
    assert run_command("status", arguments) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "1 done, 1 scored"
    logs = tmp_path / "results" / "logs"
    logs.mkdir()
    (logs / "coats2stripes.cut.seed0.select.log").write_text("error: epoch0002.pt is gone\n")
    assert run_command("status", arguments) == 1
    assert "failed       select: epoch0002.pt is gone" in capsys.readouterr().out
    best = runs / "cut" / "seed0" / "best"
    best.mkdir()
    (best / "scores.json").write_text("{}")
    assert run_command("status", arguments) == 0


@pytest.fixture
def look(tmp_path):
    """Return a function: the state of a run whose logs, {stage: text}, were written long ago."""
    folder = tmp_path / "results" / "coats2stripes" / "cut" / "seed0"
    folder.mkdir(parents=True)

    def at(given, followed=False, ago=3600.0, own=False, workflow=False, done=()):
        for name in done:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).touch()
        for stage, text in given.items():
            log = tmp_path / f"coats2stripes.cut.seed0.{stage}.log"
            log.write_text(text)
        then = time.time() - ago
        for path in (*tmp_path.glob("*.log"), *(f for f in folder.rglob("*") if f.is_dir())):
            os.utime(path, (then, then))
        state = status.state_of(status.Look(folder, tmp_path, own, workflow), followed)
        return " ".join(f"{state.word} {state.detail}".split())

    return at


@pytest.mark.parametrize(("end", "why"), [
    (TRACEBACK.format("torch.cuda.OutOfMemoryError: CUDA out of memory. Tried 2 GiB.\n"),
     "torch.cuda.OutOfMemoryError: CUDA out of memory. Tried 2 GiB."),
    (TRACEBACK.format("RuntimeError: CUDA error: unspecified launch failure\nCompile with X\n\n"),
     "RuntimeError: CUDA error: unspecified launch failure"),
    (TRACEBACK.format("ImportError: no module torch\n"), "ImportError: no module torch"),
    (TRACEBACK.format("mine.Odd: x\nerror: the command ended with status 1\n"), "mine.Odd: x"),
    ("bash: line 1: 77 Killed   train\nerror: the command ended with status 137\n",
     "bash: line 1: 77 Killed   train"),
    ("odd words\nerror: the command ended with status 3\n", "the command ended with status 3"),
    ("bash: line 1: 77 Killed   train\n", "bash: line 1: 77 Killed   train"),
    ("  deep\n" * 9000 + "KeyError: 'x'\n", "KeyError: 'x'"),
    (LINE + "error: loss G is nan\n/usr/lib/warn.py:1: UserWarning: leaked\n", "loss G is nan"),
    (TRACEBACK.format("ValueError: survived\n") + LINE, ""),
    (TRACEBACK.format("ValueError: survived\n") + "step\n" * 40, ""),
    ("error: early\n" + LINE, ""),
    (LINE, ""),
    ("", ""),
])  # fmt: skip
def test_the_end_of_a_log_says_why(end, why):
    assert job_logs.reason(end[-job_logs.LAST :]) == why


def test_a_traceback_is_a_failure_at_every_stage(look):
    text = TRACEBACK.format("OSError: disk full\n")
    assert look({"train": text}) == "failed train: OSError: disk full"
    assert look({"train": text}, ago=1.0) == "failed train: OSError: disk full", "also just now"
    assert look({"train": LINE, "translate": text}, done=["run.json"]) == (
        "failed translate: OSError: disk full")  # fmt: skip
    # The best epoch is chosen beside the translation, whose end it need not wait for.
    assert look({"translate": "", "select": text}, followed=True) == (
        "failed select: OSError: disk full")  # fmt: skip


def test_stages_at_work_are_named(look):
    assert look({"train": "loading\n"}, ago=1.0) == "training starting"
    assert look({"translate": ""}, ago=1.0, done=["run.json"]) == "translating"
    assert look({"select": "epoch 2: fid 70\n"}, followed=True, ago=1.0) == "translating"
    assert look({"score": ""}, ago=1.0, done=["translated/manifest.json"]) == "scoring"
    assert look({}, followed=True, ago=1.0, done=["scores.json"]) == "choosing"
    assert look({"score_best": ""}, followed=True, ago=1.0, done=["best.json"]) == "scoring"
    assert look({}, followed=True, done=["best/scores.json"]) == "done"


def test_what_was_killed_without_a_word_is_stopped_after_a_while(look):
    assert look({"train": LINE}, ago=job_logs.FRESH - 60) == (
        "training epoch 3/12 step 1200/4800 4.2 min left")  # fmt: skip
    assert look({"train": LINE}, ago=job_logs.FRESH + 60) == "stopped epoch 3/12 step 1200/4800"
    assert look({"translate": ""}, done=["run.json"]) == "stopped translate"


def test_images_that_appear_are_a_sign_of_work(look, tmp_path):
    assert look({"translate": ""}, done=["run.json"]) == "stopped translate"
    (tmp_path / "results/coats2stripes/cut/seed0/translated").mkdir()
    folder = tmp_path / "results" / "coats2stripes" / "cut" / "seed0"
    state = status.state_of(status.Look(folder, tmp_path, own=False, workflow=False))
    assert state.word == "translating"


def test_own_commands_run_while_the_workflow_does(look):
    quiet = {"train": "epoch 1\n"}
    assert look(quiet, own=True, workflow=True) == "training last word 60.0 min ago"
    assert look(quiet, own=True, workflow=False) == "stopped train"
    assert look(quiet, own=True, ago=1.0) == "training"
    ended = {"train": "error: the command ended with status 3\n"}
    assert look(ended, own=True, workflow=True) == "failed train: the command ended with status 3"
    assert look({"translate": ""}, own=True, ago=1.0, done=["trained"]) == "translating"
    assert look({"record": ""}, own=True, ago=1.0, done=["translations"]) == "recording"
    assert look({}, own=True, done=["run.json"]) == "translated"
    assert look({}, own=True, done=["scores.json"]) == "done"


@contextmanager
def at_work(log):
    """Run a command of this package that writes nothing, its output in a log."""
    code = "import time; from cut import cli; cli._lock_output(); time.sleep(60)"
    with open(log, "w") as file:
        process = subprocess.Popen([sys.executable, "-c", code], stdout=file)
    try:
        for _ in range(600):
            if job_logs.held(log):
                break
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


def test_a_command_at_work_is_seen_however_long_it_is_silent(look, tmp_path):
    log = tmp_path / "coats2stripes.cut.seed0.score.log"
    done = ["run.json", "translated/manifest.json"]
    with at_work(log):
        assert look({}, done=done, ago=7200.0) == "scoring last word 2.0 h ago"
    assert look({}, done=done, ago=7200.0) == "stopped score"


def test_long_times_are_in_hours_and_summed(tmp_path, capsys):
    places = tmp_path / "results" / "logs"
    places.mkdir(parents=True)
    for name in ("cut", "fastcut"):
        text = LINE.replace("4.2 min", "1066.3 min")
        (places / f"coats2stripes.{name}.seed0.train.log").write_text(text)
    file = config(tmp_path, ["copy", "cut", "fastcut"])
    assert run_command("status", [str(file), "--directory", str(tmp_path)]) == 0
    *lines, total = capsys.readouterr().out.splitlines()
    assert lines[1].endswith("step 1200/4800  17.8 h left")
    assert total == (
        "1 waiting, 2 training; at least 35.5 h of training left, the sum of those that run at"
        " their rate so far; 1 more not counted"
    )
