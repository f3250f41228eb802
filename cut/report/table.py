"""A table before it is text: columns, one cell per row and column, and footnotes.

`cut.report.markdown`, `cut.report.latex` and the page's templates render it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any, Literal

from cut.report.site.intervals import Bar

DASH = "–"


@dataclass(frozen=True)
class Cell:
    """One cell.

    Attributes:
        text: what is shown. With notes and no text, the notes' letters are shown instead.
        sort: what the page sorts the cell by; None: no value, sorts last.
        notes: the texts of its footnotes.
        bar: a drawing that the page shows before the text.
        spoken: whether the page shows the bar alone and keeps the text for screen readers.
    """

    text: str = DASH
    sort: float | str | None = None
    notes: tuple[str, ...] = ()
    bar: Bar | None = None
    spoken: bool = False


@dataclass(frozen=True)
class Column:
    """One column, and how it makes the cell of a row.

    Attributes:
        key: identifies the column, such as a metric's name.
        label: its header.
        cell: a function of a row (whatever the table has rows of).
        group: the header above it, or "".
        align: left, centred or right.
        numeric: whether its values sort as numbers.
        descending: whether the first click on the page sorts from the largest value.
        ends: labels at both ends of the axis that its bars share, if it has bars.
    """

    key: str
    label: str
    cell: Callable[[Any], Cell]
    group: str = ""
    align: Literal["l", "c", "r"] = "r"
    numeric: bool = True
    descending: bool = False
    ends: tuple[str, str] | None = None


class Footnotes:
    """The footnotes of one table: equal texts share a letter."""

    def __init__(self) -> None:
        """Begin without any."""
        self.letters: dict[str, str] = {}

    def mark(self, text: str) -> str:
        """Return the letter of a footnote: a to z, then aa, ab and so on."""
        return self.letters.setdefault(text, _letter(len(self.letters)))

    def marks(self, cell: Cell) -> list[str]:
        """Return the letters of a cell's footnotes, in the order of the alphabet."""
        return sorted(map(self.mark, cell.notes), key=lambda letter: (len(letter), letter))


def one_line(text: str) -> str:
    """Return `text` on one line: a line break would end a row of a table. No control characters."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _letter(i: int) -> str:
    return (_letter(i // 26 - 1) if i >= 26 else "") + chr(ord("a") + i % 26)


@dataclass
class Table:
    """A table: what it shows of `rows`, and the words around it.

    Attributes:
        title: the name of the data set, or what the table is called.
        columns: its columns.
        rows: what the columns make cells of.
        caption: sentences. The first stands above the table, the others below it.
    """

    title: str
    columns: list[Column]
    rows: Sequence[Any]
    caption: list[str] = field(default_factory=list)

    @cached_property
    def cells(self) -> list[list[Cell]]:
        """Return one list of cells per row."""
        return [[column.cell(row) for column in self.columns] for row in self.rows]

    @cached_property
    def footnotes(self) -> Footnotes:
        """Return the footnotes of all cells, with letters in the order of reading."""
        found = Footnotes()
        for cells in self.cells:
            for cell in cells:
                for note in cell.notes:
                    found.mark(note)
        return found

    @property
    def notes(self) -> list[tuple[str, str]]:
        """Return (letter, text) of each footnote."""
        return [(letter, text) for text, letter in self.footnotes.letters.items()]

    @property
    def lines(self) -> Iterator[tuple[Any, list[Cell]]]:
        """Return each row with its cells."""
        return zip(self.rows, self.cells, strict=True)

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Return the headers above the columns and how many columns each spans; or none."""
        found = [(name, len(list(each))) for name, each in groupby(c.group for c in self.columns)]
        return found if any(name for name, _ in found) else []
