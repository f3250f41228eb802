"""Finished runs: extending, beginning from weights, taking back damaged files, bad weights."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
import torch
from command import run_command
from conftest import write_pets
from training_runs import OPTIONS, arguments

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.tensor_files import read_tensors
from cut.data.prepare import prepare
from cut.data.registry import resolve
from cut.methods.cut import Cut
from cut.records.run import RunRecord
from cut.training import trainer

OTHER = "0" * 64  # a digest of code
TWO = {"epochs_constant": 2, "epochs_decay": 0, "log_every": 6, "snapshot_every": 1}
TWO["keep_state"] = True
THREE = {**TWO, "epochs_constant": 3, "extends": [[2, 0]], "keep_state": False}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    root = tmp_path_factory.mktemp("pets")
    prepare(resolve("pets", str(write_pets(root / "pets"))), root / "data")
    return root / "data" / "dataset.json"


@pytest.fixture(scope="module")
def two(dataset, tmp_path_factory) -> Path:
    """Return a run of two epochs with its state; use a copy of it."""
    run = tmp_path_factory.mktemp("two") / "run"
    train(dataset, run, TWO)
    return run


@pytest.fixture
def copy(two, tmp_path) -> Path:
    """Return a copy of the run of two epochs."""
    return shutil.copytree(two, tmp_path / "run")


def train(dataset, run, training, **more) -> RunRecord:
    run_command("train", arguments(dataset, run, training=training, **more))
    return RunRecord.read(run / "run.json")


def losses(run: Path) -> list[dict[str, str]]:
    """Return the history without its times."""
    rows = list(csv.DictReader((run / "history.csv").open()))
    times = ("images_per_second", "waiting_seconds")
    return [{k: v for k, v in row.items() if k not in times} for row in rows]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


# -- extending -----------------------------------------------------------------------------------


def test_an_extended_run_equals_a_run_in_one_go(dataset, copy, tmp_path, capsys):
    steps, step = [], Cut.step

    def counting(self, batch):
        steps.append(self.epoch)
        return step(self, batch)

    plain = {name: value for name, value in THREE.items() if name != "extends"}
    one_go = train(dataset, tmp_path / "one", plain)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Cut, "step", counting)
        extended = train(dataset, copy, THREE)
        assert steps == [3] * 6
        # Once more is nothing to do; without the shorter run, all epochs are trained.
        train(dataset, copy, THREE)
        assert len(steps) == 6
        fresh = train(dataset, tmp_path / "fresh", THREE)
        assert steps[6:] == [1] * 6 + [2] * 6 + [3] * 6
        assert "left no state" in capsys.readouterr().out
    assert extended.generator_sha256 == one_go.generator_sha256 == fresh.generator_sha256
    assert extended.snapshots == one_go.snapshots and list(extended.snapshots) == [1, 2]
    assert sha256_of(copy / "embedding.pt") == sha256_of(tmp_path / "one" / "embedding.pt")
    assert losses(copy) == losses(tmp_path / "one")
    assert extended.training["extends"] == [[2, 0]] and extended.iterations == 18
    assert not (copy / "state").exists()


def test_an_extension_that_is_stopped_loses_no_run(dataset, copy, monkeypatch):
    before = RunRecord.read(copy / "run.json")
    with monkeypatch.context() as patch:
        patch.setattr(Cut, "step", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            train(dataset, copy, THREE)
        # The shorter run can be had back without a step.
        again = train(dataset, copy, TWO)
    assert again.generator_sha256 == before.generator_sha256
    assert again.snapshots == before.snapshots


def test_a_run_without_its_state_is_not_extended(dataset, copy):
    shutil.rmtree(copy / "state")
    with pytest.raises(UserError, match="epochs_constant 2, now 3.*keep_state"):
        train(dataset, copy, THREE)
    assert (copy / "run.json").is_file()


def test_a_kept_state_of_other_code_is_not_taken(dataset, copy, monkeypatch):
    monkeypatch.setattr(trainer, "code_digest", lambda _: OTHER)
    run_command("train", [*arguments(dataset, copy, training=TWO), "--replace"])
    record = RunRecord.read(copy / "run.json")
    assert record.code_digest == OTHER and not record.earlier_code_digests


def test_a_replacement_that_is_stopped_continues(dataset, copy, monkeypatch, capsys):
    """Snakemake puts the old record back after a failure."""
    old, step = (copy / "run.json").read_bytes(), Cut.step
    monkeypatch.setattr(trainer, "code_digest", lambda _: OTHER)
    given = [*arguments(dataset, copy, training={**TWO, "checkpoint_minutes": 0}), "--replace"]
    with monkeypatch.context() as patch:
        patch.setattr(Cut, "step", lambda self, b: 1 / 0 if self.epoch == 2 else step(self, b))
        with pytest.raises(ZeroDivisionError):
            run_command("train", given)
    assert not (copy / "run.json").exists()
    (copy / "run.json").write_bytes(old)
    run_command("train", given)
    assert "continuing from step 6" in capsys.readouterr().out
    assert RunRecord.read(copy / "run.json").code_digest == OTHER


# -- beginning from weights ----------------------------------------------------------------------


@pytest.mark.parametrize("place", ["", "generator.pt"])
def test_a_training_begins_from_given_weights(place, dataset, two, tmp_path, monkeypatch):
    seen, step = [], Cut.step

    def looking(self, batch):
        seen.append({name: value.clone() for name, value in self.generator_state().items()})
        return step(self, batch)

    monkeypatch.setattr(Cut, "step", looking)
    once = {"epochs_constant": 1, "epochs_decay": 0, "begin_from": str(two / place)}
    record = train(dataset, tmp_path / "run", once, seed=5)
    given = read_tensors(two / "generator.pt", "weights")
    assert seen[0].keys() == given.keys()
    assert all(torch.equal(seen[0][name], given[name]) for name in given)
    assert record.begun_from == sha256_of(two / "generator.pt")
    # The same weights elsewhere are the same run; other weights are another.
    moved = shutil.copy(two / "generator.pt", tmp_path / "moved.pt")
    train(dataset, tmp_path / "run", {**once, "begin_from": str(moved)}, seed=5)
    assert len(seen) == 6
    shutil.copy(two / "snapshots" / "epoch0001.pt", moved)
    with pytest.raises(UserError, match="begin_from"):
        train(dataset, tmp_path / "run", {**once, "begin_from": str(moved)}, seed=5)


def test_weights_that_do_not_fit_are_refused(dataset, two, tmp_path):
    once = {"epochs_constant": 1, "epochs_decay": 0}
    for place in ("nowhere", two / "embedding.pt"):
        with pytest.raises(UserError, match=Path(place).name):
            train(dataset, tmp_path / "run", {**once, "begin_from": str(place)})
    with pytest.raises(UserError, match=r"generator\.pt does not have"):
        train(
            dataset,
            tmp_path / "run",
            {**once, "begin_from": str(two)},
            options={**OPTIONS, "ngf": 8},
        )


# -- damaged files -------------------------------------------------------------------------------


def test_a_damaged_generator_is_taken_back(dataset, copy, capsys):
    """From a copy by `translate`, from the kept state by `train`."""
    translate = [f"--dataset={dataset}", f"--run={copy}"]
    generator = copy / "generator.pt"
    whole = generator.read_bytes()
    flip(generator)
    with pytest.raises(UserError, match="kept training state"):
        run_command("translate", translate)
    (copy / "best").mkdir()
    (copy / "best" / "generator.pt").write_bytes(whole)
    capsys.readouterr()
    run_command("translate", translate)
    (note,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note")]
    assert str(copy / "best" / "generator.pt") in note
    assert generator.read_bytes() == whole
    assert generator.stat().st_mtime_ns == (copy / "run.json").stat().st_mtime_ns
    (copy / "best" / "generator.pt").unlink()
    flip(generator)
    (copy / "snapshots" / "epoch0001.pt").unlink()
    record = RunRecord.read(copy / "run.json")
    train(dataset, copy, TWO)
    assert generator.read_bytes() == whole
    assert RunRecord.read(copy / "run.json").iterations == record.iterations
    shutil.rmtree(copy / "state")
    flip(generator)
    with pytest.raises(UserError, match="no copy") as caught:
        run_command("translate", translate)
    assert "delete" not in str(caught.value) and generator.is_file()


def test_a_damaged_record_replaces_nothing(dataset, copy):
    shutil.rmtree(copy / "state")
    (copy / "run.json").write_text("null")
    with pytest.raises(UserError, match="--replace"):
        train(dataset, copy, TWO)
    assert (copy / "generator.pt").is_file()


def test_parts_of_a_killed_save_are_removed(dataset, copy):
    parts = ["state/.0123.pt.77.tmp", ".generator.pt.77.tmp", "snapshots/.epoch0001.pt.77.tmp"]
    for name in parts:
        (copy / name).write_bytes(b"half")
    (copy / ".scores.json.77.tmp").write_bytes(b"of a job that may be running")
    train(dataset, copy, TWO)
    assert not any((copy / name).exists() for name in parts)
    assert (copy / ".scores.json.77.tmp").exists()


# -- weights and translations that are not finite ------------------------------------------------


@pytest.mark.parametrize("last", [6, 18])
def test_weights_that_are_not_finite_are_not_saved(last, dataset, tmp_path, monkeypatch):
    """At the end of an epoch with a snapshot, and at the end of the run; the losses are finite."""
    step, count = Cut.step, [0]

    def spoiling(self, batch):
        losses = step(self, batch)
        count[0] += 1
        if count[0] == last:
            with torch.no_grad():
                next(self.G.parameters()).view(-1)[0] = float("inf")
        return losses

    monkeypatch.setattr(Cut, "step", spoiling)
    training = {**TWO, "epochs_constant": 3, "log_every": 100}
    with pytest.raises(UserError, match=f"not finite after step {last}"):
        train(dataset, tmp_path / "run", training)
    assert not (tmp_path / "run" / "generator.pt").exists()
    assert not (tmp_path / "run" / "run.json").exists()
    kept = {path.name for path in (tmp_path / "run" / "snapshots").glob("*")}
    assert kept == (set() if last == 6 else {"epoch0001.pt", "epoch0002.pt"})


def test_translations_that_are_not_finite_are_not_kept(dataset, copy, monkeypatch):
    translate = [f"--dataset={dataset}", f"--run={copy}", "--batch-size=1"]
    run_command("translate", translate)
    original, count = Cut.translate, [0]

    def spoiling(self, images):
        count[0] += 1
        return original(self, images) * (float("nan") if count[0] == 2 else 1)

    monkeypatch.setattr(Cut, "translate", spoiling)
    with pytest.raises(UserError, match=r"001\.png.* not finite"):
        run_command("translate", translate)
    left = {path.name for path in (copy / "translated").iterdir()}
    assert not any(name.endswith((".png", ".json")) for name in left)


# -- counts --------------------------------------------------------------------------------------


def test_images_of_a_smaller_last_batch_are_counted_as_they_are(dataset, tmp_path, capsys):
    training = {"epochs_constant": 2, "epochs_decay": 0, "batch_size": 4, "log_every": 1}
    record = train(dataset, tmp_path / "run", training)
    assert (record.iterations, record.images_seen) == (4, 2 * 6)
    rows = list(csv.DictReader((tmp_path / "run" / "history.csv").open()))
    seconds = [
        n / float(row["images_per_second"]) for n, row in zip((4, 2, 4, 2), rows, strict=True)
    ]
    assert sum(seconds) == pytest.approx(record.train_seconds)
    waits = [float(row["waiting_seconds"]) for row in rows]
    assert min(waits) > 0 and sum(waits) == pytest.approx(record.waiting_seconds)
    assert json.loads((tmp_path / "run" / "request.json").read_text())["replace"] is False
