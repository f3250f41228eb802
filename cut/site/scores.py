"""The tables of scores: one a data set, a row a method, with what sorting and tooltips need."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cut.captions import caption
from cut.published import DIFFERENCE, compare, published_entry
from cut.results import METRICS, Run, present, values_of
from cut.tables import ARROWS, Table, footnote, in_rows, mean_and_deviation

COSTS = ("seconds_per_iteration", "peak_memory_gb")


@dataclass(frozen=True)
class Column:
    """A column: its header, whether numbers stand in it, and which way the first click sorts."""

    key: str
    label: str
    numeric: bool = True
    descending: bool = False


@dataclass(frozen=True)
class Bar:
    """What is drawn beside an interval, in percent of the widest one: whiskers and points."""

    whiskers: list[tuple[float, float]]
    points: list[float]


@dataclass(frozen=True)
class Cell:
    """A cell: its text, what it is sorted by (None: missing, sorts last), its footnote's letter."""

    text: str
    sort: float | str | None = None
    note: str = ""
    bar: Bar | None = None


@dataclass(frozen=True)
class Row:
    """One method: its name, the control's name or "", and a cell for each column after the name."""

    method: str
    algorithm: str
    control: bool
    cells: list[Cell]


@dataclass
class ScoreTable:
    """The table of one data set."""

    dataset: str
    columns: list[Column] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)  # (letter, reason)
    caption: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)  # scores that no run has, and why


def score_table(dataset: str, runs: Sequence[Run]) -> ScoreTable:
    """Return the table of the runs of one data set, in the order of `cut.tables`."""
    rows = in_rows(runs)
    entries = {row[0].facts["method"]: published_entry(dataset, row[0].facts["method"], "fid")
               for row in rows}  # fmt: skip
    notes = Table(dataset, [])
    scores, absent = _present(runs)
    table = ScoreTable(dataset, _columns(runs, scores, any(entries.values())), absent=absent)
    top = max((*values_of(runs, "fid"), *values_of(runs, "fid_high")), default=0.0)
    for row in rows:
        facts = row[0].facts
        cells = _cells(notes, table.columns[1:], row, entries[facts["method"]], top)
        table.rows.append(Row(facts["method"], facts["algorithm"], row[0].control, cells))
    table.notes = [(letter, reason) for reason, letter in notes.notes.items()]
    table.caption = caption(dataset, runs, entries)
    table.caption += [DIFFERENCE] if any(entries.values()) else []
    return table


def _cells(
    notes: Table,
    columns: Sequence[Column],
    row: Sequence[Run],
    entry: Mapping[str, Any] | None,
    top: float,
) -> list[Cell]:
    """Return a row's cells, made in the order of the columns: footnotes get letters in it."""
    beside = _beside(row, entry)
    cells = []
    for column in columns:
        if column.key in beside:
            text, sort, reason = beside[column.key]
            cells.append(Cell(text, sort, notes.mark(reason) if reason else ""))
        elif column.key == "interval":
            cells.append(_interval(notes, row, top))
        elif column.key == "epochs":
            cells.append(_epochs(notes, row))
        elif column.key == "seeds":
            cells.append(Cell(str(len(row)), float(len(row))))
        else:
            cells.append(_cell(notes, row, column.key))
    return cells


def _present(runs: Sequence[Run]) -> tuple[list[str], list[str]]:
    """Return the scores beside FID that some run has, and words on those that none has."""
    scores: list[str] = []
    absent: dict[str, list[str]] = {}
    for name, metric in METRICS.items():
        if name in ("fid", *COSTS) or not (metric.better or name == "epoch_best"):
            continue
        found = [run.value(name) for run in runs]
        if any(value is not None for value, _ in found):
            scores.append(name)
        else:
            # A control says why it has none of its own; a method says why nobody has.
            methods = [f for f, run in zip(found, runs, strict=True) if not run.control]
            absent.setdefault((methods or found)[0][1], []).append(metric.label)
    return scores, [f"{', '.join(labels)} ({why})" for why, labels in absent.items()]


def _columns(runs: Sequence[Run], scores: Sequence[str], published: bool) -> list[Column]:
    def of(metric: str) -> Column:
        shown = METRICS[metric]
        return Column(metric, shown.label + ARROWS[shown.better],
                      descending=shown.better == "higher")  # fmt: skip

    columns = [Column("method", "method", numeric=False), of("fid")]
    if present(runs, ["fid_low"]):
        columns.append(Column("interval", "95 % interval"))
    if published:
        columns += [Column("published", "published FID"), Column("difference", "difference"),
                    Column("verdict", "verdict", numeric=False)]  # fmt: skip
    columns += [of(name) for name in (*scores, *COSTS)]
    return [*columns, Column("epochs", "epochs"), Column("seeds", "seeds")]


def _cell(notes: Table, row: Sequence[Run], metric: str) -> Cell:
    """Return the mean (and deviation over seeds), or a dash with its reason."""
    numbers = values_of(row, metric)
    why = footnote(row, metric)
    note = notes.mark(why) if why else ""
    text = mean_and_deviation(numbers, metric)
    if metric == "epoch_best" and numbers:  # of epochs a mean says little
        text = ", ".join(map(METRICS[metric].show, numbers))
    return Cell(text, statistics.fmean(numbers) if numbers else None, note)


def _interval(notes: Table, row: Sequence[Run], top: float) -> Cell:
    """Return the bootstrap interval of a row's FID; of several seeds, each one's as a whisker."""
    bounds = [[run.value(name)[0] for name in ("fid_low", "fid", "fid_high")] for run in row]
    known = [b for b in bounds if None not in b]
    if not known:
        return Cell("–", None, notes.mark(row[0].value("fid_low")[1]))
    percent = [[round(100 * value / top, 1) for value in b] for b in known]
    bar = Bar([(low, high) for low, _, high in percent], [fid for _, fid, _ in percent])
    if len(row) > 1:
        reason = "an interval a seed belongs to one training: see the records and scores.csv"
        return Cell("–", None, notes.mark(reason), bar)
    low, _, high = known[0]
    show = METRICS["fid"].show
    return Cell(f"{show(low)} to {show(high)}", low, "", bar)


def _beside(
    row: Sequence[Run], entry: Mapping[str, Any] | None
) -> dict[str, tuple[str, float | str | None, str]]:
    """Return (text, sort, reason) of the published FID, measured minus published, the verdict."""
    names = ("published", "difference", "verdict")
    if entry is None:
        return dict.fromkeys(names, ("–", None, "no published number"))
    beside = (METRICS["fid"].show(entry["value"]), entry["value"], entry.get("remark", ""))
    values = values_of(row, "fid")
    if not values:
        none = ("–", None, row[0].value("fid")[1])
        return dict(zip(names, (beside, none, none), strict=True))
    found = compare(row[0], values, entry)
    signed = (found.signed, found.difference, "")
    words = (found.verdict, found.verdict, "; ".join(found.reasons))
    return dict(zip(names, (beside, signed, words), strict=True))


def _epochs(notes: Table, row: Sequence[Run]) -> Cell:
    facts = row[0].facts
    if not facts["iterations"]:
        return Cell("–", None, notes.mark(row[0].value("images")[1]))
    return Cell(str(facts["epochs"]), float(facts["epochs"]))
