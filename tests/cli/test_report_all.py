"""`report all`: the tables, figures and the page of all runs found."""

from __future__ import annotations

import pytest
from command import run_command
from fake_runs import write_run

from cut.base.errors import UserError


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


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(UserError, match="no run"):
        run_command("report all", ["--out", tmp_path / "out", tmp_path])
