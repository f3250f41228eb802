"""Tables of what one training is worth: the spread of the seeds, its shares, the order of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cut.base.errors import UserError
from cut.metrics.catalogue import METRICS
from cut.report.captions import conjunction
from cut.report.columns import name_column, name_of
from cut.report.table import Cell, Column, Table
from cut.results.protocol import check_comparable
from cut.results.rows import Row, by_dataset, mean, present, rows_of
from cut.results.run import Run
from cut.results.variance import Order, deviation_bounds, half_widths, orders, variance_of

SCORES = ("fid", "l1")
SHARES = ("seeds", "epochs", "images")
WORDS = (
    "Deviations are the sample's (n - 1) over seeds. Interval: half the width of the 95 % bootstrap"
    " interval of the FID over images, mean over seeds.",
    "Shares are of the sum of three variances of the FID: between seeds; of a training from one of"
    " the last {last} kept epochs to another, without the course that all seeds share; and of"
    " another choice of images, by the bootstrap. Without FID by epoch the first includes the"
    " second. All seeds are scored on the same images, so that the third is no part of the"
    " deviation.",
)


def variance_tables(runs: Sequence[Run], last: int = 3) -> list[Table]:
    """Return two tables per data set: the spread of each trained row, and the order of rows.

    Args:
        runs: the runs of several seeds.
        last: kept epochs, from the end, whose variance is shown.

    Raises:
        UserError: `last` is below 2, runs can't stand in one table, or no row has two seeds.
    """
    if last < 2:
        raise UserError(f"--epochs is {last}; give 2 or more, to have a variance between them")
    check_comparable(runs)
    tables = []
    for dataset, rows in by_dataset(rows_of(runs)).items():
        if any(len(row.values("fid")) > 1 for row in rows if row.varies):
            tables += [_spread(dataset, rows, last), _order(dataset, rows)]
    if not tables:
        raise UserError(
            "no trained row of these runs has a FID of two seeds; give a config several `seeds` and"
            " run it"
        )
    return tables


def _spread(dataset: str, rows: Sequence[Row], last: int) -> Table:
    """Return the table of the trained rows' means, deviations, intervals and shares."""
    trained = [row for row in rows if row.varies]
    columns = [name_column(), _seeds(), *_columns("fid"), _interval()]
    columns += [_share(name, last) for name in SHARES]
    for score in present(trained, SCORES[1:]):
        columns += _columns(score)
    return Table(f"{dataset}, variance", columns, trained, _words(trained, last))


def _words(rows: Sequence[Row], last: int) -> list[str]:
    """Return the caption of the table of the spread."""
    counts = sorted({len(row.values("fid")) for row in rows} - {0, 1})
    words = [f"What one training is worth, over {conjunction(counts)} seeds."]
    words += [sentence.format(last=last) for sentence in WORDS]
    for n in counts:
        low, high = deviation_bounds(n)
        words.append(
            f"The true deviation lies between {low:.2f} and {high:.2f} times that of {n} seeds, in"
            " 95 % of cases."
        )
    return words


def _columns(score: str) -> list[Column]:
    """Return the columns of a score's mean and of its deviation over seeds."""
    metric = METRICS[score]

    def shown(value: float | None) -> Cell:
        return Cell() if value is None else Cell(metric.show(value), value)

    return [
        Column(score, metric.label, lambda row: shown(row.mean(score))),
        Column(f"{score}_sd", f"sd of {metric.label}", lambda row: shown(row.sd(score))),
    ]


def _seeds() -> Column:
    def cell(row: Row) -> Cell:
        count = len(row.values("fid"))
        return Cell(str(count), float(count))

    return Column("seeds", "seeds", cell)


def _interval() -> Column:
    def cell(row: Row) -> Cell:
        width = mean(half_widths(row))
        return Cell() if width is None else Cell(f"± {METRICS['fid'].show(width)}", width)

    return Column("interval", "interval", cell)


def _share(name: str, last: int) -> Column:
    """Return the column of the share in percent of one of the variances."""

    def cell(row: Row) -> Cell:
        found = variance_of(row, last)
        share = found.shares.get(name) if found else None
        return Cell() if share is None else Cell(f"{100 * share:.0f} %", share)

    return Column(f"share_{name}", f"share of {name}", cell)


def _order(dataset: str, rows: Sequence[Row]) -> Table:
    """Return the table of the pairs of rows in the order of their means."""

    def text(key: str, label: str, words: Callable[[Order], str]) -> Column:
        return Column(key, label, lambda order: Cell(words(order)), align="l", numeric=False)

    def order_of(order: Order) -> str:
        return f"{name_of(order.below)} below {name_of(order.above)}"

    columns = [
        text("score", "score", lambda order: METRICS[order.metric].label),
        text("order", "order of the means", order_of),
        text("holds", "holds in", lambda order: f"{order.holds} of {order.seeds} seeds"),
    ]
    found = [order for score in SCORES for order in orders(rows, score)]
    words = [
        "In how many of the seeds the order of the means holds, paired by seed.",
        "A control has one value for all seeds.",
    ]
    return Table(f"{dataset}, order of rows", columns, found, words)
