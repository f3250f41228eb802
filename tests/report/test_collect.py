"""Merging runs of several machines."""

from __future__ import annotations

import csv

import pytest
from command import run_command
from fake_runs import protocol, write_run

from cut.base.errors import UserError
from cut.report import collect


def test_two_machines_make_one_table(tmp_path, capsys):
    write_run(tmp_path / "one" / "coats2stripes" / "cut" / "seed0", scores={"fid": 50.0})
    write_run(
        tmp_path / "two" / "coats2stripes" / "cut" / "seed1", "cut", seed=1, scores={"fid": 54.0}
    )
    write_run(tmp_path / "two" / "coats2stripes" / "copy" / "seed0", "copy")
    half = write_run(tmp_path / "two" / "coats2stripes" / "fastcut" / "seed0", "fastcut")
    (half / "scores.json").unlink()
    out = tmp_path / "out"
    folders = [str(tmp_path / name) for name in ("one", "two")]
    assert run_command("collect", ["--out", str(out), *folders]) == 0
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("left out")]
    assert said == [f"left out {half}: not scored"]
    with open(out / "coats2stripes.csv", newline="") as file:
        rows = {row["method"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["copy", "cut"]
    assert rows["cut"]["seeds"] == "2" and float(rows["cut"]["fid"]) == 52
    assert (out / "overview.md").is_file() and (out / "seeds.csv").is_file()


def test_the_same_run_twice_is_one_where_it_agrees(tmp_path):
    for name in ("one", "two"):
        write_run(tmp_path / name / "cut", "cut")
    runs, unfinished = collect.find_runs([tmp_path / "one", tmp_path / "two"])
    assert len(runs) == 1 and not unfinished
    write_run(tmp_path / "two" / "cut", "cut", scores={"fid": 1.0})
    with pytest.raises(UserError, match="both cut with seed 0 on coats2stripes, with different"):
        collect.find_runs([tmp_path / "one", tmp_path / "two"])
    for change, words in (
        ({"options": {"tau": 1.0}}, "different options"),
        ({"code_digest": "e" * 64}, "different code_digest"),
        ({"dataset_digest": "e" * 64}, "different data digest"),
    ):
        write_run(tmp_path / "two" / "cut", "cut", **change)
        with pytest.raises(UserError, match=words):
            collect.find_runs([tmp_path / "one", tmp_path / "two"])


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"scored_by": protocol(resize="area to 299x299")}, "differ in real.resize"),
        ({"dataset_digest": "e" * 64}, "differ in data digest"),
        ({"size": [64, 64]}, "differ in image size"),
        ({"options": {"tau": 1.0}}, "differ in options"),
    ],
)
def test_mixed_protocols_are_refused_with_what_differs(tmp_path, other, words):
    write_run(tmp_path / "one" / "cut", "cut")
    write_run(tmp_path / "two" / "cut", "cut", seed=1, **other)
    with pytest.raises(UserError, match=words):
        run_command(
            "collect",
            ["--out", str(tmp_path / "out"), str(tmp_path / "one"), str(tmp_path / "two")],
        )
    assert not (tmp_path / "out").exists()


def test_a_folder_without_runs_is_named(tmp_path):
    with pytest.raises(UserError, match="no run below"):
        run_command("collect", ["--out", str(tmp_path / "out"), str(tmp_path)])
