"""The table over all data sets of a benchmark, as papers print it: Table 1, or an ablation.

`write_overview` writes `overview.{md,tex,csv}`. Each row is a method. Each data set is a group of
columns with the measured scores and the published ones beside them; time and memory come last. A
table too wide for a page is divided by data set. Below it a second table compares measured with
published numbers: difference, verdict and reasons. The CSV has one value per line. The files of an
ablation are called `ablation`, and the options that tell CUT's variants apart have columns, as in
Fig. 4 of the paper. The same runs give the same bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cut.base.errors import UserError
from cut.metrics.catalogue import COSTS, PAIRED, SEGMENTATION
from cut.report.captions import caption, conjunction, machines, shared_first
from cut.report.columns import (
    measured_column,
    name_column,
    on,
    option_columns,
    published_column,
)
from cut.report.files import texts, to_csv, write_all
from cut.report.published_tables import against, tidy
from cut.report.table import Cell, Column, Table
from cut.results.protocol import load_comparable
from cut.results.published import published_number
from cut.results.rows import Row, Series, by_dataset, over_datasets, present, rows_of, runs_of
from cut.results.seed_deviation import SeedDeviations

SHORT = {
    "fid_best": "best FID",
    "miou": "mIoU",
    "pixel_accuracy": "pixAcc",
    "class_accuracy": "classAcc",
    "peak_memory_gb": "GB",
}
SCORES = ("fid", "fid_best", *SEGMENTATION, *PAIRED)
# Columns beside the rows' names. More would be scaled down to less than 7 pt on a page of 6.9 in;
# a deviation makes a column wider.
MOST, MOST_WITH_DEVIATIONS = 15, 12
NO_VARIANT = "none of these runs is a variant of CUT; an ablation's table needs one"


@dataclass(frozen=True)
class Block:
    """Columns that stay in one table: some metrics of a data set, or "" and the costs."""

    dataset: str
    metrics: tuple[str, ...]


def blocks(rows: Sequence[Row]) -> list[list[Block]]:
    """Return each data set's blocks of the metrics that some row has. The last has the costs."""
    found = []
    for dataset, mine in by_dataset(rows).items():
        kinds = [["fid", *present(mine, ["fid_best"])], present(mine, SEGMENTATION)]
        kinds.append(present(mine, PAIRED))
        found.append([Block(dataset, tuple(kind)) for kind in kinds if kind])
    if costs := present(rows, COSTS):
        found[-1].append(Block("", tuple(costs)))
    return found


def packed(
    groups: Sequence[Sequence[Block]], fits: Callable[[Sequence[Block]], bool]
) -> list[list[Block]]:
    """Return the blocks of the fewest tables that fit, filled from the end.

    A data set that does not fit into one table is divided, and shares its tables with no other.
    """
    parts: list[list[Block]] = [[]]
    for group in reversed(groups):
        whole = fits(group)
        if not whole and parts[0]:
            parts.insert(0, [])
        for several in [group] if whole else [[block] for block in reversed(group)]:
            if parts[0] and not fits([*several, *parts[0]]):
                parts.insert(0, [])
            parts[0][:0] = several
        if not whole:
            parts.insert(0, [])
    return [part for part in parts if part]


def overview_tables(rows: Sequence[Row], ablation: bool) -> list[Table]:
    """Return the table over all data sets, or its parts where it is too wide.

    Raises:
        UserError: an ablation without a variant of CUT.
    """
    title = "Ablation" if ablation else "Overview"
    options = option_columns(rows) if ablation else []
    if ablation and not options:
        raise UserError(NO_VARIANT)
    most = MOST_WITH_DEVIATIONS if any(len(row.runs) > 1 for row in rows) else MOST

    def fits(part: Sequence[Block]) -> bool:
        return len(options) + len(score_columns(rows, part)) <= most

    series = over_datasets(rows)
    parts = packed(blocks(rows), fits)
    tables = []
    for i, part in enumerate(parts, 1):
        name = f"{title}, {i} of {len(parts)}" if len(parts) > 1 else title
        columns = [name_column("row" if ablation else "method"), *options]
        columns += score_columns(rows, part)
        tables.append(Table(name, columns, series, _caption(rows, part)))
    return tables


def score_columns(rows: Sequence[Row], part: Sequence[Block]) -> list[Column]:
    """Return the columns of some blocks, with the published numbers of metrics that have any."""
    found = []
    for block in part:
        for metric in block.metrics:
            column = measured_column(metric, SHORT.get(metric, ""))
            if not block.dataset:
                found.append(_of_first(column))
                continue
            found.append(on(block.dataset, column, group=block.dataset))
            mine = (row.name for row in rows if row.dataset == block.dataset)
            if any(published_number(block.dataset, name, metric) for name in mine):
                beside = published_column(metric, "publ.")
                found.append(on(block.dataset, beside, Cell(), group=block.dataset))
    return found


def _of_first(column: Column) -> Column:
    """Return a column that shows the row on its first data set.

    One machine may train on several data sets at once, so of the costs only the first are shown.
    """

    def cell(series: Series) -> Cell:
        return column.cell(series.first)

    return replace(column, cell=cell)


def _caption(rows: Sequence[Row], part: Sequence[Block]) -> list[str]:
    """Return what the table is in one sentence, then the protocol of its numbers."""
    metrics = {block.dataset: set() for block in part}
    for block in part:
        metrics[block.dataset] |= {*block.metrics}
    costs = bool(metrics.pop("", None))
    scores = {metric for mine in metrics.values() for metric in mine}
    what = ["scores"] * bool(scores) + ["time and peak memory"] * costs
    beside = any(
        published_number(row.dataset, row.name, metric)
        for row in rows
        for metric in metrics.get(row.dataset, ())
    )
    sentence = f"Measured {' and '.join(what)}"
    sentence += ", published scores beside them (publ.)." if beside else "."
    own = {
        dataset: caption(mine, metrics[dataset])
        for dataset, mine in by_dataset(rows).items()
        if dataset in metrics
    }
    notes = shared_first(own) if own else []
    percent = [SHORT[metric] for metric in SEGMENTATION if metric in scores]
    notes += [f"{', '.join(percent)} in percent."] if percent else []
    notes += [_cost(rows)] if costs else []
    return [sentence, *notes]


def _cost(rows: Sequence[Row]) -> str:
    sets = "; on the first data set" if len(by_dataset(rows)) > 1 else ""
    return f"Time and peak memory on {conjunction(machines(runs_of(rows)))}{sets}."


def write_overview(
    out: Path, folders: Sequence[Path], ablation: bool, deviations: SeedDeviations | None = None
) -> list[Path]:
    """Write the table of the runs in `folders` into `out`; return the files.

    `deviations` are those that `rows_of` takes.

    Raises:
        UserError: as `load_comparable`, `rows_of` and `overview_tables`.
    """
    rows = rows_of(load_comparable(folders), deviations)
    tables = overview_tables(rows, ablation)
    tables += against("Ablation" if ablation else "Overview", rows, SCORES)
    stem = out / ("ablation" if ablation else "overview")
    csv = {stem.with_suffix(".csv"): to_csv(tidy(rows, ablation))}
    return write_all(texts(stem, tables) | csv)
