"""Scoring every step of a translation in several steps."""

from __future__ import annotations

import json

import pytest
import standin
from command import run_command
from conftest import write_photos
from small_methods import SMALL
from training_runs import arguments

from cut.data.prepare import prepare
from cut.data.registry import resolve
from cut.metrics.inception.weights import find_inception
from cut.records.epochs import StepsRecord
from cut.records.inception import InceptionRecord
from cut.report.dataset_tables import step_tables
from cut.results.rows import rows_of
from cut.results.run import load_run

OPTIONS = {k: SMALL[k] for k in ("ngf", "ndf", "n_patches", "width")}
OPTIONS |= {"n_blocks": 1, "nce_layers": [0, 4, 8], "time_steps": 3, "scored_step": 2}
TRAINING = {"epochs_constant": 1, "epochs_decay": 0}


@pytest.fixture(scope="module")
def scored(tmp_path_factory):
    """Return a run of UNSB, trained for an epoch, with its scores and those of its steps."""
    root = tmp_path_factory.mktemp("steps")
    for folder, n in (("trainA", 2), ("trainB", 2), ("testA", 2), ("testB", 3)):
        write_photos(root / "set" / folder, n, seed=len(folder) + n)
    prepare(resolve("pets", str(root / "set")), root / "data")
    dataset, run = root / "data" / "dataset.json", root / "run"
    path = standin.write_weights(root / "inception.pt")
    weights = root / "inception.json"
    InceptionRecord(path=str(path), **find_inception(path).record.model_dump()).write(weights)
    run_command("train", arguments(dataset, run, "unsb", OPTIONS, TRAINING))
    run_command("translate", [f"--dataset={dataset}", f"--run={run}", "--batch-size=1"])
    run_command("export", [str(dataset), str(root / "test"), "--size=32"])
    given, target = [f"--weights-json={weights}"], root / "target.npz"
    run_command("features", [str(root / "test" / "target"), str(target), *given])
    run_command(
        "score",
        [str(target), str(run / "translated"), *given, f"--json={run / 'scores.json'}"],
    )
    steps = [f"--dataset={dataset}", f"--run={run}", f"--reference={target}", *given]
    assert run_command("steps", steps) == 0
    return run


def test_every_step_has_scores_and_the_scored_one_has_those_of_the_translations(scored):
    found = StepsRecord.read(scored / "steps.json")
    assert [step.step for step in found.steps] == [1, 2, 3] and found.missing is None
    scores = json.loads((scored / "scores.json").read_text())["scores"]
    assert found.steps[1].fid == pytest.approx(scores["fid"], rel=1e-9)
    assert found.steps[1].kid == pytest.approx(scores["kid"], rel=1e-9)
    assert len({step.fid for step in found.steps}) == 3


def test_a_table_has_the_fid_after_each_step_and_names_the_scored_one(scored):
    run = load_run(scored)
    (table,) = step_tables(rows_of([run]))
    ((row, cells),) = table.lines
    assert row.name == "unsb"
    assert [cell.sort for cell in cells[1:]] == [step.fid for step in run.steps]
    assert "step 2 of 3" in cells[0].notes[0]


def test_steps_of_another_training_are_not_shown(scored, tmp_path):
    for name in ("run.json", "scores.json"):
        (tmp_path / name).write_bytes((scored / name).read_bytes())
    found = StepsRecord.read(scored / "steps.json")
    found.model_copy(update={"fingerprint": "0" * 64}).write(tmp_path / "steps.json")
    run = load_run(tmp_path)
    assert run.steps == () and step_tables(rows_of([run])) == []
