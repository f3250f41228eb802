"""The page's table of one data set's scores, one row per method."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from cut.metrics.catalogue import COSTS, METRICS, OPERATIONS
from cut.report.captions import caption
from cut.report.columns import (
    difference_column,
    epochs_column,
    footnote,
    measured_column,
    name_column,
    option_columns,
    published_column,
    seeds_column,
    verdict_column,
)
from cut.report.site.intervals import Axis, axis_of, bounds_of
from cut.report.table import DASH, Cell, Column, Table
from cut.report.wording import DIFFERENCE, VERDICTS, remarks_on
from cut.results.families import family_of
from cut.results.published import published_number
from cut.results.rows import Row, Series

# Scores that only the details of a run show: a printed page has no room for more columns.
IN_DETAILS = (
    "sfid",
    "mind",
    "mmd",
    "vendi",
    "memorised",
    "st_lpips_input",
    "edges",
    "st_lpips_truth",
)
OPTIONS = (
    "Id: identity term; Negs: negatives per query; Layers: of the encoder, whose features are"
    " compared; Int and Ext: negatives from the same image and from other images."
)
BARS = (
    "The bars of the intervals share one axis, whose ends are in the header; an arrow points to"
    " what lies outside of it."
)


@dataclass
class ScoreTable(Table):
    """A table of the page.

    Attributes:
        key: its id on the page.
        dataset: its data set, or "" for a table over all of them.
        absent: the scores that no run has, with the reasons.
    """

    key: str = ""
    absent: list[str] = field(default_factory=list)
    dataset: str = ""

    @staticmethod
    def family(row: Row | Series) -> str:
        """Return the family of a row's method."""
        return family_of(row if isinstance(row, Row) else row.first)


def score_table(rows: Sequence[Row], place: int = 1, ablation: bool = False) -> ScoreTable:
    """Return the table of one data set's rows, the page's `place`-th one.

    The table of an `ablation` has the options that tell CUT's variants apart.
    """
    compared = any(published_number(row.dataset, row.name, "fid") for row in rows)
    axis = axis_of(rows)
    scores, absent = _present(rows)
    columns = [
        name_column(),
        *(option_columns(rows, group="options") if ablation else []),
        measured_column("fid"),
        *([_interval_column(rows, axis)] if axis else []),
        *(_published_columns() if compared else []),
        *(_epoch_column() if name == "epoch_best" else measured_column(name) for name in scores),
        *map(measured_column, COSTS),
        epochs_column(),
        seeds_column(),
    ]
    words = caption(rows, compared=compared)
    words += [DIFFERENCE, VERDICTS] if compared else []
    words += [BARS] * (axis is not None) + [OPTIONS] * ablation
    return ScoreTable(
        rows[0].dataset, columns, rows, words, f"scores-{place}", absent, rows[0].dataset
    )


def _present(rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """Return the scores beside FID that some run has, and words on those that none has."""
    scores: list[str] = []
    absent: dict[str, list[str]] = {}
    for name, metric in METRICS.items():
        if name in ("fid", *COSTS, *OPERATIONS, *IN_DETAILS) or not (
            metric.better or name == "epoch_best"
        ):
            continue
        if any(row.values(name) for row in rows):
            scores.append(name)
        else:
            # A control lacks a score for reasons of its own; a method's reason holds for all.
            reason = min(rows, key=lambda row: row.control).first.value(name)[1]
            absent.setdefault(reason, []).append(metric.label)
    return scores, [f"{', '.join(labels)} ({reason})" for reason, labels in absent.items()]


def _published_columns() -> list[Column]:
    """Return the columns that compare the FID with the published one."""
    return [
        published_column("fid", "published FID", remarks_on),
        difference_column("fid"),
        verdict_column("fid"),
    ]


def _epoch_column() -> Column:
    """Return the column of the best epochs, one per seed. Their mean would say little."""

    def cell(row: Row) -> Cell:
        values = row.values("epoch_best")
        text = ", ".join(map(METRICS["epoch_best"].show, values)) or DASH
        return Cell(text, row.mean("epoch_best"), footnote(row, "epoch_best"))

    return Column("epoch_best", METRICS["epoch_best"].label, cell)


def _interval_column(rows: Sequence[Row], axis: Axis) -> Column:
    """Return the column of the FID's bootstrap intervals, with one whisker per seed.

    With several seeds the page shows the bars alone: the numbers would fill the table.
    """
    spoken = any(len(row.runs) > 1 for row in rows)
    show = METRICS["fid"].show

    def cell(row: Row) -> Cell:
        bounds = bounds_of(row)
        if not bounds:
            return Cell(notes=footnote(row, "fid_low"))
        text = "; ".join(f"{show(low)} to {show(high)}" for low, _, high in bounds)
        low = statistics.fmean(low for low, _, _ in bounds)
        return Cell(text, low, bar=axis.bar(bounds), spoken=spoken)

    return Column("interval", "95 % interval", cell, ends=axis.ends)
