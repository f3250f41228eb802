"""Writing the files of tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cut.base.files import replacing
from cut.report.latex import latex
from cut.report.markdown import markdown
from cut.report.table import Table

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a formula begins


def texts(stem: Path, tables: Sequence[Table]) -> dict[Path, str]:
    """Return the texts of `stem`.md and `stem`.tex with `tables` one below the other."""
    return {
        stem.with_name(f"{stem.name}.md"): "\n".join(map(markdown, tables)),
        stem.with_name(f"{stem.name}.tex"): "\n".join(map(latex, tables)),
    }


def to_csv(frame: pd.DataFrame) -> str:
    """Return a frame as CSV without its index.

    A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    columns = {}
    for name, column in frame.items():
        texts = [_no_formula(value) for value in column]
        changed = any(isinstance(value, str) for value in texts)
        # Another column keeps its type, and so every digit as it was.
        columns[name] = pd.Series(texts, column.index, dtype=object) if changed else column
    return pd.DataFrame(columns).to_csv(index=False, lineterminator="\n")


def _no_formula(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value


def write_all(files: Mapping[Path, str]) -> list[Path]:
    """Write each text to its file atomically and print its name; return the files."""
    for path, text in files.items():
        with replacing(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
        print(f"wrote {path}")
    return list(files)
