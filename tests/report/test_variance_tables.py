"""The command that measures what one training is worth."""

from __future__ import annotations

import pytest
from command import run_command
from fake_runs import write_best, write_run
from tables_of import rows

from cut.base.errors import UserError
from cut.report.plain import plain
from cut.report.table import Cell, Column, Table
from cut.report.variance_tables import variance_tables
from cut.results.rows import runs_of


def write_seeds(root, dataset="coats2stripes", seeds=2):
    """Write seeds of two rows with FID by epoch and intervals, and a control."""
    runs = [write_run(root / dataset / "copy" / "seed0", "copy", dataset=dataset)]
    for name, worse in (("cut", 0.0), ("fastcut", 3.0)):
        for seed in range(seeds):
            fid = 50.0 + worse + 4 * seed * (1 if worse else 2)
            scores = {"fid": fid, "fid_low": fid - 5, "fid_high": fid + 7, "l1": 0.1 + seed / 100}
            folder = root / dataset / name / f"seed{seed}"
            run = write_run(folder, name, dataset=dataset, seed=seed, scores=scores)
            runs.append(write_best(run, {1: fid + 9, 2: fid + 1, 3: fid}))
    return runs


def texts(table):
    keys = [column.key for column in table.columns]
    return [dict(zip(keys, [cell.text for cell in line], strict=True)) for line in table.cells]


def test_a_row_has_its_spread_its_interval_and_the_shares(tmp_path):
    spread, order = variance_tables(runs_of(rows(write_seeds(tmp_path))))
    cut, fastcut = texts(spread)
    assert (cut["method"], cut["seeds"], cut["fid"], cut["fid_sd"]) == ("cut", "2", "54.0", "5.7")
    assert (cut["interval"], cut["l1"], cut["l1_sd"]) == ("± 6.0", "0.105", "0.007")
    # 32 between seeds, none between epochs, and the square of 6.0 / 1.96 between images.
    shares = [cut[f"share_{name}"] for name in ("seeds", "epochs", "images")]
    assert shares == ["77 %", "0 %", "23 %"]
    assert fastcut["fid"] == "55.0"
    found = {(line["score"], line["order"]): line["holds"] for line in texts(order)}
    assert found["FID", "cut below fastcut"] == "1 of 2 seeds"
    assert found["FID", "cut below copy (control)"] == "2 of 2 seeds"


def test_each_data_set_with_several_seeds_has_two_tables(tmp_path):
    runs = [*write_seeds(tmp_path), *write_seeds(tmp_path, "facades", 3)]
    runs += write_seeds(tmp_path, "maps", 1)
    tables = variance_tables(runs_of(rows(runs)))
    assert [table.title.split(",")[0] for table in tables] == ["coats2stripes"] * 2 + [
        "facades"
    ] * 2


@pytest.mark.parametrize("given", [[], ["--markdown"]])
def test_the_command_prints_tables_of_what_is_scored(tmp_path, capsys, given):
    write_seeds(tmp_path)
    (tmp_path / "coats2stripes" / "cut" / "seed1" / "scores.json").unlink()
    assert run_command("variance", [tmp_path, *given]) == 0
    said = capsys.readouterr()
    assert "seed1" in said.err and "cut below fastcut" not in said.out
    assert ("| method |" in said.out) == bool(given) and said.out.count("fastcut") == 3


def test_what_has_no_spread_is_refused(tmp_path):
    write_seeds(tmp_path, seeds=1)
    with pytest.raises(UserError, match="no trained row"):
        run_command("variance", [tmp_path])
    with pytest.raises(UserError, match="--epochs is 1"):
        run_command("variance", [tmp_path, "--epochs", "1"])


def test_plain_text_has_aligned_columns():
    columns = [Column(end, f"head {end}", lambda row: Cell(row), align=end) for end in "lr"]
    table = Table("title", columns, ["a", "bb\nb"], ["First.", "Second."])
    assert plain(table).splitlines() == [
        "title. First.",
        "head l  head r",
        "a            a",
        "bb b      bb b",
        "Second.",
    ]
