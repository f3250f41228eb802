"""Tables as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from cut.report.table import Cell, Footnotes, Table, one_line

# What would begin a link, an element of HTML or code: a record may hold any text.
SPECIAL = {"<": "&lt;", "](": r"]\(", "`": r"\`"}
ALIGN = {"l": "---", "c": ":---:", "r": "---:"}


def escape(text: str) -> str:
    """Return `text` for Markdown: on one line, without links, elements of HTML and code."""
    for special, instead in SPECIAL.items():
        text = text.replace(special, instead)
    return one_line(text)


def markdown(table: Table) -> str:
    """Return the table in Markdown, its caption above and its footnotes below."""
    first, *rest = table.caption
    header = [escape(f"{column.group} {column.label}") for column in table.columns]
    rule = "|" + "|".join(f" {ALIGN[column.align]} " for column in table.columns) + "|"
    body = [_line([_text(table.footnotes, cell) for cell in cells]) for cells in table.cells]
    parts = [f"**{escape(table.title)}.** {escape(first)}", "\n".join([_line(header), rule, *body])]
    parts += [f"({letter}) {escape(text)}" for letter, text in table.notes]
    parts += [escape(" ".join(rest))] if rest else []
    return "\n\n".join(parts) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _text(footnotes: Footnotes, cell: Cell) -> str:
    letters = ", ".join(footnotes.marks(cell))
    text = escape(cell.text)
    return f"{text} ({letters})" if text and letters else text or letters
