"""Tables: rows, dashes with reasons, escapes, and the same bytes for the same runs."""

from __future__ import annotations

import csv
import io
import json

import pytest
from command import run_command
from fake_runs import write_best, write_run

from cut.base.errors import UserError
from cut.metrics.catalogue import METRICS
from cut.report.dataset_tables import write_tables
from cut.report.table import Cell, Table, escape, fitting, latex


@pytest.fixture
def runs(tmp_path):
    """Return the runs of a small benchmark, given out of order."""
    root = tmp_path / "results"
    return [
        write_run(root / "real", "real", scores={"fid": 30.0}),
        write_run(root / "fastcut", "fastcut", scores={"fid": None},
                  missing={"fid": "no Inception_weights were found"}),
        write_run(root / "cut0", "cut", scores={"fid": 60.0}),
        write_run(root / "cut1", "cut", seed=1, scores={"fid": 62.0}),
        write_run(root / "copy", "copy", scores={"fid": 90.0}),
    ]  # fmt: skip


def test_markdown_has_controls_at_both_ends_and_means_over_seeds(tmp_path, runs):
    write_tables(tmp_path / "out", runs)
    text = (tmp_path / "out" / "coats2stripes.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0][:3] == ["method", "FID ↓", "KID x1000 ↓"]
    assert {len(row) for row in cells} == {len(cells[0])}
    assert [row[0] for row in cells[2:]] == ["copy (control)", "fastcut", "cut", "real (control)"]
    assert cells[4][1] == "61.0 ± 1.4" and cells[4][-1] == "2"
    assert cells[2][2] == "12.3", "KID is shown times 1000"
    assert "published" not in text.lower(), "no paper has this data set"


def test_the_other_scores_have_a_table_of_their_own(tmp_path):
    scores = {"precision": 0.5, "coverage": 0.25, "perceptual": 0.125}
    runs = [write_run(tmp_path / "a", scores=scores), write_run(tmp_path / "copy", "copy")]
    write_tables(tmp_path / "out", runs)
    text = (tmp_path / "out" / "coats2stripes-scores.md").read_text()
    assert "| method | precision ↑ | coverage ↑ | content distance ↓ |" in text
    assert "| cut | 0.500 | 0.250 | 0.125 |" in text and "| copy (control) | – (a)" in text
    assert "0 for an image that was not changed" in text and "KID" not in text
    assert r"precision $\uparrow$" in (tmp_path / "out" / "coats2stripes-scores.tex").read_text()


def test_a_dash_has_its_reason_below(tmp_path, runs):
    write_tables(tmp_path / "out", runs)
    text = (tmp_path / "out" / "coats2stripes.md").read_text()
    row = next(line for line in text.splitlines() if line.startswith("| fastcut"))
    letter = row.split("– (")[1][0]
    assert f"({letter}) no Inception_weights were found" in text
    assert "(a) not trained" in text


def test_some_seeds_without_a_score_are_said(tmp_path):
    runs = [write_run(tmp_path / "a"), write_run(tmp_path / "b", seed=3, scores={"fid": None},
                                                 missing={"fid": "no weights"})]  # fmt: skip
    write_tables(tmp_path / "out", runs)
    text = (tmp_path / "out" / "coats2stripes.md").read_text()
    assert "FID without seed 3: no weights" in text and "| 61.2 (a) |" in text


def test_the_caption_says_what_the_numbers_stand_on(tmp_path, runs):
    write_tables(tmp_path / "out", runs)
    text = (tmp_path / "out" / "coats2stripes.md").read_text()
    for words in ("48x48 pixels", "seeds 0 and 1", "4 test translations against 6 real images",
                  "pytorch-fid Inception", "abababababab", "Example CPU & Co, 1 thread",
                  "KID is shown times 1000", "floor"):  # fmt: skip
        assert words in text, words


def test_published_numbers_stand_beside_as_context(tmp_path):
    runs = [write_run(tmp_path / m, m, dataset="horse2zebra", scores={"l1": None, "ssim": None})
            for m in ("cut", "fastcut", "mine")]  # fmt: skip
    write_tables(tmp_path / "out", runs)
    text = (tmp_path / "out" / "horse2zebra.md").read_text()
    header, cut, mine = (next(line for line in text.splitlines() if line.startswith(f"| {name} |"))
                         for name in ("method", "cut", "mine"))  # fmt: skip
    assert "| FID ↓ | FID published |" in header and "L1" not in header and "SSIM" not in header
    assert "| 61.2 | 45.5 |" in cut and "| 61.2 | – |" in mine
    assert "2 + 1 epochs, published 200 + 200 (cut); " in text and "(fastcut)" in text
    assert "images 48x48, published 256x256;" in text, "true of all rows, so no names"


def test_latex_escapes_and_balances(tmp_path, runs):
    runs.append(write_run(tmp_path / "odd", "my_50%_{method}", algorithm="cut"))
    write_tables(tmp_path / "out", runs)
    text = (tmp_path / "out" / "coats2stripes.tex").read_text()
    assert r"my\_50\%\_\{method\}" in text and r"Example CPU \& Co" in text
    assert r"61.0 $\pm$ 1.4" in text and r"Inception\_weights" in text
    assert text.isascii(), "an untouched LaTeX has no Unicode signs"
    assert "need XeLaTeX or LuaLaTeX" in text.splitlines()[1]
    caption = next(line for line in text.splitlines() if r"\caption{" in line)
    assert len(caption) < 150 and "Controls" not in caption, "protocol sentences stand below"
    assert text.index(r"\belowcaptionskip}{6pt}") < text.index(r"\caption{")
    assert all(f"\\{rule}" in text for rule in ("toprule", "midrule", "bottomrule"))
    columns = text.split(r"\begin{tabular}{")[1].split("}")[0]
    body = text.split(r"\toprule")[1].split(r"\bottomrule")[0]
    for line in body.splitlines():
        if line.endswith(r"\\"):
            assert line.replace(r"\&", "").count("&") == len(columns) - 1, line


def test_escape_covers_every_special_character():
    assert escape("a&b%$#_{}~^\\") == (
        r"a\&b\%\$\#\_\{\}\textasciitilde{}\textasciicircum{}\textbackslash{}"
    )


def test_two_hyphens_and_minus_signs_stay_what_they_are():
    assert escape("give --weights or ---x") == "give -{}-weights or -{}-{}-x"
    assert escape("-0.1, +0.2 (-3) of 2020-04 – x1e-3 [-1, 1]") == (
        "$-$0.1, +0.2 ($-$3) of 2020-04 -- x1e-3 [$-$1, 1]"
    )


@pytest.mark.parametrize(("value", "plain", "signed"), [
    (-0.04, "0.0", "+0.0"), (0.04, "0.0", "+0.0"), (-0.06, "-0.1", "-0.1"),
    (229.94, "229.9", "+229.9"),
])  # fmt: skip
def test_what_rounds_to_zero_has_no_minus(value, plain, signed):
    assert (METRICS["fid"].show(value), METRICS["fid"].show_signed(value)) == (plain, signed)


def test_type_shrinks_to_seven_points_and_no_further():
    def of(columns):
        return Table("x", ["name"] * columns, [[Cell("123.4")] * columns], caption=["."])

    sizes = [fitting(of(columns)) for columns in (10, 18, 20, 25)]
    assert sizes == ["small", "footnotesize", "scriptsize", None]
    assert fitting(Table("x", ["name"], [[Cell("a")]] * 40)) == "footnotesize", "of many rows"
    wide_group = Table("x", ["a"], [[Cell("1")]], groups=["g" * 150])
    assert fitting(wide_group) is None, "a group's name takes its place too"
    assert r"\footnotesize" in latex(of(18)) and r"\scriptsize" in latex(of(25))


def test_a_caption_names_only_metrics_that_are_shown(tmp_path):
    run = write_run(tmp_path / "cut", scores={"fid_low": 60.0, "fid_high": 63.0, "ssim": None})
    write_tables(tmp_path / "out", [run])
    text = (tmp_path / "out" / "coats2stripes.md").read_text()
    assert "60.0 to 63.0" in text and "Interval: how far" in text
    assert "L1 (of values in [0, 1]) is taken" in text and "SSIM" not in text


def test_the_wide_csv_holds_numbers_in_base_units(tmp_path, runs):
    write_tables(tmp_path / "out", runs)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / "coats2stripes.csv").read_text())))
    by_name = {row["method"]: row for row in rows}
    assert float(by_name["cut"]["fid"]) == 61.0 and float(by_name["cut"]["kid"]) == 0.0123
    assert by_name["fastcut"]["fid"] == ""
    assert "fid: no Inception_weights were found" in by_name["fastcut"]["missing"]
    assert by_name["copy"]["control"] == "True"


def test_two_data_sets_get_a_table_each_and_scores_hold_both(tmp_path):
    runs = [write_run(tmp_path / d, dataset=d) for d in ("coats2stripes", "horse2zebra")]
    written = write_tables(tmp_path / "out", runs)
    ends = (".csv", ".md", ".tex", "-scores.md", "-scores.tex")
    names = {f"{name}{end}" for name in ("coats2stripes", "horse2zebra") for end in ends}
    assert {path.name for path in written} == {*names, "scores.csv"}
    assert sorted(tmp_path.joinpath("out").iterdir()) == sorted(written)
    text = (tmp_path / "out" / "scores.csv").read_text()
    assert "\ncoats2stripes,cut" in text and "\nhorse2zebra,cut" in text


def test_the_same_runs_give_the_same_bytes(tmp_path, runs):
    first, second = (write_tables(tmp_path / name, runs) for name in ("one", "two"))
    for a, b in zip(first, second, strict=True):
        assert a.read_bytes() == b.read_bytes(), a.name


def test_the_command_writes_nothing_when_a_run_is_unscored(tmp_path, runs):
    (runs[2] / "scores.json").unlink()
    with pytest.raises(UserError, match="score this run first"):
        run_command("report tables", ["--out", str(tmp_path / "out"), *map(str, runs)])
    assert not (tmp_path / "out").exists()


def test_the_best_epoch_stands_beside_the_last_with_how_it_was_chosen(tmp_path):
    runs = [write_run(tmp_path / "copy", "copy"), write_run(tmp_path / "cut", "cut"),
            write_run(tmp_path / "fastcut", "fastcut")]  # fmt: skip
    write_best(runs[1], {2: 58.25, 4: 60.0, 5: 61.25})
    write_tables(tmp_path / "t", runs)
    text = (tmp_path / "t" / "coats2stripes.md").read_text()
    assert "| FID, best epoch ↓ |" in text
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if "|" in line}
    assert "| 61.2 | 58.2 at 2 |" in lines["cut"]
    assert "| – (a) |" in lines["copy (control)"] and "(a) not trained" in text
    assert "not measured: no generators kept along the way" in text, "fastcut's reason"
    assert "kept every 2 epochs, the one with the lowest FID over the test images" in text
    write_best(runs[1], {2: 58.25, 5: 61.25}, on="held_out")
    write_tables(tmp_path / "t", runs)
    text = (tmp_path / "t" / "coats2stripes.md").read_text()
    assert "the lowest FID over 4 source images held out of training" in text


def test_without_kept_generators_there_is_no_column(tmp_path):
    write_tables(tmp_path / "t", [write_run(tmp_path / "cut", "cut")])
    assert "best epoch" not in (tmp_path / "t" / "coats2stripes.md").read_text()


def test_the_best_epoch_of_several_seeds_is_a_mean(tmp_path):
    runs = [write_best(write_run(tmp_path / f"s{seed}", "cut", seed=seed), {2: fid, 5: 70.0})
            for seed, fid in enumerate((58.0, 60.0))]  # fmt: skip
    write_tables(tmp_path / "t", runs)
    text = (tmp_path / "t" / "coats2stripes.md").read_text()
    assert "| 59.0 ± 1.4 |" in text and " at 2" not in text


def test_best_scores_of_another_epoch_are_refused(tmp_path):
    run = write_best(write_run(tmp_path / "cut", "cut"), {2: 58.0, 5: 70.0})
    scores = json.loads((run / "best" / "scores.json").read_text())
    scores["translated"]["epoch"] = 4
    (run / "best" / "scores.json").write_text(json.dumps(scores))
    with pytest.raises(UserError, match="scores epoch 4, but the best is 2; score the best"):
        write_tables(tmp_path / "t", [run])
