"""Tables as plain text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from cut.report.table import Table, one_line


def plain(table: Table) -> str:
    """Return the table with aligned columns, its caption above and below it."""
    first, *rest = map(one_line, table.caption)
    lines = [[column.label for column in table.columns]]
    lines += [[one_line(cell.text) for cell in cells] for cells in table.cells]
    widths = [max(map(len, texts)) for texts in zip(*lines, strict=True)]
    aligns = ["<" if column.align == "l" else ">" for column in table.columns]
    body = [_line(texts, aligns, widths) for texts in lines]
    return "\n".join([f"{one_line(table.title)}. {first}", *body, *rest]) + "\n"


def _line(texts: Sequence[str], aligns: Sequence[str], widths: Sequence[int]) -> str:
    cells = zip(texts, aligns, widths, strict=True)
    return "  ".join(f"{text:{align}{width}}" for text, align, width in cells).rstrip()
