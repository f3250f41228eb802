"""Generators kept along the way, images held out, and the choice of the best epoch."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import standin
import torch
from command import run_command
from conftest import write_photos
from training_runs import OPTIONS, arguments

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.data.dataset import Dataset
from cut.data.prepare import prepare
from cut.data.registry import resolve
from cut.metrics import best_epoch
from cut.metrics.inception.weights import find_inception
from cut.records.dataset import DatasetRecord
from cut.records.epochs import BestRecord, EpochScores
from cut.records.images import TranslatedRecord
from cut.records.inception import InceptionRecord
from cut.records.run import RunRecord
from cut.records.scores import ScoresRecord
from cut.results.run import load_run
from cut.training import snapshots

TRAINING = {"epochs_constant": 3, "epochs_decay": 2, "snapshot_every": 2, "log_every": 2}


@pytest.fixture
def record(tmp_path):
    for folder, n in (("trainA", 6), ("trainB", 7), ("testA", 4), ("testB", 5)):
        write_photos(tmp_path / "set" / folder, n, seed=len(folder) + n)
    prepare(resolve("pets", str(tmp_path / "set")), tmp_path / "data")
    return tmp_path / "data" / "dataset.json"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """Return the record of stand-in weights, as `cut inception` writes it."""
    folder = tmp_path_factory.mktemp("weights")
    path = standin.write_weights(folder / "inception.pt")
    record = InceptionRecord(path=str(path), **find_inception(path).record.model_dump())
    record.write(folder / "inception.json")
    return folder / "inception.json"


def trained(record, out, held_out=0, **more):
    training = {**TRAINING, "held_out": held_out}
    assert run_command("train", arguments(record, out, training=training, **more)) == 0
    return out


def test_generators_are_kept_every_so_many_epochs_and_change_nothing(record, tmp_path):
    run = trained(record, tmp_path / "kept")
    facts = RunRecord.read(run / "run.json")
    assert sorted(facts.snapshots) == [2, 4]  # the fifth and last is generator.pt
    kept = snapshots.verified(run, facts)
    assert list(kept) == [2, 4, 5] and kept[5] == run / "generator.pt"
    assert len({sha256_of(path) for path in kept.values()}) == 3
    alone = tmp_path / "alone"
    run_command("train", arguments(record, alone, training={**TRAINING, "snapshot_every": 0}))
    assert not (alone / "snapshots").exists()
    assert sha256_of(alone / "generator.pt") == sha256_of(run / "generator.pt")
    # The generator kept at epoch 2 is the one that a training stopped there would have.
    short = tmp_path / "short"
    run_command(
        "train", arguments(record, short, training={"epochs_constant": 2, "epochs_decay": 0})
    )
    assert sha256_of(short / "generator.pt") == sha256_of(kept[2])


def test_generators_of_an_earlier_training_are_removed(record, tmp_path):
    run = trained(record, tmp_path / "run")
    other = arguments(record, run, training={**TRAINING, "snapshot_every": 3})
    run_command("train", [*other, "--replace"])
    assert [path.name for path in (run / "snapshots").iterdir()] == ["epoch0003.pt"]


def test_held_out_images_are_the_same_for_all_and_not_trained_on(record):
    dataset = Dataset.load(record)
    kept, out = dataset.held_out("source", 2)
    files = dataset.files("train", "source")
    assert len(out) == 2 and sorted([*kept, *out]) == files
    assert dataset.held_out("source", 0) == (files, [])
    assert set(dataset.held_out("source", 3)[1]) > set(out)
    with pytest.raises(UserError, match="held_out is 5, but pets has 6 training images of the so"):
        dataset.held_out("source", 5)


def test_a_training_does_not_see_the_images_held_out(record, tmp_path):
    """Other pixels in them change no weight; other pixels in any other image do."""
    dataset = Dataset.load(record)
    _, out = dataset.held_out("source", 2)
    first = sha256_of(trained(record, tmp_path / "a", 2) / "generator.pt")
    for path in out:
        path.write_bytes(dataset.files("test", "source")[0].read_bytes())
    known = DatasetRecord.read(record)
    changed = {f"{path.parent.name}/{path.name}": sha256_of(path) for path in out}
    known.model_copy(update={"images": {**known.images, **changed}}).write(record)
    assert sha256_of(trained(record, tmp_path / "b", 2) / "generator.pt") == first
    assert sha256_of(trained(record, tmp_path / "c") / "generator.pt") != first


def prepare_references(record, weights, folder, held_out=0):
    """Export the test images (and those held out) with the features of the real ones."""
    found = {}
    for name, extra in (("test", []), ("held_out", [f"--held-out={held_out}"])):
        if name == "test" or held_out:
            run_command("export", [str(record), str(folder / name), "--size=32", *extra])
            run_command(
                "features",
                [
                    str(folder / name / "target"),
                    str(folder / name / "target.npz"),
                    "--weights-json",
                    str(weights),
                ],
            )
            found[name] = folder / name
    return found


def chosen(record, weights, run, places):
    arguments = [
        f"--dataset={record}",
        f"--run={run}",
        f"--weights-json={weights}",
        f"--reference={places['test'] / 'target.npz'}",
        "--device=cpu",
    ]
    if "held_out" in places:
        arguments.append(f"--held-out={places['held_out']}")
    assert run_command("select", arguments) == 0
    return BestRecord.read(run / "best.json")


def scored(run, places, weights, place=""):
    arguments = [
        str(places["test"] / "target.npz"),
        str(run / place / "translated"),
        f"--weights-json={weights}",
        f"--json={run / place / 'scores.json'}",
    ]
    assert run_command("score", arguments) == 0
    return ScoresRecord.read(run / place / "scores.json").scores["fid"]


def load_epochs(run):
    return pd.DataFrame([row.model_dump() for row in EpochScores.read(run / "epochs.csv")])


def test_the_best_epoch_is_kept_and_scored_as_the_last_is(record, weights, tmp_path, capsys):
    run = trained(record, tmp_path / "run")
    places = prepare_references(record, weights, tmp_path / "results")
    best = chosen(record, weights, run, places)
    epochs = load_epochs(run)
    assert epochs.epoch.tolist() == [2, 4, 5] and epochs.iteration.tolist() == [14, 28, 35]
    assert epochs.fid_held_out.isna().all() and epochs.kid.notna().all()
    assert best.fid == epochs.fid.min() and best.chosen_on == "test" and best.images == 4
    assert best.epoch == epochs.epoch[epochs.fid.argmin()]
    kept = snapshots.verified(run, RunRecord.read(run / "run.json"))[best.epoch]
    assert sha256_of(run / "best" / "generator.pt") == sha256_of(kept)
    manifest = TranslatedRecord.read(run / "best" / "translated" / "manifest.json")
    assert manifest.translated.epoch == best.epoch and len(manifest.images) == 4
    # What was scored along the way is what translating and scoring give, for best and last.

    run_command("translate", [f"--dataset={record}", f"--run={run}", "--device=cpu"])
    assert scored(run, places, weights) == pytest.approx(epochs.fid.iloc[-1], rel=1e-4)
    assert scored(run, places, weights, "best") == pytest.approx(best.fid, rel=1e-4)
    loaded = load_run(run)
    assert loaded.value("epoch_best") == (best.epoch, "")
    fid = loaded.value("fid_best")[0]
    assert fid == pytest.approx(best.fid, rel=1e-4)
    assert loaded.value("fid_best_low")[0] < fid < loaded.value("fid_best_high")[0]
    assert f"best epoch {best.epoch}: FID" in capsys.readouterr().out


def test_images_held_out_can_choose_instead(record, weights, tmp_path):
    run = trained(record, tmp_path / "run", held_out=3)
    places = prepare_references(record, weights, tmp_path / "results", held_out=3)
    best = chosen(record, weights, run, places)
    epochs = load_epochs(run)
    assert best.chosen_on == "held_out" and best.images == 3
    assert best.fid == epochs.fid_held_out.min()
    assert epochs.fid.notna().all() and not np.allclose(epochs.fid, epochs.fid_held_out)
    names = {path.name for path in (places["held_out"] / "source").iterdir()}
    assert names == {p.name for p in Dataset.load(record).held_out("source", 3)[1]}


def test_a_choice_by_images_that_were_trained_on_is_refused(record, weights, tmp_path):
    run = trained(record, tmp_path / "run")
    places = prepare_references(record, weights, tmp_path / "results", held_out=3)
    with pytest.raises(UserError, match="holds 3 source images, but .* was trained without 0"):
        chosen(record, weights, run, places)


def test_without_weights_the_last_epoch_stands_in_and_says_so(record, tmp_path, weights, capsys):
    run = trained(record, tmp_path / "run")
    none = tmp_path / "none.json"
    InceptionRecord(reason="no source answered").write(none)
    places = prepare_references(record, none, tmp_path / "results")
    best = chosen(record, none, run, places)
    assert (best.epoch, best.fid, best.missing) == (5, None, "no source answered")
    assert load_epochs(run).fid.isna().all()
    assert "no source answered" in capsys.readouterr().out


def test_the_lowest_score_is_chosen_and_the_earliest_of_equals():
    values = [None, 3.0, 2.0, 2.0]
    epochs = [EpochScores(epoch=i + 1, iteration=i, fid=fid) for i, fid in enumerate(values)]
    assert best_epoch.choose(epochs, "fid").epoch == 3
    assert best_epoch.choose(epochs, "fid_held_out").epoch == 4


def test_another_file_in_a_kept_generators_place_is_refused(record, weights, tmp_path):
    run = trained(record, tmp_path / "run")
    facts = RunRecord.read(run / "run.json")
    whole = snapshots.path_of(run, 2).read_bytes()
    torch.save({}, snapshots.path_of(run, 2))
    with pytest.raises(UserError, match="epoch0002.pt is not the one that run.json names"):
        snapshots.verified(run, facts)
    snapshots.path_of(run, 2).unlink()
    with pytest.raises(UserError, match="epoch0002.pt is missing"):
        snapshots.verified(run, facts)
    (run / "best").mkdir()
    (run / "best" / "generator.pt").write_bytes(whole)
    assert snapshots.verified(run, facts)[2].read_bytes() == whole


def test_a_run_that_kept_nothing_says_what_to_do(record, weights, tmp_path):
    run = tmp_path / "run"
    run_command("train", arguments(record, run, options=OPTIONS))
    places = prepare_references(record, weights, tmp_path / "results")
    with pytest.raises(UserError, match="kept no generators along the way; train it with the opt"):
        chosen(record, weights, run, places)


def test_a_best_epoch_of_an_earlier_training_is_not_reported(record, weights, tmp_path):
    run = trained(record, tmp_path / "run")
    places = prepare_references(record, weights, tmp_path / "results")
    chosen(record, weights, run, places)

    run_command("translate", [f"--dataset={record}", f"--run={run}", "--device=cpu"])
    for place in ("", "best"):
        scored(run, places, weights, place)
    assert load_run(run).best is not None
    other = RunRecord.read(run / "run.json").model_copy(update={"fingerprint": "0" * 16})
    other.write(run / "run.json")
    again = load_run(run)
    assert again.best is None
    value, why = again.value("fid_best")
    assert value is None and why == "not measured: no generators kept along the way"
