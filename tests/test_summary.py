"""The summary over seeds, and whether LaTeX takes every table."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from fake_runs import write_run

from cut import overview, summary, tables

FIDS = {0: 61.25, 1: 58.0, 2: 64.75}


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    made = [write_run(tmp_path / "copy", "copy")]
    for seed, fid in FIDS.items():
        folder = tmp_path / f"cut{seed}"
        made.append(write_run(folder, "cut", seed=seed, scores={"fid": fid}))
    made.append(
        write_run(
            tmp_path / "a_b",
            "a_b",
            algorithm="fastcut",
            scores={"fid": None},
            missing={"fid": "no weights: 100 % sure & <so>"},
        )
    )
    return made  # fmt: skip


def test_a_line_has_mean_deviation_and_every_value(runs, tmp_path):
    summary.main(["--out", str(tmp_path / "t"), *map(str, runs)])
    found = pd.read_csv(tmp_path / "t" / "seeds.csv").set_index(["method", "metric"])
    line = found.loc[("cut", "fid")]
    assert line.seeds == 3 and line["mean"] == pytest.approx(statistics.fmean(FIDS.values()))
    assert line.sd == pytest.approx(statistics.stdev(FIDS.values()))
    assert (line["min"], line["max"]) == (58.0, 64.75)
    assert line["values"] == "0:61.25 1:58.0 2:64.75"
    assert pd.isna(found.loc[("copy", "fid")].sd), "one seed has no deviation"
    assert ("a_b", "fid") not in found.index and ("a_b", "kid") in found.index


def test_the_table_shows_them_and_says_what_is_missing(runs, tmp_path):
    summary.main(["--out", str(tmp_path / "t"), *map(str, runs)])
    text = (tmp_path / "t" / "coats2stripes-seeds.md").read_text()
    assert "| cut | 3 | 61.3 | 3.4 | 61.2, 58.0, 64.8 |" in text
    assert "| a_b | 1 | – (a) | – | – |" in text and "(a) no weights: 100 % sure" in text
    assert "FID, best epoch" not in text, "no column without a value"


def test_the_same_runs_give_the_same_bytes(runs, tmp_path):
    for name in ("a", "b"):
        summary.main(["--out", str(tmp_path / name), *map(str, runs)])
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["coats2stripes-seeds.md", "coats2stripes-seeds.tex", "seeds.csv"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="there is no pdflatex here")
def test_latex_compiles_every_table(runs, tmp_path):
    out = tmp_path / "t"
    tables.write_tables(out, runs)
    summary.write_summary(out, runs)
    overview.write_overview(out, runs, False)
    inputs = "".join(f"\\input{{{path.name}}}\n" for path in sorted(out.glob("*.tex")))
    assert inputs.count("input") == 3
    (out / "all.tex").write_text(
        "\\documentclass{article}\n\\usepackage[T1]{fontenc}\n\\usepackage{booktabs,amssymb,graphicx}\n"
        f"\\begin{{document}}\n{inputs}\\end{{document}}\n"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
        cwd=out, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Missing character" not in done.stdout
    wide = re.findall(r"Overfull .hbox .([\d.]+)pt", done.stdout)
    assert not wide, "a table is wider than the column"
