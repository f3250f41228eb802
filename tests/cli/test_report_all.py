"""`report all`: the tables, figures and the page of all runs found."""

from __future__ import annotations

import pytest
from command import run_command
from fake_runs import write_run, write_test

from cut.base.errors import UserError
from cut.cli import report_all


def test_all_parts_are_written(tmp_path, capsys):
    results = tmp_path / "results"
    for row in ("copy", "cut"):
        write_run(results / "coats2stripes" / row / "seed0", row)
    assert run_command("report all", ["--out", tmp_path / "out", results]) == 0
    names = {path.relative_to(tmp_path / "out").as_posix() for path in tmp_path.rglob("out/*/*")}
    assert {
        "tables/scores.csv",
        "tables/coats2stripes.md",
        "tables/overview.md",
        "figures/coats2stripes-curves.png",
        "figures/coats2stripes-cost.pdf",
        "figures/coats2stripes-content.png",
        "site/index.html",
    } <= names
    assert "figures/coats2stripes-grid.png" not in names, "there are no test images"


def test_test_images_are_found_beside_any_of_the_runs(tmp_path, monkeypatch):
    received, own = tmp_path / "a-received" / "coats2stripes", tmp_path / "own" / "coats2stripes"
    write_run(received / "theirs" / "seed0", "theirs", algorithm="cut")
    write_run(own / "cut" / "seed0", "cut")
    write_test(own / "test")
    called = []
    monkeypatch.setattr(report_all, "_command", lambda *words: called.append(words))
    folders = [received.parent, own.parent]
    assert run_command("report all", ["--out", tmp_path / "out", *folders]) == 0
    (grid,) = [words for words in called if words[:2] == ("report figures", "grid")]
    assert grid[grid.index("--test") + 1] == own / "test"
    assert {received / "theirs" / "seed0", own / "cut" / "seed0"} <= set(grid)


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(UserError, match="no run"):
        run_command("report all", ["--out", tmp_path / "out", tmp_path])
