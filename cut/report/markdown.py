"""Tables as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from cut.report.table import Cell, Footnotes, Table

ALIGN = {"l": "---", "c": ":---:", "r": "---:"}


def markdown(table: Table) -> str:
    """Return the table in Markdown, its caption above and its footnotes below."""
    first, *rest = table.caption
    header = [f"{column.group} {column.label}".strip() for column in table.columns]
    rule = "|" + "|".join(f" {ALIGN[column.align]} " for column in table.columns) + "|"
    body = [_line([_text(table.footnotes, cell) for cell in cells]) for cells in table.cells]
    parts = [f"**{table.title}.** {first}", "\n".join([_line(header), rule, *body])]
    parts += [f"({letter}) {text}" for letter, text in table.notes]
    parts += [" ".join(rest)] if rest else []
    return "\n\n".join(parts) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def _text(footnotes: Footnotes, cell: Cell) -> str:
    letters = ", ".join(footnotes.marks(cell))
    return f"{cell.text} ({letters})" if cell.text and letters else cell.text or letters
