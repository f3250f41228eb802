"""Writing the files of tables, and the command-line arguments of the commands that write them."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from cut.base.files import replacing
from cut.report.latex import latex
from cut.report.markdown import markdown
from cut.report.table import Table


def texts(stem: Path, tables: Sequence[Table]) -> dict[Path, str]:
    """Return the texts of `stem`.md and `stem`.tex with `tables` one below the other."""
    return {
        stem.with_name(f"{stem.name}.md"): "\n".join(map(markdown, tables)),
        stem.with_name(f"{stem.name}.tex"): "\n".join(map(latex, tables)),
    }


def to_csv(frame: pd.DataFrame) -> str:
    """Return a frame as CSV without its index."""
    return frame.to_csv(index=False, lineterminator="\n")


def write_all(files: Mapping[Path, str]) -> list[Path]:
    """Write each text to its file atomically and print its name; return the files."""
    for path, text in files.items():
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    return list(files)


def parser(name: str, words: str) -> argparse.ArgumentParser:
    """Return the parser of a command that writes tables of some runs into a folder."""
    found = argparse.ArgumentParser(prog=f"python -m cut {name}", description=words)
    found.add_argument("--out", type=Path, required=True, help="the tables' folder")
    found.add_argument("runs", type=Path, nargs="+", metavar="RUN_DIR", help="runs' folders")
    return found
