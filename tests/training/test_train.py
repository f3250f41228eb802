"""Training as a command: outputs, determinism, kills and continuing, bad input."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from command import run_command
from conftest import ROOT, write_pets
from training_runs import OPTIONS, SAVED_OFTEN, TRAINING, arguments

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.data.prepare import prepare
from cut.data.registry import resolve
from cut.methods import registry
from cut.records.history import HistoryRow
from cut.records.progress import ProgressRecord
from cut.records.request import RequestRecord
from cut.training import run_lock, trained_run, trainer


@pytest.fixture
def dataset(pets, tmp_path):
    prepare(resolve("pets", str(pets)), tmp_path / "data")
    return tmp_path / "data" / "dataset.json"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Return a data set and the folder of a run that was trained on it; use a copy of it."""
    root = tmp_path_factory.mktemp("finished")
    write_pets(root / "pets")
    prepare(resolve("pets", str(root / "pets")), root / "data")
    dataset = root / "data" / "dataset.json"
    run_command("train", arguments(dataset, root / "run"))
    return dataset, root / "run"


def test_a_run_writes_its_record_history_and_weights(dataset, tmp_path, capsys):
    out = tmp_path / "run"
    assert run_command("train", arguments(dataset, out, seed=3, name="row")) == 0
    run = json.loads((out / "run.json").read_text())
    assert (run["method"], run["algorithm"], run["seed"]) == ("row", "cut", 3)
    assert run["iterations"] == 24 and run["epochs"] == 4  # 6 pairs per epoch, batch 1
    assert run["options"]["ngf"] == 4 and run["options"]["lr"] == 0.0002
    assert run["seconds_per_iteration"] > 0 and run["peak_memory_bytes"] > 1e7
    assert run["operations_per_pair"] > 1e6 and run["waiting_seconds"] > 0
    rows = list(csv.DictReader((out / "history.csv").open()))
    assert [int(row["iteration"]) for row in rows] == [6, 12, 18, 24]
    assert float(rows[0]["lr_factor"]) == 1 and float(rows[-1]["lr_factor"]) == pytest.approx(1 / 3)
    assert not (out / "state").exists()
    heads = torch.load(out / "embedding.pt", weights_only=True)["F"]
    untrained = registry.build_method("cut", OPTIONS, 3).F.state_dict()
    assert heads.keys() == untrained.keys()
    assert not any(torch.equal(heads[name], untrained[name]) for name in heads)
    assert "images/s" in capsys.readouterr().out


def test_the_same_run_twice_gives_the_same_weights(dataset, tmp_path):
    digests = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run_command("train", arguments(dataset, tmp_path / name, seed=seed))
        digests.append(weights_digest(tmp_path / name))
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize("method", ["cut", "fastcut"])
def test_a_killed_run_ends_with_the_same_weights(method, dataset, tmp_path, monkeypatch):
    run_command("train", arguments(dataset, tmp_path / "straight", method, training=SAVED_OFTEN))
    cls = type(registry.build_method(method, OPTIONS, 0))
    original, count = cls.step, [0]

    class Killed(BaseException):
        """Stands in for SIGKILL: nothing after it runs."""

    def dying(self, batch, **more):
        count[0] += 1
        if count[0] in (3, 9, 10):
            raise Killed
        return original(self, batch, **more)

    monkeypatch.setattr(cls, "step", dying)
    kills = 0
    while True:
        try:
            run_command(
                "train", arguments(dataset, tmp_path / "killed", method, training=SAVED_OFTEN)
            )
            break
        except Killed:
            kills += 1
    assert kills == 3
    assert weights_digest(tmp_path / "killed") == weights_digest(tmp_path / "straight")
    assert history(tmp_path / "killed") == history(tmp_path / "straight")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_a_stopped_process_continues(number, dataset, tmp_path):
    training = {**TRAINING, "epochs_constant": 20, "log_every": 20}
    often = {**training, "checkpoint_minutes": 0.001}
    out = tmp_path / "killed"
    command = [sys.executable, "-m", "cut", "train", *arguments(dataset, out, training=often)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "step 40/" in line:
            break
    while number == signal.SIGKILL and not list((out / "state").glob("*.pt")):
        time.sleep(0.01)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == (-9 if number == signal.SIGKILL else 128 + number)
    assert not (out / "run.json").exists() and list((out / "state").glob("*.pt"))
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "continuing from step" in ended.stdout
    run_command("train", arguments(dataset, tmp_path / "straight", training=training))
    assert weights_digest(out) == weights_digest(tmp_path / "straight")


def test_a_finished_run_is_not_trained_again(dataset, tmp_path, capsys):
    out = tmp_path / "run"
    run_command("train", arguments(dataset, out))
    before = (out / "run.json").read_text()
    assert run_command("train", arguments(dataset, out)) == 0
    assert "holds this very run" in capsys.readouterr().out
    assert (out / "run.json").read_text() == before


@pytest.mark.parametrize(
    "change, words",
    [
        ({"seed": 1}, "seed 0, now 1"),
        ({"options": {**OPTIONS, "tau": 0.1}}, r"tau 0\.07, now 0\.1"),
        ({"training": {**TRAINING, "epochs_constant": 3}}, "epochs_constant 2, now 3"),
        ({"method": "fastcut", "name": "cut"}, "method cut, now fastcut"),
    ],
)
def test_a_finished_run_is_not_replaced_unasked(finished, change, words, tmp_path, capsys):
    dataset, run = finished
    out = shutil.copytree(run, tmp_path / "run")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    with pytest.raises(UserError, match=words):
        run_command("train", arguments(dataset, out, **change))
    lock = out / ".lock"
    assert {p: p.read_bytes() for p in out.rglob("*") if p.is_file() and p != lock} == {
        path: data for path, data in before.items() if path != lock
    }


def test_a_finished_run_is_replaced_on_request(finished, tmp_path):
    dataset, run = finished
    out = shutil.copytree(run, tmp_path / "run")
    short = {"epochs_constant": 1, "epochs_decay": 0}
    run_command("train", [*arguments(dataset, out, seed=1, training=short), "--replace"])
    assert json.loads((out / "run.json").read_text())["seed"] == 1
    request = RequestRecord.read(out / "request.json")
    assert request.seed == 1 and request.replace
    # A request file takes the flag too.
    request.model_copy(update={"seed": 2, "replace": False}).write(out / "request.json")
    with pytest.raises(UserError, match="seed 1, now 2"):
        run_command("train", [out / "request.json"])
    run_command("train", [out / "request.json", "--replace"])
    assert json.loads((out / "run.json").read_text())["seed"] == 2


def test_other_code_replaces_no_finished_run(finished, tmp_path, monkeypatch):
    dataset, run = finished
    out = shutil.copytree(run, tmp_path / "run")
    monkeypatch.setattr(trainer, "code_digest", lambda _: "0" * 64)
    with pytest.raises(UserError, match="code"):
        run_command("train", arguments(dataset, out))


def test_states_of_other_options_are_kept(dataset, tmp_path, capsys):
    out = tmp_path / "run"
    other = out / "state" / "0123456789abcdef.pt"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"of another run")
    run_command("train", arguments(dataset, out))
    assert other.read_bytes() == b"of another run"
    assert "continuing" not in capsys.readouterr().out


def test_a_damaged_state_is_refused(dataset, tmp_path, monkeypatch):
    interrupt_after(3, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run_command("train", arguments(dataset, tmp_path / "run", training=SAVED_OFTEN))
    states = sorted((tmp_path / "run" / "state").glob("*.pt"))
    assert len(states) == 2
    for state in states:
        state.write_bytes(state.read_bytes()[:200])
    with pytest.raises(UserError, match="nothing was deleted"):
        run_command("train", arguments(dataset, tmp_path / "run", training=SAVED_OFTEN))


def test_two_processes_do_not_train_one_run(dataset, tmp_path):
    out = tmp_path / "run"
    command = [sys.executable, "-m", "cut", "train", *arguments(dataset, out)]
    with run_lock.only_one(out):
        waiting = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        said = waiting.stdout.readline()
        assert f"waiting for process {os.getpid()} on " in said and not (out / "run.json").exists()
        waiting.send_signal(signal.SIGTERM)
        assert waiting.wait(60) == 128 + signal.SIGTERM
        again = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        assert "waiting" in again.stdout.readline()
    again.communicate(timeout=120)
    assert again.returncode == 0 and (out / "run.json").is_file()


def test_a_finished_run_has_to_be_whole(dataset, tmp_path):
    out = tmp_path / "run"
    training = {**TRAINING, "snapshot_every": 2}
    given = arguments(dataset, out, training=training)
    run_command("train", given)
    whole = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    for name in ("history.csv", "generator.pt", "snapshots/epoch0002.pt"):
        (out / name).unlink()
        with pytest.raises(UserError, match=f"lacks {name} "):
            run_command("train", given)
        (out / name).write_bytes(whole[out / name])
    weights = (out / "generator.pt", out / "snapshots" / "epoch0002.pt")
    for path in weights:
        path.write_bytes(b"half")
    with pytest.raises(UserError, match=r"epoch0002\.pt and generator\.pt "):
        run_command("train", given)
    run_command("train", [*given, "--replace"])
    assert [path.read_bytes() for path in weights] == [whole[path] for path in weights]
    (out / "run.json").unlink()
    run_command("train", given)
    assert [path.read_bytes() for path in weights] == [whole[path] for path in weights]


def test_a_training_that_begins_removes_the_old_record(dataset, tmp_path, monkeypatch):
    out = tmp_path / "run"
    run_command("train", arguments(dataset, out))
    interrupt_after(3, monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        run_command(
            "train", [*arguments(dataset, out, name="other", training=SAVED_OFTEN), "--replace"]
        )
    assert not (out / "run.json").exists()
    progress = ProgressRecord.read(out / "state" / "progress.json")
    assert (progress.iteration, progress.iterations) == (2, 24)
    assert (progress.epoch, progress.epochs) == (1, 4)
    assert progress.running and progress.seconds_left > 0
    monkeypatch.undo()
    run_command(
        "train", [*arguments(dataset, out, name="other", training=SAVED_OFTEN), "--replace"]
    )
    assert json.loads((out / "run.json").read_text())["method"] == "other"
    assert not (out / "state").exists()


def test_a_loss_that_is_not_finite_stops_the_run(dataset, tmp_path):
    training = {**TRAINING, "log_every": 100, "checkpoint_minutes": 10}
    options = {**OPTIONS, "tau": 1e-42}
    with pytest.raises(UserError, match=r"loss \w+ is (nan|inf) at iteration \d+"):
        run_command(
            "train", arguments(dataset, tmp_path / "run", options=options, training=training)
        )
    assert not (tmp_path / "run" / "run.json").exists()


def test_an_untrained_control_has_an_empty_history(dataset, tmp_path):
    out = tmp_path / "run"
    run_command("train", arguments(dataset, out, "copy", options={}, training={}))
    assert json.loads((out / "run.json").read_text())["iterations"] == 0
    assert (out / "history.csv").read_text() == ",".join(HistoryRow.columns()) + "\n"


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"method": "cutt"}, "'cutt'"),
        ({"options": {"ngff": 4}}, "'ngff'.*'ngf'"),
        ({"options": {"tau": "warm"}}, "tau .*'warm'"),
        ({"options": {"n_patches": 1}}, "n_patches .* 1"),
        ({"training": {"epoch": 3}}, "'epoch'"),
        ({"training": {"epochs_constant": 0, "epochs_decay": 0}}, "both 0"),
        ({"training": {"load_size": 16}}, "load_size 16 "),
        ({"size": 30}, "size 30"),
        ({"size": 16}, "size 16 .*too small for the discriminator"),
    ],
)
def test_bad_input_is_refused(change, sentence, dataset, tmp_path):
    with pytest.raises(UserError, match=sentence):
        run_command("train", arguments(dataset, tmp_path / "run", **change))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_cuda_without_a_gpu_is_refused(dataset, tmp_path):
    with pytest.raises(UserError, match="CUDA"):
        run_command("train", arguments(dataset, tmp_path / "run", device="cuda"))


def test_tensorboard_and_bfloat16_run(dataset, tmp_path):
    training = {**TRAINING, "tensorboard": True, "precision": "bfloat16"}
    run_command("train", arguments(dataset, tmp_path / "run", training=training))
    assert list((tmp_path / "run" / "tensorboard").glob("events*"))


def test_translation_covers_the_test_set(dataset, tmp_path):
    out = tmp_path / "run"
    run_command("train", arguments(dataset, out))
    command = [f"--dataset={dataset}", f"--run={out}", "--batch-size=2"]
    (out / "translated").mkdir()
    for name in ("000.png", "old.png", "scan.JPG"):
        (out / "translated" / name).write_bytes(b"mine")
        with pytest.raises(UserError, match=f"{name} was not written by this command"):
            run_command("translate", command)
        assert (out / "translated" / name).read_bytes() == b"mine"
        (out / "translated" / name).unlink()
    (out / "translated" / "notes.txt").write_bytes(b"mine")
    run_command("translate", command)
    manifest = json.loads((out / "translated" / "manifest.json").read_text())
    assert set(manifest["images"]) == {"000.png", "001.png", "002.png"}
    head = manifest["translated"]
    assert (head["split"], head["epoch"], head["size"]) == ("test", 4, [32, 32])
    step = json.loads((out / "run.json").read_text())["operations_per_pair"]
    assert 0 < 6 * head["operations_per_image"] < step  # a step has two forward and backward passes
    for name, digest in manifest["images"].items():
        assert sha256_of(out / "translated" / name) == digest
    (out / "translated" / "manifest.json").unlink()  # as Snakemake does before a job
    run_command("translate", command)
    assert json.loads((out / "translated" / "manifest.json").read_text()) == manifest
    assert (out / "translated" / "notes.txt").read_bytes() == b"mine"
    with pytest.raises(UserError, match="--batch-size"):
        run_command("translate", [f"--dataset={dataset}", f"--run={out}", "--batch-size=0"])


def test_weights_of_other_options_are_refused(dataset, tmp_path):
    out = tmp_path / "run"
    run_command("train", arguments(dataset, out))
    other = tmp_path / "other.pt"
    torch.save({"model.1.weight": torch.zeros(1)}, other)
    with pytest.raises(UserError, match="other.pt"):
        trained_run.load_run(out, other)
    (out / "generator.pt").unlink()
    shutil.copy(other, out / "generator.pt")
    with pytest.raises(UserError, match="generator.pt"):
        run_command("translate", [f"--dataset={dataset}", f"--run={out}"])


def weights_digest(out: Path) -> bytes:
    state = torch.load(out / "generator.pt", weights_only=True)
    return b"".join(value.numpy().tobytes() for value in state.values())


# Columns that no two trainings share.
TIMES = ("images_per_second", "waiting_seconds")


def history(out: Path) -> list[dict[str, str]]:
    """Return the history without its times."""
    rows = list(csv.DictReader((out / "history.csv").open()))
    return [{k: v for k, v in row.items() if k not in TIMES} for row in rows]


def interrupt_after(steps: int, monkeypatch) -> None:
    """Make CUT's step raise KeyboardInterrupt once it has been called `steps` times."""
    cls = type(registry.build_method("cut", OPTIONS, 0))
    original, count = cls.step, [0]

    def dying(self, batch, **more):
        count[0] += 1
        if count[0] > steps:
            raise KeyboardInterrupt
        return original(self, batch, **more)

    monkeypatch.setattr(cls, "step", dying)
