"""What a table of the page is made of: columns, cells with what sorting needs, and footnotes."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from cut.report.dataset_tables import ARROWS, footnote, mean_and_deviation
from cut.report.site.intervals import Bar
from cut.report.table import Table
from cut.results.run import METRICS, Run, values_of


@dataclass(frozen=True)
class Column:
    """A column: its header, whether numbers stand in it, and which way the first click sorts.

    `group` is the header above it, "" for none; `ends` are those of the axis that its bars share.
    """

    key: str
    label: str
    numeric: bool = True
    descending: bool = False
    group: str = ""
    ends: tuple[str, str] | None = None


@dataclass(frozen=True)
class Cell:
    """A cell: its text, what it is sorted by (None: missing, sorts last), its footnote's letter.

    Of a cell that `hides` its text only the bar is seen; the text is there to be read aloud.
    """

    text: str
    sort: float | str | None = None
    note: str = ""
    bar: Bar | None = None
    hides: bool = False


@dataclass(frozen=True)
class Row:
    """One method: its name, what it is a row of, and a cell for each column after the name."""

    method: str
    algorithm: str
    control: bool
    cells: list[Cell]


@dataclass
class ScoreTable:
    """A table of the page. `name` is its heading, `key` its id; `absent` says which scores no run
    has, and why.
    """

    name: str
    key: str
    columns: list[Column] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)  # (letter, reason)
    caption: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    @property
    def groups(self) -> list[tuple[str, int]]:
        """Return the headers above the columns with their widths, or none where all are ""."""
        found: list[tuple[str, int]] = []
        for column in self.columns:
            if found and found[-1][0] == column.group:
                found[-1] = (column.group, found[-1][1] + 1)
            else:
                found.append((column.group, 1))
        return found if any(name for name, _ in found) else []


def metric_column(metric: str, group: str = "") -> Column:
    """Return the column of a metric, with an arrow to its better side."""
    shown = METRICS[metric]
    label = shown.label + ARROWS[shown.better]
    return Column(metric, label, descending=shown.better == "higher", group=group)


def measured(notes: Table, row: Sequence[Run], metric: str) -> Cell:
    """Return the mean (and deviation over seeds), or a dash with its reason."""
    numbers = values_of(row, metric)
    why = footnote(row, metric)
    text = mean_and_deviation(numbers, metric)
    if metric == "epoch_best" and numbers:  # of epochs a mean says little
        text = ", ".join(map(METRICS[metric].show, numbers))
    sort = statistics.fmean(numbers) if numbers else None
    return Cell(text, sort, notes.mark(why) if why else "")
