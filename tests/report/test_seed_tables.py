"""The tables over seeds."""

from __future__ import annotations

import statistics
from pathlib import Path

import pandas as pd
import pytest
from command import run_command
from fake_runs import write_run
from golden import check_golden

from cut.report.seed_tables import seed_table
from cut.results.rows import rows_of
from cut.results.run import load_run

FIDS = {0: 61.25, 1: 58.0, 2: 64.75}


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    made = [write_run(tmp_path / "copy", "copy")]
    for seed, fid in FIDS.items():
        made.append(write_run(tmp_path / f"cut{seed}", "cut", seed=seed, scores={"fid": fid}))
    reason = {"fid": "no weights: 100 % sure & <so>"}
    lost = {"scores": {"fid": None}, "missing": reason}
    return [*made, write_run(tmp_path / "a_b", "a_b", algorithm="fastcut", **lost)]


def line_of(folders, name):
    """Return a row's texts and all its notes."""
    table = seed_table(rows_of(map(load_run, folders)))
    cells = next(cells for row, cells in table.lines if row.name == name)
    return [cell.text for cell in cells[1:]], {note for cell in cells for note in cell.notes}


def test_a_line_has_mean_deviation_and_every_value(runs, tmp_path):
    run_command("report seeds", ["--out", str(tmp_path / "t"), *map(str, runs)])
    found = pd.read_csv(tmp_path / "t" / "seeds.csv").set_index(["method", "metric"])
    line = found.loc[("cut", "fid")]
    assert line.seeds == 3 and line["mean"] == pytest.approx(statistics.fmean(FIDS.values()))
    assert line.sd == pytest.approx(statistics.stdev(FIDS.values()))
    assert (line["min"], line["max"]) == (58.0, 64.75)
    assert line["values"] == "0:61.25 1:58.0 2:64.75"
    assert pd.isna(found.loc[("copy", "fid")].sd), "one seed has no deviation"
    assert ("a_b", "fid") not in found.index and ("a_b", "kid") in found.index


def test_the_table_has_mean_deviation_and_each_value(runs):
    shown, _ = line_of(runs, "cut")
    assert shown[:4] == ["0, 1, 2", "61.3", "3.4", "61.2, 58.0, 64.8"]
    shown, notes = line_of(runs, "a_b")
    assert shown[:4] == ["0", "–", "–", "–"] and notes == {"no weights: 100 % sure & <so>"}


def test_only_scores_with_a_value_have_columns(runs):
    table = seed_table(rows_of(map(load_run, runs)))
    assert [column.key for column in table.columns if "_" not in column.key] == [
        "method",
        "seeds",
        "fid",
        "kid",
    ]


def test_a_seed_without_a_score_keeps_its_place(tmp_path):
    made = [
        write_run(
            tmp_path / str(seed),
            "cut",
            seed=seed,
            scores={"fid": fid, "kid": None},
            missing={"fid": "no weights"},
        )
        for seed, fid in ((2, 64.0), (0, 60.0), (1, None))
    ]
    shown, notes = line_of(made, "cut")
    assert shown == ["0, 1, 2", "62.0", "2.8", "60.0, –, 64.0"]
    (note,) = notes
    assert "seed 1" in note and "no weights" in note


def test_the_caption_leaves_out_what_has_no_column(runs):
    text = " ".join(seed_table(rows_of(map(load_run, runs))).caption)
    assert "±" not in text and "Time and peak memory" not in text


def test_files_are_as_kept_and_the_same_again(runs, tmp_path):
    for name in ("a", "b"):
        run_command("report seeds", ["--out", str(tmp_path / name), *map(str, runs)])
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["coats2stripes-seeds.md", "coats2stripes-seeds.tex", "seeds.csv"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    check_golden(tmp_path / "a" / "coats2stripes-seeds.md")
