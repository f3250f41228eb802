"""Tables as LaTeX floats.

A table is set in 9 pt, a long one in 8 pt. LaTeX scales a table that is wider than the text down to
its width. The packages booktabs, amssymb and graphicx are needed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from cut.report.table import Cell, Footnotes, Table, one_line

SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "–": "--",
    "−": "$-$",
    "↓": r"$\downarrow$",
    "↑": r"$\uparrow$",
    "✓": r"$\checkmark$",
    "✗": r"$\times$",
    "×": r"$\times$",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
MINUS = re.compile(r"(?<![\w)\]-])-(?=\.?\d)")
LONG = 36  # rows: a longer table would fill a page in 9 pt
HEAD = r"""% needs \usepackage{booktabs,amssymb,graphicx}
% Words in another script than Latin need XeLaTeX or LuaLaTeX, and a font that has it.
\begin{table*}
  \centering
  \setlength{\belowcaptionskip}{6pt}
  \setlength{\tabcolsep}{3pt}"""


def escape(text: str) -> str:
    """Return `text` for LaTeX: on one line, special characters escaped, minus signs and two hyphens
    kept.
    """
    parts = [SPECIAL.get(c, c) for c in MINUS.sub("−", one_line(text))]
    # LaTeX prints two hyphens in a row as a dash, so something must stand between them.
    apart = ["-{}" if pair == ("-", "-") else pair[0] for pair in pairwise([*parts, ""])]
    return "".join(apart)


def latex(table: Table) -> str:
    """Return the table as a LaTeX float over the page's width, its notes below it."""
    first, *rest = table.caption
    notes = [rf"\textsuperscript{{{letter}}} {escape(text)}." for letter, text in table.notes]
    below = [" ".join(notes)] * bool(notes) + [escape(" ".join(rest))] * bool(rest)
    lines = [
        HEAD,
        rf"  \caption{{{escape(table.title)}. {escape(first)}}}",
        rf"  \label{{tab:{''.join(c if c.isalnum() else '-' for c in table.title)}}}",
        rf"  \{'footnotesize' if len(table.rows) > LONG else 'small'}",
        "  % Scaled down where it is wider than the text.",
        r"  \resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"  \begin{{tabular}}{{{''.join(column.align for column in table.columns)}}}",
        r"    \toprule",
        *_groups(table),
        _line([escape(column.label) for column in table.columns]),
        r"    \midrule",
        *(_line([_cell(table.footnotes, cell) for cell in cells]) for cells in table.cells),
        r"    \bottomrule",
        r"  \end{tabular}}",
        r"  \par\medskip",
        r"  \begin{minipage}{\linewidth}\scriptsize\raggedright",
        *(f"    {text}\\par" for text in below),
        r"  \end{minipage}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "    " + " & ".join(cells) + r" \\"


def _cell(footnotes: Footnotes, cell: Cell) -> str:
    letters = ", ".join(footnotes.marks(cell))
    mark = rf"\textsuperscript{{{letters}}}" if letters else ""
    return escape(cell.text) + mark if cell.text else letters


def _groups(table: Table) -> list[str]:
    """Return the line of the groups' names with a rule below each; no lines without groups."""
    if not table.groups:
        return []
    cells, rules, start = [], [], 1
    for name, count in table.groups:
        cells.append(rf"\multicolumn{{{count}}}{{c}}{{{escape(name)}}}")
        rules += [rf"\cmidrule(lr){{{start}-{start + count - 1}}}"] if name else []
        start += count
    return [_line(cells), f"    {' '.join(rules)}"]
