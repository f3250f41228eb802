"""The table over all data sets, as papers print it, and the options of an ablation's rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cut.base.errors import UserError
from cut.report.dataset_tables import in_rows
from cut.report.site.cells import Cell, Column, Row, ScoreTable, measured, metric_column
from cut.report.table import Table
from cut.results.ablation import variant_columns
from cut.results.published import compare, differences, published_entry
from cut.results.run import METRICS, Run, by_dataset, values_of

OPTIONS = (
    "Id: the identity term; Negs: negatives a query; Layers: of the encoder, whose features are"
    " compared; Int and Ext: negatives from the same image and from others."
)
STANDS_ON = (
    "What these numbers stand on, and what keeps some from comparison, is said under each data"
    " set's own table."
)


def option_cells(rows: Sequence[Sequence[Run]]) -> tuple[list[Column], dict[str, list[Cell]]]:
    """Return the columns of the options that tell CUT's variants apart, and each row's cells.

    Raises:
        UserError: no row is a variant of CUT.
    """
    names, variants = variant_columns(rows)
    if not variants:
        raise UserError("none of these runs is a variant of CUT; an ablation's table needs one")
    columns = [Column(name, name, numeric=name == "Negs", group="options") for name in names]
    none = [Cell("–")] * len(names)
    cells = {row[0].facts["method"]: none for row in rows}
    for method, texts in variants.items():
        cells[method] = [Cell(text, _order(name, text))
                         for name, text in zip(names, texts, strict=True)]  # fmt: skip
    return columns, cells


def _order(name: str, text: str) -> float | str | None:
    """Return what a cell of the options is sorted by: negatives by their number."""
    if name == "Negs":
        return float(sum(map(int, re.findall(r"\d+", text))))
    return None if text == "–" else text


def overview_table(runs: Sequence[Run], ablation: bool = False) -> ScoreTable:
    """Return one row a method: for each data set the FID, the published one and the verdict, and
    of label maps the mIoU.

    Raises:
        UserError: an ablation without a variant of CUT.
    """
    rows = in_rows(runs)
    options, variants = option_cells(rows) if ablation else ([], {})
    table = ScoreTable("Ablation" if ablation else "All data sets", "overview")
    table.columns = [Column("method", "method", numeric=False), *options]
    notes = Table(table.name, [])
    cells = [list(variants.get(row[0].facts["method"], [])) for row in rows]
    for dataset in by_dataset(runs):
        mine = [[run for run in row if run.facts["dataset"] == dataset] for row in rows]
        for metric in ("fid", "miou"):
            if metric == "fid" or any(values_of(row, metric) for row in mine):
                _add(table, cells, notes, dataset, mine, metric)
    for row, line in zip(rows, cells, strict=True):
        facts = row[0].facts
        table.rows.append(Row(facts["method"], facts["algorithm"], row[0].control, line))
    table.notes = [(letter, reason) for reason, letter in notes.notes.items()]
    spread = " (mean ± standard deviation over seeds)" * (len({r.facts["seed"] for r in runs}) > 1)
    table.caption = [f"Scores after the last epoch{spread}, beside the published ones.", STANDS_ON]
    table.caption += [OPTIONS] * ablation
    return table


def _add(
    table: ScoreTable,
    cells: Sequence[list[Cell]],
    notes: Table,
    dataset: str,
    rows: Sequence[Sequence[Run]],
    metric: str,
) -> None:
    """Append a score's columns of one data set; a row may have no run on it."""
    entries = [published_entry(dataset, row[0].facts["method"], metric) if row else None
               for row in rows]  # fmt: skip
    known = any(entries)
    judged = known and metric == "fid"
    table.columns.append(metric_column(metric, dataset))
    table.columns += [Column("published", "published", group=dataset)] * known
    table.columns += [Column("verdict", "verdict", numeric=False, group=dataset)] * judged
    shared = [] if judged or not known else _shared_reasons(rows, entries)
    for line, row, entry in zip(cells, rows, entries, strict=True):
        line.append(measured(notes, row, metric) if row else Cell("–"))
        if not known:
            continue
        if entry is None:
            line += [Cell("–")] * (1 + judged)
            continue
        words = [*shared, *([entry["remark"]] if "remark" in entry else [])]
        mark = notes.mark("; ".join(words)) if words else ""
        line.append(Cell(METRICS[metric].show(entry["value"]), entry["value"], mark))
        if judged:
            values = values_of(row, "fid")
            verdict = compare(row[0], values, entry).verdict if values else None
            line.append(Cell(verdict or "–", verdict))


def _shared_reasons(
    rows: Sequence[Sequence[Run]], entries: Sequence[dict[str, Any] | None]
) -> list[str]:
    """Return what keeps every row of a score from comparison, said of it where no verdict is."""
    found = [differences(row[0], entry) for row, entry in zip(rows, entries, strict=True) if entry]
    return [reason for reason in found[0] if all(reason in reasons for reasons in found)]
