"""The tables of one data set."""

from __future__ import annotations

import csv

import pytest
from command import run_command
from fake_runs import write_best, write_run, write_steps
from golden import check_golden

from cut.base.errors import UserError
from cut.report.dataset_tables import (
    cost_table,
    dataset_table,
    other_scores_table,
    step_tables,
    write_tables,
)
from cut.report.markdown import markdown
from cut.report.table import Table
from cut.results.rows import rows_of
from cut.results.run import load_run


@pytest.fixture
def runs(tmp_path):
    """Return the runs of a small benchmark, given out of order."""
    root = tmp_path / "results"
    reason = {"fid": "no Inception_weights were found"}
    return [
        write_run(root / "real", "real", scores={"fid": 30.0}),
        write_run(root / "fastcut", "fastcut", scores={"fid": None}, missing=reason),
        write_run(root / "cut0", "cut", scores={"fid": 60.0}),
        write_run(root / "cut1", "cut", seed=1, scores={"fid": 62.0}),
        write_run(root / "copy", "copy", scores={"fid": 90.0}),
    ]


def rows(folders):
    return rows_of(load_run(folder) for folder in folders)


def cells(table: Table) -> dict[str, dict[str, str]]:
    """Return a table's texts: {row's name: {column's key: text}}."""
    keys = [column.key for column in table.columns]
    return {
        row.name: dict(zip(keys, [cell.text for cell in line], strict=True))
        for row, line in table.lines
    }


def notes(table: Table, name: str, key: str) -> tuple[str, ...]:
    """Return the footnotes of a cell."""
    place = [column.key for column in table.columns].index(key)
    return next(line[place].notes for row, line in table.lines if row.name == name)


def test_controls_are_at_both_ends_and_values_are_means(runs):
    table = dataset_table(rows(runs))
    assert [row.name for row in table.rows] == ["copy", "fastcut", "cut", "real"]
    shown = cells(table)
    assert shown["cut"]["fid"] == "61.0 ± 1.4" and shown["cut"]["seeds"] == "2"
    assert shown["copy"]["kid"] == "12.3", "KID is shown times 1000"
    assert shown["copy"]["method"] == "copy (control)"
    assert not any(column.key == "published" for column in table.columns)


def test_costs_have_a_table_without_what_was_not_trained(runs, tmp_path):
    table = cost_table(rows(runs))
    assert [row.name for row in table.rows] == ["fastcut", "cut"]
    shown = cells(table)["fastcut"]
    assert (shown["gflop_per_pair"], shown["gflop_per_image"]) == ("85.00", "8.50")
    old = write_run(tmp_path / "old", operations_per_pair=None)
    assert "gflop_per_pair" not in cells(cost_table(rows([old])))["cut"]
    assert load_run(old).value("gflop_per_pair") == (None, "not measured")
    assert load_run(runs[0]).value("gflop_per_image") == (None, "not trained")


def test_other_scores_have_a_table_of_their_own(tmp_path):
    scores = {"precision": 0.5, "coverage": 0.25, "perceptual": 0.125}
    folders = [write_run(tmp_path / "a", scores=scores), write_run(tmp_path / "copy", "copy")]
    table = other_scores_table(rows(folders))
    assert [column.key for column in table.columns] == ["method", *scores]
    assert list(cells(table)["cut"].values())[1:] == ["0.500", "0.250", "0.125"]
    assert list(cells(table)["copy"].values())[1:] == ["–"] * 3


def test_without_any_other_score_the_usual_ones_have_dashes(runs):
    keys = [column.key for column in other_scores_table(rows(runs)).columns]
    assert "precision" in keys and "perceptual" in keys
    assert not {"miou", "fid_infinity"} & {*keys}


def test_a_dash_has_its_reason_as_a_note(runs):
    table = dataset_table(rows(runs))
    assert notes(table, "fastcut", "fid") == ("no Inception_weights were found",)
    assert notes(table, "copy", "seconds_per_iteration") == ("not trained",)


def test_a_note_names_the_seeds_without_a_score(tmp_path):
    lost = {"scores": {"fid": None}, "missing": {"fid": "no weights"}}
    table = dataset_table(
        rows([write_run(tmp_path / "a"), write_run(tmp_path / "b", seed=3, **lost)])
    )
    assert cells(table)["cut"]["fid"] == "61.2"
    (note,) = notes(table, "cut", "fid")
    assert "seed 3" in note and "no weights" in note


def test_published_numbers_are_beside_the_measured_ones(tmp_path):
    unpaired = {"l1": None, "ssim": None}
    folders = [
        write_run(tmp_path / name, name, dataset="horse2zebra", scores=unpaired)
        for name in ("cut", "fastcut", "mine")
    ]
    table = dataset_table(rows(folders))
    keys = [column.key for column in table.columns]
    assert keys[1:3] == ["fid", "published"] and not {"l1", "ssim"} & {*keys}
    shown = cells(table)
    assert shown["cut"]["published"] == "45.5" and shown["mine"]["published"] == "–"
    # A reason that holds for all rows is given once, without names.
    text = " ".join(table.caption)
    assert text.count("48x48, published 256x256") == 1 and "(fastcut)" in text


def test_an_interval_belongs_to_one_training(tmp_path):
    bounds = {"fid_low": 60.0, "fid_high": 63.0}
    one = write_run(tmp_path / "0", scores=bounds)
    assert cells(dataset_table(rows([one])))["cut"]["interval"] == "60.0 to 63.0"
    two = [one, write_run(tmp_path / "1", seed=1, scores=bounds)]
    table = dataset_table(rows(two))
    assert cells(table)["cut"]["interval"] == "–" and notes(table, "cut", "interval")
    none = dataset_table(rows([one, write_run(tmp_path / "f", "fastcut")]))
    assert notes(none, "fastcut", "interval") == ("not measured",)


def test_the_wide_csv_has_numbers_in_base_units(tmp_path, runs):
    write_tables(tmp_path / "out", runs)
    with open(tmp_path / "out" / "coats2stripes.csv", newline="") as file:
        by_name = {row["method"]: row for row in csv.DictReader(file)}
    assert float(by_name["cut"]["fid"]) == 61.0 and float(by_name["cut"]["kid"]) == 0.0123
    assert float(by_name["cut"]["fid_sd"]) == pytest.approx(2**0.5)
    assert by_name["fastcut"]["fid"] == by_name["copy"]["fid_sd"] == ""
    assert "fid: no Inception_weights were found" in by_name["fastcut"]["missing"]
    assert by_name["copy"]["control"] == "True"


def test_each_data_set_has_tables_and_the_scores_are_in_one_file(tmp_path):
    folders = [write_run(tmp_path / d, dataset=d) for d in ("coats2stripes", "horse2zebra")]
    written = write_tables(tmp_path / "out", folders)
    ends = (".csv", ".md", ".tex", "-scores.md", "-scores.tex", "-ranks.md", "-ranks.tex")
    names = {f"{name}{end}" for name in ("coats2stripes", "horse2zebra") for end in ends}
    assert {path.name for path in written} == {*names, "scores.csv"}
    assert sorted(tmp_path.joinpath("out").iterdir()) == sorted(written)
    text = (tmp_path / "out" / "scores.csv").read_text()
    assert "\ncoats2stripes,cut" in text and "\nhorse2zebra,cut" in text


def test_the_same_runs_give_the_same_bytes(tmp_path, runs):
    first, second = (write_tables(tmp_path / name, runs) for name in ("one", "two"))
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name


def test_nothing_is_written_when_a_run_is_unscored(tmp_path, runs):
    (runs[2] / "scores.json").unlink()
    with pytest.raises(UserError, match="scores.json"):
        run_command("report tables", ["--out", str(tmp_path / "out"), *map(str, runs)])
    assert not (tmp_path / "out").exists()


def test_the_best_epoch_is_beside_the_last(tmp_path):
    names = ("copy", "cut", "fastcut")
    folders = [write_run(tmp_path / name, name) for name in names]
    assert "fid_best" not in [column.key for column in dataset_table(rows(folders)).columns]
    write_best(folders[1], {2: 58.25, 4: 60.0, 5: 61.25})
    table = dataset_table(rows(folders))
    shown = cells(table)
    assert (shown["cut"]["fid"], shown["cut"]["fid_best"]) == ("61.2", "58.2 at 2")
    assert notes(table, "copy", "fid_best") == ("not trained",)
    assert notes(table, "fastcut", "fid_best") != notes(table, "copy", "fid_best")


def test_the_best_epoch_of_several_seeds_is_a_mean(tmp_path):
    folders = [
        write_best(write_run(tmp_path / f"s{seed}", "cut", seed=seed), {2: fid, 5: 70.0})
        for seed, fid in enumerate((58.0, 60.0))
    ]
    assert cells(dataset_table(rows(folders)))["cut"]["fid_best"] == "59.0 ± 1.4"


def test_markdown_and_latex_are_as_kept(tmp_path, runs):
    runs.append(write_run(tmp_path / "odd", "my_50.0_method", algorithm="cut"))
    write_best(runs[-1], {2: 58.25, 5: 61.25})
    write_tables(tmp_path / "out", runs)
    for end in (".md", ".tex", "-scores.md", ".csv"):
        check_golden(tmp_path / "out" / f"coats2stripes{end}")
    assert (
        markdown(dataset_table(rows(runs))) == (tmp_path / "out" / "coats2stripes.md").read_text()
    )


def test_steps_of_translations_have_a_table_of_their_mean_fid(tmp_path):
    runs = [write_run(tmp_path / str(seed), "unsb", seed=seed) for seed in (0, 1)]
    for run, fids in zip(runs, ([80.0, 60.0], [82.0, 64.0]), strict=True):
        write_steps(run, fids)
    (table,) = step_tables(rows([*runs, write_run(tmp_path / "cut")]))
    assert list(cells(table)) == ["unsb"]
    shown = cells(table)["unsb"]
    assert (shown["step_1"], shown["step_2"]) == ("81.0 ± 1.4", "62.0 ± 2.8")
    assert step_tables(rows([tmp_path / "cut"])) == []


def test_a_row_says_which_sample_is_scored(tmp_path):
    run = write_run(tmp_path / "run", "munit", scored="one sample per image")
    assert notes(dataset_table(rows([run])), "munit", "method") == ("scored: one sample per image",)
