"""Texts of foreign records in tables: they stay texts, on one line, and in one cell."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from command import run_command
from fake_runs import change_record, write_run

from cut.base.errors import UserError
from cut.report import latex, markdown
from cut.report.files import to_csv

HOSTILE = "a | b\n\n# <script>alert(1)</script> [x](javascript:1) `c` \\input{/etc/passwd} "
HOSTILE += "$\\frac{$ %&_#^~"


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def tables(tmp_path):
    """Return the tables of a run whose every free text is hostile."""
    given = {"missing": {"fid": HOSTILE, "kid": f"={HOSTILE}"}}
    given |= {"scores": {"fid": None, "kid": None}}
    given |= {"description": HOSTILE, "hardware": {"cpu": HOSTILE, "threads": 1}}
    runs = [write_run(tmp_path / "a" / f"seed{seed}", seed=seed, **given) for seed in (0, 1)]
    for command in ("tables", "seeds", "overview"):
        assert run_command(f"report {command}", ["--out", tmp_path / "tables", *runs]) == 0
    return tmp_path / "tables"


def test_markdown_keeps_its_rows_and_runs_nothing(tables):
    seen = 0
    for path in tables.glob("*.md"):
        text = path.read_text()
        seen += "alert" in text
        assert "<script" not in text and "](" not in text
        for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.M):
            assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1
        assert not [line for line in text.splitlines() if line.startswith("#")]
    assert seen


def test_latex_runs_no_command_of_a_record(tables):
    text = "".join(path.read_text() for path in tables.glob("*.tex"))
    assert r"\textbackslash{}input\{/etc/passwd\}" in text and r"\input" not in text
    assert "\n\n#" not in text


def test_csv_holds_no_formula(tables):
    texts = []
    for path in tables.glob("*.csv"):
        with open(path, newline="") as file:
            texts += [cell for row in csv.reader(file) for cell in row]
    assert any("script" in text for text in texts)
    numbers = re.compile(r"-?[\d.e+-]+")
    assert not [t for t in texts if t[:1] in tuple("=+-@\t\r") and not numbers.fullmatch(t)]


def test_a_text_that_looks_like_a_formula_is_marked_and_numbers_stay():
    import pandas as pd

    frame = pd.DataFrame({"a": ["=1+1", "+1", "-x", "@x", "b"], "b": [-1.5, 0.25, -2, 3, None]})
    assert to_csv(frame) == "a,b\n'=1+1,-1.5\n'+1,0.25\n'-x,-2.0\n'@x,3.0\nb,\n"


def test_figures_show_formulas_as_text(tmp_path):
    run = write_run(tmp_path / "run", hardware={"cpu": HOSTILE, "threads": 1}, points=4)
    losses = {name: {"title": HOSTILE, "unit": HOSTILE} for name in ("G_GAN", "NCE")}
    change_record(run / "run.json", losses=losses)
    for kind in ("curves", "cost"):
        out = tmp_path / f"{kind}.png"
        assert run_command("report figures", [kind, "--out", out, run]) == 0
        assert out.is_file()


@pytest.mark.parametrize("escape", [markdown.escape, latex.escape])
def test_escaped_text_is_on_one_line(escape):
    assert not set(escape("a\nb\r\x0b\x1b[31m\u2028c\0")) & set("\n\r\x0b\x1b\u2028\0")


@pytest.mark.parametrize("command", ["report tables", "report overview", "report page", "collect"])
@pytest.mark.parametrize("name", ["../../out", "/tmp/out", "scores", "..", "a\nb", "<script>"])
def test_a_foreign_name_writes_nothing(tmp_path, command, name):
    run = write_run(tmp_path / "in" / "set" / "cut" / "seed0")
    change_record(run / "run.json", dataset=name)
    before = files_below(tmp_path)
    with pytest.raises(UserError, match="dataset"):
        run_command(command, ["--out", tmp_path / "here" / "tables", run])
    assert files_below(tmp_path) == before


def test_data_sets_that_would_share_a_table_are_refused(tmp_path):
    runs = [write_run(tmp_path / name, dataset=name) for name in ("set", "set-scores")]
    with pytest.raises(UserError, match="set-scores"):
        run_command("report tables", ["--out", tmp_path / "tables", *runs])
    assert not (tmp_path / "tables").exists()
