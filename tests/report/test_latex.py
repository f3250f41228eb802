"""Whether LaTeX takes every table, and whether the type on the page can be read."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from fake_runs import write_run
from tables_of import write_table1, write_variants

from cut.report.dataset_tables import write_tables
from cut.report.overview_table import write_overview
from cut.report.seed_tables import write_seed_tables

WIDTH = 6.9 * 72.27  # points: the text of a page
POINTS = {"small": 9.0, "footnotesize": 8.0}  # in a class of 10 pt
LEAST = 7.0  # points: type that can be read

pytestmark = pytest.mark.skipif(not shutil.which("pdflatex"), reason="there is no pdflatex here")


def compile_latex(folder: Path) -> list[float]:
    """Compile the tables in `folder` on one page each; return the size of each one's type.

    The tables are scaled by \\resizebox, which is made to print the width before.
    """
    names = sorted(path.name for path in folder.glob("*.tex"))
    inputs = "".join(f"\\input{{{name}}}\\clearpage\n" for name in names)
    (folder / "all.tex").write_text(
        "\\documentclass[10pt]{article}\n\\usepackage[T1]{fontenc}\n"
        "\\usepackage[textwidth=6.9in]{geometry}\n\\usepackage{booktabs,amssymb,graphicx}\n"
        "\\begin{document}\n\\let\\resize\\resizebox\n"
        "\\renewcommand{\\resizebox}[3]{\\setbox0\\hbox{#3}"
        "\\typeout{natural width \\the\\wd0}\\resize{#1}{#2}{#3}}\n"
        f"{inputs}\\end{{document}}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Missing character" not in done.stdout
    assert not re.findall(r"Overfull .hbox", done.stdout), "something is wider than the page"
    widths = [float(points) for points in re.findall(r"natural width ([\d.]+)pt", done.stdout)]
    text = "".join((folder / name).read_text() for name in names)
    sizes = re.findall(rf"^  \\({'|'.join(POINTS)})$", text, re.M)
    assert len(widths) == len(sizes) > 0
    return [POINTS[size] * min(1, WIDTH / width) for size, width in zip(sizes, widths, strict=True)]


def test_every_kind_of_table_compiles(tmp_path):
    reason = {"fid": "give --weights FILE: 100 % sure & <so>, Müller-Ångström-é"}
    lost = {"scores": {"kid": -0.01, "fid": None}, "missing": reason}
    runs = [
        write_run(tmp_path / "copy", "copy"),
        *(write_run(tmp_path / f"cut{seed}", "cut", seed=seed) for seed in range(3)),
        write_run(tmp_path / "accents", "accents", algorithm="cut"),
        write_run(tmp_path / "h", "a_b", dataset="horse2zebra", **lost),
        write_run(tmp_path / "c", "cut", dataset="horse2zebra"),
    ]
    out = tmp_path / "tables"
    write_tables(out, runs)
    write_seed_tables(out, runs)
    write_overview(out, runs, False)
    assert min(compile_latex(out)) >= LEAST


@pytest.mark.parametrize("seeds", [1, 3])
def test_the_papers_tables_can_be_read(tmp_path, seeds):
    write_overview(tmp_path / "tables", write_table1(tmp_path, seeds), False)
    variants = [
        run
        for dataset, fid in (("horse2zebra", 50.0), ("cityscapes", 60.0))
        for run in write_variants(tmp_path, dataset, fid, seeds)
    ]
    write_overview(tmp_path / "tables", variants, True)
    assert min(compile_latex(tmp_path / "tables")) >= LEAST
