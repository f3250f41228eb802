"""Tables of one data set: measured scores with the published FID beside them.

`write_tables` writes `scores.csv` with one value per row, in the units of the metric catalogue. For
each data set it writes `NAME.md`, `.tex` and `.csv` with one method per row in the order given (the
floor first, the ceiling last); in `NAME-scores.md` and `.tex` the other scores and the costs; and
in `NAME-ranks.md` and `.tex` in which share of draws a row is better than another.
The same runs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cut.metrics.catalogue import COSTS, HEADLINE, METRICS, OPERATIONS, OTHERS
from cut.report.captions import caption, cost_caption
from cut.report.columns import (
    epochs_column,
    measured_column,
    name_column,
    published_column,
    seeds_column,
    spread_cell,
)
from cut.report.files import texts, to_csv, write_all
from cut.report.rank_tables import rank_tables_or_reason
from cut.report.scores_csv import scores_frame
from cut.report.table import Cell, Column, Table
from cut.report.wording import also_published
from cut.results.protocol import load_comparable
from cut.results.published import published_number
from cut.results.rows import Row, by_dataset, present, rows_of
from cut.results.seed_deviation import SeedDeviations

# The other scores that any run has. FID extrapolated needs thousands of images.
UNUSUAL = {"labels", "training", "network"}
USUAL = tuple(
    m for m in OTHERS if m not in ("fid_infinity", "sfid") and not UNUSUAL & {*METRICS[m].needs}
)
PUBLISHED = ("fid", "seconds_per_iteration", "peak_memory_gb")
OWN_INTERVALS = "each seed has an interval of its own: see scores.csv"


def shown_metrics(rows: Sequence[Row]) -> list[str]:
    """Return the metrics with a column.

    Scores that need true counterparts or generators kept along the way have one where some row has
    a value.
    """
    optional = [metric for metric in HEADLINE if METRICS[metric].needs]
    found = present(rows, optional)
    return [metric for metric in HEADLINE if metric not in optional or metric in found]


def dataset_table(rows: Sequence[Row]) -> Table:
    """Return the table of one data set's rows."""
    metrics = shown_metrics(rows)
    interval = bool(present(rows, ["fid_low"]))
    compared = any(published_number(row.dataset, row.name, "fid") for row in rows)
    fid, *others = (measured_column(metric, at_epoch=metric == "fid_best") for metric in metrics)
    columns = [
        name_column(),
        fid,
        *([Column("interval", "95 % interval", _interval)] if interval else []),
        *([published_column("fid", "FID published", also_published)] if compared else []),
        *others,
        epochs_column(),
        seeds_column(),
    ]
    shown = [*metrics, "fid_low"] if interval else metrics
    return Table(rows[0].dataset, columns, rows, caption(rows, shown, compared=compared))


def _interval(row: Row) -> Cell:
    """Return the bootstrap interval of a row's FID. It belongs to one training."""
    if len(row.runs) > 1:
        return Cell(notes=(OWN_INTERVALS,))
    (low, reason), (high, _) = (row.first.value(name) for name in ("fid_low", "fid_high"))
    if low is None or high is None:
        return Cell(notes=(reason,))
    show = METRICS["fid"].show
    return Cell(f"{show(low)} to {show(high)}", low)


def other_scores_table(rows: Sequence[Row]) -> Table:
    """Return the table of one data set's other scores; of the usual ones where no row has any."""
    metrics = present(rows, OTHERS) or list(USUAL)
    columns = [name_column(), *map(measured_column, metrics)]
    return Table(f"{rows[0].dataset}, other scores", columns, rows, caption(rows, metrics))


def cost_table(rows: Sequence[Row]) -> Table:
    """Return the table of what one data set's rows cost to train and to translate with."""
    trained = [row for row in rows if row.epochs is not None] or rows
    metrics = [*COSTS, *present(trained, OPERATIONS)]
    columns = [name_column(), *map(measured_column, metrics), epochs_column()]
    return Table(f"{rows[0].dataset}, cost", columns, trained, cost_caption(trained))


def step_tables(rows: Sequence[Row]) -> list[Table]:
    """Return the table of the FID after each step of translations in several; none without any."""
    found = [row for row in rows if any(run.steps for run in row.runs)]
    if not found:
        return []
    most = max(len(run.steps) for row in found for run in row.runs)
    columns = [name_column(), *map(_step_column, range(1, most + 1))]
    words = caption(found, ["fid"])
    return [Table(f"{rows[0].dataset}, FID after each step", columns, found, words)]


def _step_column(step: int) -> Column:
    """Return the column of the mean FID over seeds after a step, and the deviation."""

    def cell(row: Row) -> Cell:
        return spread_cell(METRICS["fid"], row.fids_after(step))

    return Column(f"step_{step}", f"step {step} ↓", cell)


def wide(rows: Sequence[Row]) -> pd.DataFrame:
    """Return one data set's table as numbers, one row per method.

    Columns: method, control, seeds, epochs; for each metric its mean, `_sd` (the sample's) and, for
    some, `_published`, in the metric's unit, unscaled; missing, the reasons for missing values.
    """
    return pd.DataFrame([_line(row, shown_metrics(rows)) for row in rows])


def _line(row: Row, metrics: Sequence[str]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "method": row.name,
        "control": row.control,
        "seeds": len(row.runs),
        "epochs": row.first.record.epochs,
    }
    for metric in metrics:
        line |= {metric: row.mean(metric), f"{metric}_sd": row.sd(metric)}
        if metric in PUBLISHED:
            number = published_number(row.dataset, row.name, metric)
            line[f"{metric}_published"] = number.value if number else None
    reasons = [
        f"{metric}: {reason}"
        for run in row.runs
        for metric in METRICS
        if metric in metrics and (reason := run.value(metric)[1])
    ]
    return line | {"missing": "; ".join(dict.fromkeys(reasons))}


def write_tables(
    out: Path, folders: Sequence[Path], deviations: SeedDeviations | None = None
) -> list[Path]:
    """Write every table of the runs in `folders` into `out`; return the files.

    `deviations` are those that `rows_of` takes.

    Raises:
        UserError: as `load_comparable` and `rows_of`.
    """
    runs = load_comparable(folders)
    files = {out / "scores.csv": to_csv(scores_frame(runs))}
    for dataset, rows in by_dataset(rows_of(runs, deviations)).items():
        files |= texts(out / dataset, [dataset_table(rows)])
        beside = [other_scores_table(rows), cost_table(rows), *step_tables(rows)]
        files |= texts(out / f"{dataset}-scores", beside)
        files |= texts(out / f"{dataset}-ranks", rank_tables_or_reason(rows))
        files[out / f"{dataset}.csv"] = to_csv(wide(rows))
    return write_all(files)
