"""The summary over seeds, and whether LaTeX takes every table."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from command import run_command
from fake_runs import write_run

from cut.report import dataset_tables, overview_table, seed_tables

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
    run_command("report seeds", ["--out", str(tmp_path / "t"), *map(str, runs)])
    found = pd.read_csv(tmp_path / "t" / "seeds.csv").set_index(["method", "metric"])
    line = found.loc[("cut", "fid")]
    assert line.seeds == 3 and line["mean"] == pytest.approx(statistics.fmean(FIDS.values()))
    assert line.sd == pytest.approx(statistics.stdev(FIDS.values()))
    assert (line["min"], line["max"]) == (58.0, 64.75)
    assert line["values"] == "0:61.25 1:58.0 2:64.75"
    assert pd.isna(found.loc[("copy", "fid")].sd), "one seed has no deviation"
    assert ("a_b", "fid") not in found.index and ("a_b", "kid") in found.index


def test_the_table_shows_them_and_says_what_is_missing(runs, tmp_path):
    run_command("report seeds", ["--out", str(tmp_path / "t"), *map(str, runs)])
    text = (tmp_path / "t" / "coats2stripes-seeds.md").read_text()
    assert "| cut | 0, 1, 2 | 61.3 | 3.4 | 61.2, 58.0, 64.8 |" in text
    assert "| a_b | 0 | – (a) | – | – |" in text and "(a) no weights: 100 % sure" in text
    assert "FID, best epoch" not in text, "no column without a value"


def test_a_seed_without_a_score_keeps_its_place_and_has_a_reason(tmp_path):
    made = [write_run(tmp_path / str(seed), "cut", seed=seed, scores={"fid": fid, "kid": None},
                      missing={"fid": "no weights"})
            for seed, fid in ((2, 64.0), (0, 60.0), (1, None))]  # fmt: skip
    run_command("report seeds", ["--out", str(tmp_path / "t"), *map(str, made)])
    text = (tmp_path / "t" / "coats2stripes-seeds.md").read_text()
    assert "| cut | 0, 1, 2 | 62.0 | 2.8 | 60.0, –, 64.0 (a) |" in text
    assert "(a) FID without seed 1: no weights" in text
    assert "±" not in text and "KID" not in text and "Time and peak memory" not in text


def test_the_same_runs_give_the_same_bytes(runs, tmp_path):
    for name in ("a", "b"):
        run_command("report seeds", ["--out", str(tmp_path / name), *map(str, runs)])
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["coats2stripes-seeds.md", "coats2stripes-seeds.tex", "seeds.csv"]
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="there is no pdflatex here")
def test_latex_compiles_every_table(runs, tmp_path):
    out = tmp_path / "t"
    runs.append(write_run(tmp_path / "accents", "Müller-Ångström-é", algorithm="cut"))
    runs.append(
        write_run(
            tmp_path / "h",
            "cut",
            dataset="horse2zebra",
            scores={"kid": -0.01, "fid": None},
            missing={"fid": "give --weights FILE"},
        )
    )
    dataset_tables.write_tables(out, runs)
    seed_tables.write_summary(out, runs)
    overview_table.write_overview(out, runs, False)
    names = sorted(path.name for path in out.glob("*.tex"))
    assert len(names) == 7
    log = compile_latex(out, names)
    assert "Missing character" not in log
    natural = [float(points) for points in re.findall(r"natural width ([\d.]+)pt", log)]
    assert len(natural) == 8 and max(natural) <= 6.9 * 72.27, "no table was made smaller"


def compile_latex(out: Path, names: list[str]) -> str:
    """Compile files on a page with a text of 6.9 in; return the log, with each natural width."""
    inputs = "".join(f"\\input{{{name}}}\\clearpage\n" for name in names)
    (out / "all.tex").write_text(
        "\\documentclass[10pt]{article}\n\\usepackage[T1]{fontenc}\n"
        "\\usepackage[textwidth=6.9in]{geometry}\n\\usepackage{booktabs,amssymb,graphicx}\n"
        "\\begin{document}\n\\let\\resize\\resizebox\n"
        "\\renewcommand{\\resizebox}[3]{\\setbox0\\hbox{#3}"
        "\\typeout{natural width \\the\\wd0}\\resize{#1}{#2}{#3}}\n"
        f"{inputs}\\end{{document}}\n"
    )
    done = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"],
        cwd=out, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    wide = re.findall(r"Overfull .hbox .([\d.]+)pt", done.stdout)
    assert not wide, "something is wider than the page"
    return done.stdout
