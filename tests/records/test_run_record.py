"""The form of run.json, and the schema that is published of it."""

from __future__ import annotations

import json

import jsonschema
import pytest
from command import run_command
from conftest import ROOT
from fake_runs import write_run
from training_runs import arguments

from cut.base.errors import UserError
from cut.base.files import read_json
from cut.data.prepare import prepare
from cut.data.registry import resolve
from cut.records import run_record
from cut.training import options

SCHEMA = json.loads((ROOT / "docs" / "run.schema.json").read_text())


def test_the_published_schema_is_what_the_code_checks():
    assert run_record.RunRecord.model_json_schema() == SCHEMA
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("method, training", [("cut", {"snapshot_every": 1}), ("copy", {})])
def test_what_a_training_writes_follows_the_schema(pets, tmp_path, method, training):
    prepare(resolve("pets", str(pets)), tmp_path / "data")
    given = {"epochs_constant": 2, "epochs_decay": 0, **training}
    options = {} if method == "copy" else {"ngf": 4, "ndf": 4, "n_blocks": 1, "width": 8,
                                           "nce_layers": [0, 4], "n_patches": 8}  # fmt: skip
    data = tmp_path / "data" / "dataset.json"
    run_command("train", arguments(data, tmp_path / "run", method, options, given))
    facts = read_json(tmp_path / "run" / "run.json")
    jsonschema.validate(facts, SCHEMA)
    assert run_record.check(facts, tmp_path) is facts
    assert facts["versions"]["torch"] and facts["code_digest"] and facts["dataset_digest"]
    assert set(facts["training"]) == (set() if method == "copy" else set(train_fields()))
    assert list(facts["snapshots"]) == (["1"] if method == "cut" else [])


def train_fields():
    return options.TrainingOptions.model_fields


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"epochs": None}, "epochs = None: input should be a valid integer; train again"),
        ({"size": [48]}, "size = .48.: list should have at least 2 items"),
        ({"iterations": -1}, "iterations = -1: input should be greater than or equal to 0"),
        ({"sizes": [1, 2]}, "has 'sizes', which no run's record of this version has"),
    ],
)
def test_a_wrong_record_is_one_sentence_and_against_the_schema(tmp_path, change, sentence):
    facts = {**read_json(write_run(tmp_path / "run") / "run.json"), **change}
    with pytest.raises(UserError, match=sentence):
        run_record.check(facts, tmp_path / "run.json")
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(facts)
