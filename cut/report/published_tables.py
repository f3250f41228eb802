"""Measured numbers against published ones: difference and verdict, as a table and as a tidy CSV."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any

import pandas as pd

from cut.report.captions import sources
from cut.report.dataset_tables import footnote, in_rows, mean_and_deviation, name_of
from cut.report.table import Cell, Table
from cut.results.ablation import variants_of
from cut.results.published import DIFFERENCE, VERDICTS, Comparison, compare, published_entry
from cut.results.run import METRICS, Run, by_dataset, values_of

PAGE = 40  # rows of a table that fill a page


def against(title: str, runs: Sequence[Run], metrics: Sequence[str]) -> list[Table]:
    """Return the table of what has a published number; one a data set where it fills a page.

    A row is a data set's score of a row of `title`'s table. Costs are left out: they belong to the
    machine that they were measured on.
    """
    title += ", measured against published"
    whole = _table(title, by_dataset(runs), metrics)
    if len(whole.rows) > PAGE:
        parts = [_table(f"{title}: {name}", {name: mine}, metrics)
                 for name, mine in by_dataset(runs).items()]  # fmt: skip
        return [part for part in parts if part.rows]
    return [whole] if whole.rows else []


def _table(title: str, datasets: dict[str, list[Run]], metrics: Sequence[str]) -> Table:
    header = ["data set", "score", "row", "measured", "published", "difference", "verdict", "why"]
    table = Table(title, header, align="lllrrrll")
    entries = []
    for dataset, mine in datasets.items():
        for metric in metrics:
            for row in in_rows(mine):
                entry = published_entry(dataset, row[0].facts["method"], metric)
                if entry is None:
                    continue
                entries.append((row[0].facts["method"], entry))
                head = [dataset, METRICS[metric].label, name_of(row)]
                table.rows.append([*map(Cell, head), *_beside(table, row, metric, entry)])
    table.caption = [DIFFERENCE, VERDICTS, *sources(entries, "Published numbers")]
    return table


def _beside(table: Table, row: Sequence[Run], metric: str, entry: dict[str, Any]) -> list[Cell]:
    """Return the cells of a measured and a published score: both, difference, verdict, why."""
    values = values_of(row, metric)
    shown = Cell(mean_and_deviation(values, metric))
    published = Cell(METRICS[metric].show(entry["value"]))
    if not values:
        why = Cell(table.mark(footnote(row, metric)))
        return [shown, published, Cell("–"), Cell("not measured"), why]
    found = compare(row[0], values, entry)
    # Each reason is a note of its own: rows share most of theirs.
    letters = ", ".join(sorted(map(table.mark, found.reasons), key=lambda c: (len(c), c)))
    return [shown, published, Cell(found.signed), Cell(found.verdict), Cell(letters or "–")]


# -- tidy ----------------------------------------------------------------------------------------


def tidy(runs: Sequence[Run], ablation: bool) -> pd.DataFrame:
    """Return a line for each row, data set and metric that was measured or published.

    Columns: row, dataset; with `ablation` what tells CUT's variants apart (`ablation`); metric,
    unit; mean, sd (the sample's) and number of seeds with a value; published, difference (mean
    minus published), verdict, reasons (what keeps the two from comparison), remark (what else is
    known of the published number), missing (why there is no value, or which seeds have none).
    Numbers are in full and in `unit`: shares of 1 where tables show percent.
    """
    # As objects: a column of counts with gaps would become one of floats.
    return pd.DataFrame(_lines(runs, ablation), dtype=object)


def _lines(runs: Sequence[Run], ablation: bool) -> Iterator[dict[str, Any]]:
    variants = variants_of(in_rows(runs)) if ablation else {}
    # A control is no variant: nothing stands in its columns.
    names = dict.fromkeys(name for variant in variants.values() for name in variant)
    for dataset, mine in by_dataset(runs).items():
        for row in in_rows(mine):
            method = row[0].facts["method"]
            head = {"row": method, "dataset": dataset, **names, **variants.get(method, {})}
            for metric in METRICS:
                entry = published_entry(dataset, method, metric)
                values = values_of(row, metric)
                if values or entry:
                    yield head | _line(row, metric, values, entry)


def _line(
    row: Sequence[Run], metric: str, values: Sequence[float], entry: dict[str, Any] | None
) -> dict[str, Any]:
    found: Comparison | None = compare(row[0], values, entry) if values and entry else None
    shown = METRICS[metric]
    return {
        "metric": metric,
        "unit": shown.unit if shown.scale == 1 else "",
        "mean": statistics.fmean(values) if values else None,
        "sd": statistics.stdev(values) if len(values) > 1 else None,
        "seeds": len(values),
        "published": entry["value"] if entry else None,
        "difference": found.difference if found else None,
        "verdict": found.verdict if found else "",
        "reasons": "; ".join(found.reasons) if found else "",
        "remark": entry.get("remark", "") if entry else "",
        "missing": footnote(row, metric),
    }
