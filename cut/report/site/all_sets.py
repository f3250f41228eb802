"""The page's table over all data sets, as papers print it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cut.base.errors import UserError
from cut.report.columns import (
    measured_column,
    name_column,
    on,
    option_columns,
    published_column,
    verdict_column,
)
from cut.report.overview_table import NO_VARIANT
from cut.report.site.scores import OPTIONS, ScoreTable
from cut.report.table import Cell, Column
from cut.report.wording import one_training, remarks_on, why
from cut.results.comparison import differences
from cut.results.published import PublishedNumber, published_number
from cut.results.rows import Row, by_dataset, over_datasets, present

PROTOCOL = (
    "The protocol of these numbers, and the reasons against a comparison, are below the table of"
    " each data set."
)


def check_ablation(rows: Sequence[Row]) -> None:
    """Refuse an ablation without a variant of CUT.

    Raises:
        UserError: no row is one.
    """
    if not option_columns(rows):
        raise UserError(NO_VARIANT)


def all_sets_table(rows: Sequence[Row], ablation: bool = False) -> ScoreTable:
    """Return one row per method, with FID, published FID and verdict per data set, and with mIoU
    where a data set has label maps.
    """
    columns = [name_column(), *(option_columns(rows, group="options") if ablation else [])]
    for dataset, mine in by_dataset(rows).items():
        for metric in ("fid", *present(mine, ["miou"])):
            columns += _columns(dataset, mine, metric)
    several = any(len(row.runs) > 1 for row in rows)
    spread = " (mean ± standard deviation over seeds)" if several else ""
    words = [f"Scores after the last epoch{spread}, beside the published ones."]
    words += [*one_training(rows), PROTOCOL]
    words += [OPTIONS] * ablation
    title = "Ablation" if ablation else "All data sets"
    return ScoreTable(title, columns, over_datasets(rows), words, "overview")


def _columns(dataset: str, rows: Sequence[Row], metric: str) -> list[Column]:
    """Return a score's columns on one data set."""
    columns = [on(dataset, measured_column(metric), group=dataset)]
    numbers = [(row, published_number(dataset, row.name, metric)) for row in rows]
    known = [(row, number) for row, number in numbers if number]
    if not known:
        return columns
    judged = metric == "fid"
    shared = [] if judged else _shared_reasons(known)

    def notes(number: PublishedNumber, dataset: str) -> Iterable[str]:
        return [*shared, *remarks_on(number, dataset)]

    beside = [published_column(metric, "published", notes)]
    beside += [verdict_column(metric, reasons=False)] if judged else []
    return columns + [on(dataset, column, Cell(), group=dataset) for column in beside]


def _shared_reasons(numbers: Sequence[tuple[Row, PublishedNumber]]) -> list[str]:
    """Return the reasons against comparison that all rows of a score share."""
    found = [why(differences(row.first, number)) for row, number in numbers]
    return [reason for reason in found[0] if all(reason in reasons for reasons in found)]
