"""A table before it is text, and its two texts: Markdown and LaTeX.

LaTeX is made for a page whose text is 6.9 in wide, in a class of 10 pt: a table gets the largest
type, from 9 to 7 pt, in which its columns fit by a count of characters. It needs the packages
booktabs, amssymb and graphicx.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise

LATEX = {
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
    **{c: f"\\{c}" for c in "&%$#_{}"},
}
MINUS = re.compile(r"(?<![\w)\]-])-(?=\.?\d)")
TEXT_WIDTH = 498.0  # points: 6.9 in
# The width of a digit in points in each size of type, and that of other characters in digits.
SIZES = {"small": 4.63, "footnotesize": 4.25, "scriptsize": 3.99}
NARROW = dict.fromkeys(" .,;:'ijl()|!", 0.67)
WIDE = dict.fromkeys("mwMW±%✓✗×", 1.7) | dict.fromkeys("ABCDEFGHIKLNOPQRSTUVXYZ", 1.4)
SEPARATION = 3.0  # points on either side of a column
LONG = 36  # rows above which the largest size would fill a page
ALIGN = {"l": "---", "c": ":---:", "r": "---:"}
HEAD = r"""% needs \usepackage{booktabs,amssymb,graphicx}; made for a text width of 6.9 in
% Words in another script than Latin need XeLaTeX or LuaLaTeX, and a font that has it.
\begin{table*}
  \centering
  \setlength{\belowcaptionskip}{6pt}
  \setlength{\tabcolsep}{3pt}"""


@dataclass(frozen=True)
class Cell:
    """What stands in a table's cell, and the letter of its footnote or ""."""

    text: str
    mark: str = ""


@dataclass
class Table:
    """A table before it is written in one format or another.

    Attributes:
        dataset: what it is called: of a table of one data set, its name.
        header: the columns' labels.
        notes: the footnotes, as {reason: letter}.
        caption: sentences; the first stands above the table, the others are notes below.
        groups: for each column what stands above its label and its neighbours', or ""; or none.
        align: a letter (l, c, r) a column; as "" the first left and the others right.
    """

    dataset: str
    header: list[str]
    rows: list[list[Cell]] = field(default_factory=list)
    notes: dict[str, str] = field(default_factory=dict)
    caption: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)
    align: str = ""

    def mark(self, reason: str) -> str:
        """Return the letter of a footnote, the same one for the same words."""
        return self.notes.setdefault(reason, _letter(len(self.notes)))

    @property
    def columns(self) -> str:
        """Return the columns' letters."""
        return self.align or "l" + "r" * (len(self.header) - 1)


def _letter(i: int) -> str:
    return (_letter(i // 26 - 1) if i >= 26 else "") + chr(ord("a") + i % 26)


def markdown(table: Table) -> str:
    """Return the table in Markdown, its caption above and its footnotes below."""

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"

    head, *rest = table.caption
    groups = table.groups or [""] * len(table.header)
    header = [f"{group} {name}".strip() for group, name in zip(groups, table.header, strict=True)]
    body = [line([c.text + (f" ({c.mark})" if c.mark else "") for c in row]) for row in table.rows]
    rule = "|" + "|".join(f" {ALIGN[letter]} " for letter in table.columns) + "|"
    parts = [[f"**{table.dataset}.** {head}"], [line(header), rule, *body]]
    parts += [[f"({letter}) {reason}"] for reason, letter in table.notes.items()]
    if rest:
        parts.append([" ".join(rest)])
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


# -- LaTeX ---------------------------------------------------------------------------------------


def escape(text: str) -> str:
    """Return `text` for LaTeX: its special characters escaped, a minus and two hyphens as such."""
    parts = [LATEX.get(c, c) for c in MINUS.sub("−", text)]
    # Two hyphens in a row would print as a dash, so something stands between them.
    apart = ["-{}" if pair == ("-", "-") else pair[0] for pair in pairwise([*parts, ""])]
    return "".join(apart)


def _runs(groups: Sequence[str]) -> list[tuple[str, int, int]]:
    """Return (name, first column, last column) of neighbours in one group, counted from 1."""
    found, start = [], 1
    for name, columns in groupby(groups):
        end = start + len(list(columns)) - 1
        found.append((name, start, end))
        start = end + 1
    return found


def _digits(text: str) -> float:
    """Return about how wide a text is, in digits."""
    return sum(NARROW.get(c) or WIDE.get(c, 1.0) for c in text)


def width(table: Table, digit: float) -> float:
    """Return about how wide the table is, in points, where a digit is `digit` points wide."""

    def cell(c: Cell) -> float:
        return _digits(c.text) + 0.7 * _digits(c.mark)

    columns = zip(table.header, *table.rows, strict=True)
    counts = [max(_digits(name), *map(cell, cells)) for name, *cells in columns]
    widths = [digit * count + 2 * SEPARATION for count in counts]
    runs = _runs(table.groups) if table.groups else [("", 1, len(widths))]
    # A group's name may be wider than what stands below it.
    return sum(
        max(sum(widths[first - 1 : last]), digit * _digits(name) + 2 * SEPARATION)
        for name, first, last in runs
    )


def fitting(table: Table) -> str | None:
    """Return the largest size of type in which the table is no wider than the text, or None."""
    for size, digit in SIZES.items():
        if width(table, digit) <= TEXT_WIDTH and not (size == "small" and len(table.rows) > LONG):
            return size
    return None


def _group_lines(table: Table) -> list[str]:
    """Return the line of the groups' names with a rule below each; no lines without groups."""
    if not table.groups:
        return []
    runs = _runs(table.groups)
    cells = [
        rf"\multicolumn{{{last - first + 1}}}{{c}}{{{escape(name)}}}" if name else
        "& " * (last - first) for name, first, last in runs
    ]  # fmt: skip
    rules = [rf"\cmidrule(lr){{{first}-{last}}}" for name, first, last in runs if name]
    return [f"    {' & '.join(cells)} \\\\", f"    {' '.join(rules)}"]


def latex(table: Table) -> str:
    """Return the table as a LaTeX float over the page's width, its notes below it."""

    def line(cells: Sequence[str]) -> str:
        return "    " + " & ".join(cells) + r" \\"

    def cell(c: Cell) -> str:
        return escape(c.text) + (rf"\textsuperscript{{{c.mark}}}" if c.mark else "")

    head, *rest = table.caption
    notes = [rf"\textsuperscript{{{letter}}} {escape(why)}." for why, letter in table.notes.items()]
    below = [" ".join(notes)] * bool(notes) + [escape(" ".join(rest))] * bool(rest)
    lines = [
        HEAD,
        rf"  \caption{{{escape(table.dataset)}. {escape(head)}}}",
        rf"  \label{{tab:{''.join(c if c.isalnum() else '-' for c in table.dataset)}}}",
        rf"  \{fitting(table) or 'scriptsize'}",
        "  % It stays as it is, but where the page is narrower.",
        r"  \resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"  \begin{{tabular}}{{{table.columns}}}",
        r"    \toprule",
        *_group_lines(table),
        line([escape(name) for name in table.header]),
        r"    \midrule",
        *(line([cell(c) for c in row]) for row in table.rows),
        r"    \bottomrule",
        r"  \end{tabular}}",
        r"  \par\medskip",
        r"  \begin{minipage}{\linewidth}\scriptsize\raggedright",
        *(f"    {text}\\par" for text in below),
        r"  \end{minipage}",
        r"\end{table*}",
    ]
    return "\n".join(lines) + "\n"
