"""Tables over seeds: mean, standard deviation, and every single value.

`write_seed_tables` writes `seeds.csv` with one line per data set, row and score, for every score
that a run has. For each data set it writes `NAME-seeds.{md,tex}` with the FID at the last and at
the best epoch, and KID. The deviation is the sample's (n - 1); one seed has none. The same runs
give the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from cut.metrics.catalogue import METRICS
from cut.report.captions import caption
from cut.report.columns import footnote, label_of, name_column
from cut.report.files import texts, to_csv, write_all
from cut.report.table import DASH, Cell, Column, Table
from cut.results.protocol import load_comparable
from cut.results.rows import Row, by_dataset, present, rows_of

SHOWN = ("fid", "fid_best", "kid")


def lines(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return one line per row and score that it has, in the metrics' units."""
    return [_line(row, metric) for row in rows for metric in METRICS if row.values(metric)]


def _line(row: Row, metric: str) -> dict[str, Any]:
    values = row.values(metric)
    each = {seed: value for seed, value in row.by_seed(metric).items() if value is not None}
    return {
        "dataset": row.dataset,
        "method": row.name,
        "metric": metric,
        "seeds": len(values),
        "mean": row.mean(metric),
        "sd": row.sd(metric),
        "min": min(values),
        "max": max(values),
        "values": " ".join(f"{seed}:{value!r}" for seed, value in each.items()),
    }


def seed_table(rows: Sequence[Row]) -> Table:
    """Return the table of one data set: for each score the mean, the deviation and every value."""
    shown = present(rows, SHOWN)
    seeds = Column("seeds", "seeds", lambda row: Cell(", ".join(map(str, row.seeds))))
    columns = [name_column(), seeds]
    for metric in shown:
        columns += _columns(metric)
    first, *rest = caption(rows, shown, spread=False)
    order = "Values are in the order of the seeds; sd is the sample's standard deviation."
    return Table(f"{rows[0].dataset}, by seed", columns, rows, [first, order, *rest])


def _columns(metric: str) -> list[Column]:
    """Return the columns of a score's mean, deviation and values; a missing value is a dash."""
    show = METRICS[metric].show

    def shown(value: float | None) -> str:
        return DASH if value is None else show(value)

    def mean(row: Row) -> Cell:
        notes = () if row.values(metric) else footnote(row, metric)
        return Cell(shown(row.mean(metric)), row.mean(metric), notes)

    def deviation(row: Row) -> Cell:
        return Cell(shown(row.sd(metric)), row.sd(metric))

    def each(row: Row) -> Cell:
        if not row.values(metric):
            return Cell()
        texts = map(shown, row.by_seed(metric).values())
        return Cell(", ".join(texts), notes=footnote(row, metric))

    return [
        Column(metric, label_of(metric, f"{METRICS[metric].label} mean"), mean),
        Column(f"{metric}_sd", "sd", deviation),
        Column(f"{metric}_each", "each", each),
    ]


def write_seed_tables(out: Path, folders: Sequence[Path]) -> list[Path]:
    """Write the tables over seeds of the runs in `folders` into `out`; return the files.

    Raises:
        UserError: as `load_comparable`.
    """
    rows = rows_of(load_comparable(folders))
    files = {out / "seeds.csv": to_csv(pd.DataFrame(lines(rows)))}
    for dataset, mine in by_dataset(rows).items():
        files |= texts(out / f"{dataset}-seeds", [seed_table(mine)])
    return write_all(files)
