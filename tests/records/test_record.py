"""Reading and writing any record; versions; the published schemas."""

from __future__ import annotations

import json
import subprocess
import sys

import jsonschema
import pytest
from command import run_command
from conftest import ROOT

from cut.base.errors import UserError
from cut.records import commands
from cut.records.commands import RECORDS
from cut.records.epochs import BestRecord, EpochScores
from cut.records.history import HistoryRow

SCHEMAS = ROOT / "docs" / "schemas"
BEST = BestRecord(
    epoch=2,
    iteration=80,
    chosen_on="test",
    images=4,
    every=2,
    fid=61.25,
    missing=None,
    fingerprint="ab",
)


def write_changed(path, **changes):
    value = {**BEST.model_dump(), **changes}
    path.write_text(json.dumps({k: v for k, v in value.items() if v is not ...}))
    return path


def test_read_returns_what_was_written(tmp_path):
    BEST.write(tmp_path / "best.json")
    assert BestRecord.read(tmp_path / "best.json") == BEST


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"version": ...}, "no version"),
        ({"version": 2}, "has version 2"),
        ({"epoch": "2"}, "epoch"),
        ({"epoch": -1}, "epoch"),
        ({"chosen_on": "train"}, "chosen_on"),
        ({"fid": ...}, "fid"),
        ({"fids": 1.0}, "fids"),
    ],
)
def test_a_wrong_file_is_one_sentence_with_the_remedy(tmp_path, changes, words):
    path = write_changed(tmp_path / "best.json", **changes)
    with pytest.raises(UserError, match=words) as caught:
        BestRecord.read(path)
    text = str(caught.value)
    assert str(path) in text and "python -m cut select" in text and "\n" not in text
    schema = jsonschema.Draft202012Validator(BestRecord.schema_of())
    assert not schema.is_valid(json.loads(path.read_text()))


@pytest.mark.parametrize("content", ["", "{", "[]", "3"])
def test_what_is_no_json_object_is_refused(tmp_path, content):
    (tmp_path / "best.json").write_text(content)
    with pytest.raises(UserError, match="best.json"):
        BestRecord.read(tmp_path / "best.json")


def test_a_missing_file_names_the_command(tmp_path):
    with pytest.raises(UserError, match=r"there is no .*best.json; .*python -m cut select"):
        BestRecord.read(tmp_path / "best.json")


def test_not_a_number_is_refused(tmp_path):
    path = write_changed(tmp_path / "best.json", fid=float("nan"))
    with pytest.raises(UserError, match="fid"):
        BestRecord.read(path)


def test_a_table_keeps_empty_cells_and_every_digit(tmp_path):
    rows = [
        EpochScores(epoch=2, iteration=80, fid=0.1 + 0.2, kid=1e-9),
        EpochScores(epoch=4, iteration=160),
    ]
    EpochScores.write(tmp_path / "epochs.csv", rows)
    assert (tmp_path / "epochs.csv").read_text() == (
        "epoch,iteration,fid,kid,fid_held_out\n2,80,0.30000000000000004,1e-09,\n4,160,,,\n"
    )
    assert EpochScores.read(tmp_path / "epochs.csv") == rows


def test_a_history_has_any_losses(tmp_path):
    row = {"iteration": 10, "epoch": 1, "lr_factor": 1.0, "images_per_second": 20.0}
    rows = [HistoryRow(**row, G_GAN=0.5, NCE=2.0)]
    HistoryRow.write(tmp_path / "history.csv", rows)
    found = HistoryRow.read(tmp_path / "history.csv")
    assert found == rows and found[0].losses == {"G_GAN": 0.5, "NCE": 2.0}
    HistoryRow.write(tmp_path / "history.csv", [])
    assert (tmp_path / "history.csv").read_text() == ",".join(HistoryRow.columns()) + "\n"
    assert HistoryRow.read(tmp_path / "history.csv") == []


def test_a_history_without_the_later_column_is_read(tmp_path):
    path, head = tmp_path / "history.csv", "iteration,epoch,lr_factor,images_per_second"
    path.write_text(f"{head},G_GAN,NCE\n10,1,1.0,20.0,0.5,2.0\n")
    (row,) = HistoryRow.read(path)
    assert row.waiting_seconds is None and row.losses == {"G_GAN": 0.5, "NCE": 2.0}
    path.write_text(f"{head},waiting_seconds,G_GAN\n10,1,1.0,20.0,0.25,0.5\n")
    (row,) = HistoryRow.read(path)
    assert row.waiting_seconds == 0.25 and row.losses == {"G_GAN": 0.5}
    path.write_text("iteration,epoch,images_per_second,lr_factor\n")
    with pytest.raises(UserError, match="columns"):
        HistoryRow.read(path)


@pytest.mark.parametrize(
    "content, words",
    [
        ("", "has the columns ''"),
        ("epoch,fid\n1,2\n", "expected epoch, iteration"),
        ("epoch,iteration,fid,kid,fid_held_out,x\n", "expected"),
        ("epoch,iteration,fid,kid,fid_held_out\n1,2,three,,\n", "line 2"),
        ("epoch,iteration,fid,kid,fid_held_out\n1,2,nan,,\n", "fid"),
        ("epoch,iteration,fid,kid,fid_held_out\n,2,3,4,\n", "epoch"),
        ("epoch,iteration,fid,kid,fid_held_out\n1,2,3,4,5,6\n", "more cells"),
    ],
)
def test_a_wrong_table_is_one_sentence(tmp_path, content, words):
    (tmp_path / "epochs.csv").write_text(content)
    with pytest.raises(UserError, match=words) as caught:
        EpochScores.read(tmp_path / "epochs.csv")
    assert "epochs.csv" in str(caught.value) and "python -m cut select" in str(caught.value)


def test_the_published_schemas_are_those_of_the_models(tmp_path):
    made = commands.write_schemas(tmp_path)
    published = {path.name for path in SCHEMAS.iterdir()} - {"config.schema.json"}
    assert {path.name for path in made} == published
    for path in made:
        schema = json.loads(path.read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        assert (SCHEMAS / path.name).read_text() == path.read_text()


def test_every_field_of_every_record_is_described():
    for name, model in RECORDS.items():
        schema = model.schema_of()
        for part in [schema, *schema.get("$defs", {}).values()]:
            assert part["description"], name
            assert all("description" in field for field in part["properties"].values()), name


def test_the_command_checks_files_and_prints_a_schema(tmp_path, capsys):
    BEST.write(tmp_path / "best.json")
    EpochScores.write(tmp_path / "epochs.csv", [])
    assert run_command("record", [str(tmp_path / "best.json"), str(tmp_path / "epochs.csv")]) == 0
    assert [line.split(": ")[1] for line in capsys.readouterr().out.splitlines()] == [
        "best, version 1",
        "epochs, 0 rows",
    ]
    assert run_command("record", ["--schema", "best"]) == 0
    assert json.loads(capsys.readouterr().out) == BestRecord.schema_of()


@pytest.mark.parametrize(
    "argv, words", [([], "--schema"), (["--schema", "bestt"], "'best'"), (["a.txt"], "best.json")]
)
def test_the_command_refuses_what_it_does_not_know(argv, words):
    with pytest.raises(UserError, match=words):
        run_command("record", argv)


def test_records_and_files_load_without_torch_and_pandas():
    modules = ["errors", "files", "images", "image_size", "parallel", "environment"]
    code = "\n".join(
        [
            "import sys, cut.records.commands",
            *(f"import cut.base.{name}" for name in modules),
            "print(sorted({'torch', 'pandas', 'scipy'} & sys.modules.keys()))",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
