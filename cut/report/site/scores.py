"""The table of one data set's scores: a row a method, with what sorting and tooltips need."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from cut.metrics.catalogue import COSTS
from cut.report.captions import caption
from cut.report.dataset_tables import in_rows
from cut.report.site.cells import Cell, Column, Row, ScoreTable, measured, metric_column
from cut.report.site.intervals import Axis, axis_of, bounds_of
from cut.report.site.overview import OPTIONS, option_cells
from cut.report.table import Table
from cut.results.published import DIFFERENCE, VERDICTS, compare, published_entry
from cut.results.run import METRICS, Run, values_of

BARS = (
    "The bars of the intervals share one axis, whose ends stand in its header; an arrow leads to"
    " what lies off it."
)


def score_table(
    dataset: str, runs: Sequence[Run], place: int = 1, ablation: bool = False
) -> ScoreTable:
    """Return the table of the runs of one data set, the page's `place`-th one, in the order of
    `cut.report.dataset_tables`; of an `ablation` with the options that tell CUT's variants apart.
    """
    rows = in_rows(runs)
    entries = {row[0].facts["method"]: published_entry(dataset, row[0].facts["method"], "fid")
               for row in rows}  # fmt: skip
    notes = Table(dataset, [])
    scores, absent = _present(runs)
    axis = axis_of(rows)
    brief = any(len(row) > 1 for row in rows)  # numbers of several seeds would fill the table
    options, variants = option_cells(rows) if ablation else ([], {})
    columns = _columns(scores, any(entries.values()), axis)
    table = ScoreTable(dataset, f"scores-{place}", absent=absent)
    table.columns = [columns[0], *options, *columns[1:]]
    for row in rows:
        facts = row[0].facts
        cells = _cells(notes, columns[1:], row, entries[facts["method"]], axis, brief)
        cells = [*variants.get(facts["method"], []), *cells]
        table.rows.append(Row(facts["method"], facts["algorithm"], row[0].control, cells))
    table.notes = [(letter, reason) for reason, letter in notes.notes.items()]
    table.caption = caption(dataset, runs, entries)
    table.caption += [DIFFERENCE, VERDICTS] if any(entries.values()) else []
    table.caption += [BARS] * (axis is not None) + [OPTIONS] * ablation
    return table


def _cells(
    notes: Table,
    columns: Sequence[Column],
    row: Sequence[Run],
    entry: Mapping[str, Any] | None,
    axis: Axis | None,
    brief: bool,
) -> list[Cell]:
    """Return a row's cells, made in the order of the columns: footnotes get letters in it."""
    beside = _beside(row, entry)
    cells = []
    for column in columns:
        if column.key in beside:
            text, sort, reason = beside[column.key]
            cells.append(Cell(text, sort, notes.mark(reason) if reason else ""))
        elif column.key == "interval":
            cells.append(_interval(notes, row, axis, brief))
        elif column.key == "epochs":
            cells.append(_epochs(notes, row))
        elif column.key == "seeds":
            cells.append(Cell(str(len(row)), float(len(row))))
        else:
            cells.append(measured(notes, row, column.key))
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


def _columns(scores: Sequence[str], published: bool, axis: Axis | None) -> list[Column]:
    columns = [Column("method", "method", numeric=False), metric_column("fid")]
    if axis:
        columns.append(Column("interval", "95 % interval", ends=axis.ends))
    if published:
        columns += [Column("published", "published FID"), Column("difference", "difference"),
                    Column("verdict", "verdict", numeric=False)]  # fmt: skip
    columns += [metric_column(name) for name in (*scores, *COSTS)]
    return [*columns, Column("epochs", "epochs"), Column("seeds", "seeds")]


def _interval(notes: Table, row: Sequence[Run], axis: Axis, brief: bool) -> Cell:
    """Return the bootstrap interval of a row's FID; of several seeds, a whisker each. In `brief`
    the numbers are only read aloud.
    """
    known = bounds_of(row)
    if not known:
        return Cell("–", None, notes.mark(row[0].value("fid_low")[1]))
    show = METRICS["fid"].show
    text = "; ".join(f"{show(low)} to {show(high)}" for low, _, high in known)
    low = statistics.fmean(low for low, _, _ in known)
    return Cell(text, low, bar=axis.bar(known), hides=brief)


def _beside(
    row: Sequence[Run], entry: Mapping[str, Any] | None
) -> dict[str, tuple[str, float | str | None, str]]:
    """Return (text, sort, reason) of the published FID, measured minus published, the verdict."""
    names = ("published", "difference", "verdict")
    if entry is None:
        return dict.fromkeys(names, ("–", None, ""))
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
