"""The records that a real training and translation leave."""

from __future__ import annotations

import json

import jsonschema
import pytest
from command import run_command
from fake_runs import change_record, write_best, write_resamples, write_run, write_steps
from training_runs import arguments

from cut.base.errors import UserError
from cut.data.prepare import prepare
from cut.data.registry import resolve
from cut.records.commands import RECORDS, check, model_of
from cut.records.images import TranslatedRecord
from cut.records.run import RunRecord
from cut.training import options

SMALL = {
    "ngf": 4,
    "ndf": 4,
    "n_blocks": 1,
    "width": 8,
    "nce_layers": [0, 4],
    "n_patches": 8,
}


def follows_its_schema(path):
    """Return whether a JSON file is valid by the schema of its model."""
    schema = jsonschema.Draft202012Validator(model_of(path).schema_of())
    return schema.is_valid(json.loads(path.read_text()))


@pytest.mark.parametrize("method, training", [("cut", {"snapshot_every": 1}), ("copy", {})])
def test_a_training_writes_records_of_the_schemas(pets, tmp_path, method, training):
    prepare(resolve("pets", str(pets)), tmp_path / "data")
    given = {"epochs_constant": 2, "epochs_decay": 0, **training}
    data, run = tmp_path / "data" / "dataset.json", tmp_path / "run"
    run_command("train", arguments(data, run, method, SMALL if method == "cut" else {}, given))
    run_command("translate", [f"--dataset={data}", f"--run={run}", "--device=cpu"])
    for path in (data, run / "run.json", run / "translated" / "manifest.json"):
        assert check(path) and follows_its_schema(path)
    assert check(run / "history.csv")
    record = RunRecord.read(run / "run.json")
    assert record.versions["torch"] and record.code_digest and record.dataset_digest
    fields = set(options.TrainingOptions.model_fields)
    assert set(record.training) == (set() if method == "copy" else fields)
    assert list(record.snapshots) == ([1] if method == "cut" else [])
    assert record.control == (method == "copy") and record.trained == (method == "cut")
    head = TranslatedRecord.read(run / "translated" / "manifest.json").translated
    assert (head.role, head.epoch) == (record.role, record.epochs)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"epochs": None}, "epochs"),
        ({"size": [48]}, "size"),
        ({"size": [48, 0]}, "size"),
        ({"iterations": -1}, "iterations"),
        ({"sizes": [1, 2]}, "sizes"),
        ({"hardware": {"cpu": "x"}}, "hardware.threads"),
        ({"version": 0}, "version 0"),
    ],
)
def test_a_wrong_record_is_refused_by_model_and_schema(tmp_path, change, words):
    path = change_record(write_run(tmp_path / "run") / "run.json", **change)
    with pytest.raises(UserError, match=words):
        RunRecord.read(path)
    assert not follows_its_schema(path)


def test_the_fixtures_of_tests_are_records(tmp_path):
    run = write_best(write_run(tmp_path / "run"), {2: 58.0, 4: 70.0}, "held_out")
    write_steps(run, [80.0, 60.0])
    write_resamples(run, fid=[60.0, 62.5])
    files = [path for path in run.rglob("*") if path.suffix in (".json", ".csv")]
    assert {model_of(path).name for path in files} == set(RECORDS) - {
        "dataset",
        "export",
        "inception",
        "networks",
        "diversity",
        "request",
        "progress",
        "job",
        "archive",
    }
    assert all(check(path) for path in files)
