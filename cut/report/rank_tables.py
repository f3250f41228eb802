"""The rank matrices: in which share of draws a row is better than another, by score."""

from __future__ import annotations

from collections.abc import Sequence

from cut.metrics.catalogue import METRICS
from cut.report.columns import name_column
from cut.report.table import DASH, Cell, Column, Table
from cut.report.wording import VARIANCE
from cut.results.ranks import Ranking, rankings, seeds_of
from cut.results.rows import Row

NONE = (
    "No two rows have scores over resamples of the images; score them again (python -m cut score)."
)
WORDS = (
    "Cells: the percentage of draws in which the row is better than the column's row; 50 means that"
    " the draws do not tell them apart.",
    "A draw is a bootstrap resample of the test images, the same images for all rows, and of the"
    " trainings where a row has several.",
    "First: the percentage of draws in which no other method is better.",
)
ONE_TRAINING = (
    "One training: the row's draws are over images alone and say nothing of another seed, so they"
    f" give no verdict on the method ({VARIANCE})."
)
GIVEN = "Given deviation: draws of another seed, by a deviation that was measured elsewhere."


def rank_tables(rows: Sequence[Row]) -> list[Table]:
    """Return one matrix per score by which one data set's rows can be compared."""
    return [_matrix(found) for found in rankings(rows)]


def rank_tables_or_reason(rows: Sequence[Row]) -> list[Table]:
    """Return the same, or without any an empty table with the reason."""
    empty = Table(f"{rows[0].dataset}, ranks", [name_column()], [], [NONE])
    return rank_tables(rows) or [empty]


def _matrix(found: Ranking) -> Table:
    places = {row.name: i for i, row in enumerate(found.rows)}

    def against(other: Row) -> Column:
        def cell(row: Row) -> Cell:
            if row is other:
                return Cell()
            share = float(found.shares[places[row.name], places[other.name]])
            return Cell(percent(share), share)

        return Column(f"over_{other.name}", other.name, cell)

    def first(row: Row) -> Cell:
        share = found.first[places[row.name]]
        return Cell() if share is None else Cell(percent(share), share)

    def trainings(row: Row) -> Cell:
        return Cell(seed_words(row, found.metric))

    columns = [
        name_column(),
        Column("trainings", "trainings", trainings, align="l", numeric=False),
        *map(against, found.rows),
        Column("first", "first", first, descending=True),
    ]
    kinds = {seeds_of(row, found.metric) for row in found.rows}
    score = METRICS[found.metric].label.split(" x")[0]
    words = [f"Does the ranking by {score} hold?", *WORDS]
    words += [ONE_TRAINING] * ("one training" in kinds) + [GIVEN] * ("given deviation" in kinds)
    return Table(f"{found.rows[0].dataset}, ranks by {score}", columns, found.rows, words)


def seed_words(row: Row, metric: str) -> str:
    """Return what the draws of a row say of other trainings, as tables show it."""
    kind = seeds_of(row, metric)
    words = {"several": str(len(row.values(metric))), "no training": DASH}
    return words.get(kind, kind)


def percent(share: float) -> str:
    """Return a share as a whole percentage; one that is not quite all or none says so."""
    if 0 < share < 0.01 or 0.99 < share < 1:
        return "< 1" if share < 0.5 else "> 99"
    return f"{100 * share:.0f}"
