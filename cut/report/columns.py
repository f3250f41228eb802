"""The columns of tables of rows, and the words in their cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from cut.metrics.catalogue import METRICS, Metric
from cut.report.table import DASH, Cell, Column
from cut.report.wording import given_note, verdict_words, why
from cut.results.ablation import Variant, all_layers, variants_of
from cut.results.comparison import compare
from cut.results.published import PublishedNumber, published_number
from cut.results.rows import Row, Series, mean, sd

ARROWS = {"lower": " ↓", "higher": " ↑", "": ""}
NOT_RUN = "not run on this data set"
YES = {True: "✓", False: "✗"}


# -- words ---------------------------------------------------------------------------------------


def label_of(metric: str, short: str = "") -> str:
    """Return a metric's label, or a `short` one, with an arrow to the better side."""
    return (short or METRICS[metric].label) + ARROWS[METRICS[metric].better]


def name_of(row: Row | Series) -> str:
    """Return a row's name as tables show it."""
    return row.name + (" (control)" if row.control else "")


def footnote(row: Row, metric: str) -> tuple[str, ...]:
    """Return the note on why a row, or some of its seeds, have no value; or none."""
    missing = row.missing(metric)
    if len(missing) == len(row.runs):
        return (next(iter(missing.values())),)
    seeds = "; ".join(f"seed {seed}: {reason}" for seed, reason in missing.items())
    return (f"{METRICS[metric].label} without {seeds}",) if missing else ()


def mean_and_deviation(row: Row, metric: str) -> str:
    """Return the mean, and the deviation over several seeds; a dash without a value."""
    return spread_cell(METRICS[metric], row.values(metric)).text


def spread_cell(metric: Metric, values: Sequence[float]) -> Cell:
    """Return the mean of values of a metric, and the sample's deviation of several."""
    center, deviation = mean(values), sd(values)
    if center is None:
        return Cell()
    text = metric.show(center)
    return Cell(text if deviation is None else f"{text} ± {metric.show(deviation)}", center)


# -- columns -------------------------------------------------------------------------------------


def name_column(label: str = "method") -> Column:
    """Return the column of the rows' names, with notes on which of several images is scored."""

    def cell(row: Row | Series) -> Cell:
        scored = (row.first.first if isinstance(row, Series) else row.first).record.scored
        return Cell(name_of(row), notes=(f"scored: {scored}",) if scored else ())

    return Column("method", label, cell, align="l", numeric=False)


def measured_column(metric: str, short: str = "", at_epoch: bool = False) -> Column:
    """Return the column of a metric's mean and deviation over seeds.

    Args:
        metric: its key in the catalogue.
        short: a label in place of the catalogue's.
        at_epoch: show which epoch the best one of a single training is.
    """

    def cell(row: Row) -> Cell:
        text = mean_and_deviation(row, metric)
        if at_epoch and len(row.runs) == 1 and row.values(metric):
            text += f" at {METRICS['epoch_best'].show(row.mean('epoch_best'))}"
        return Cell(text, row.mean(metric), footnote(row, metric))

    better = METRICS[metric].better
    return Column(metric, label_of(metric, short), cell, descending=better == "higher")


def published_column(
    metric: str,
    label: str,
    notes: Callable[[PublishedNumber, str], Iterable[str]] = lambda number, dataset: (),
) -> Column:
    """Return the column of a metric's published numbers; `notes` are the footnotes of one, by the
    number and the data set.
    """

    def cell(row: Row) -> Cell:
        number = published_number(row.dataset, row.name, metric)
        if number is None:
            return Cell()
        shown = METRICS[metric].show(number.value)
        return Cell(shown, number.value, tuple(notes(number, row.dataset)))

    return Column("published", label, cell)


def difference_column(metric: str) -> Column:
    """Return the column of measured minus published."""

    def cell(row: Row) -> Cell:
        number = published_number(row.dataset, row.name, metric)
        if number is None:
            return Cell()
        found = compare(row, number)
        if found.difference is None:
            return Cell(notes=footnote(row, metric))
        return Cell(METRICS[metric].show_signed(found.difference), found.difference)

    return Column("difference", "difference", cell)


def verdict_column(metric: str, reasons: bool = True) -> Column:
    """Return the column of the verdicts, with the `reasons` against a comparison as notes.

    A deviation that was given for a verdict is a note in any case.
    """

    def cell(row: Row) -> Cell:
        number = published_number(row.dataset, row.name, metric)
        if number is None:
            return Cell()
        found = compare(row, number)
        if found.verdict is None:
            return Cell(notes=footnote(row, metric) if reasons else ())
        text, against = verdict_words(found.verdict), why(found.differences)
        notes = ["; ".join(against)] if reasons and against else []
        return Cell(text, text, (*notes, *given_note(row, found)))

    return Column("verdict", "verdict", cell, align="l", numeric=False)


def seeds_column() -> Column:
    """Return the column of the number of seeds."""

    def cell(row: Row) -> Cell:
        return Cell(str(len(row.runs)), float(len(row.runs)))

    return Column("seeds", "seeds", cell)


def epochs_column() -> Column:
    """Return the column of the epochs trained."""

    def cell(row: Row) -> Cell:
        if row.epochs is None:
            return Cell(notes=footnote(row, "images"))
        return Cell(str(row.epochs), float(row.epochs))

    return Column("epochs", "epochs", cell)


# -- several data sets ---------------------------------------------------------------------------


def on(dataset: str, column: Column, absent: Cell | None = None, group: str = "") -> Column:
    """Return a column of one data set's rows as a column of `Series`.

    A series without a row on the data set gets the cell `absent`, by default with a note.
    """
    nothing = absent or Cell(notes=(NOT_RUN,))

    def cell(series: Series) -> Cell:
        row = series.rows.get(dataset)
        return column.cell(row) if row else nothing

    return replace(column, cell=cell, group=group)


# -- an ablation's options -----------------------------------------------------------------------


def option_columns(rows: Sequence[Row], group: str = "") -> list[Column]:
    """Return the columns of the options that tell the variants of CUT apart; none without any.

    They are: identity term, negatives per query, layers, internal and external negatives; and one
    of other options, where a variant has any that the first one has not.
    """
    variants = variants_of(rows)
    if not variants:
        return []
    every = all_layers(list(variants.values()))

    def column(label: str, text: Callable[[Variant], str], numeric: bool = False) -> Column:
        def cell(row: Row | Series) -> Cell:
            variant = variants.get(row.name)
            if variant is None:
                return Cell()
            shown = text(variant)
            total = float(variant.internal + variant.external)
            return Cell(shown, total if numeric else None if shown == DASH else shown)

        return Column(label, label, cell, group=group, align="c", numeric=numeric)

    columns = [
        column("Id", lambda variant: YES[variant.identity]),
        column("Negs", _negatives, numeric=True),
        column("Layers", lambda variant: _layers(variant, every)),
        column("Int", lambda variant: YES[bool(variant.internal)]),
        column("Ext", lambda variant: YES[bool(variant.external)]),
    ]
    if any(variant.other for variant in variants.values()):
        columns.append(column("other options", _other))
    return columns


def _negatives(variant: Variant) -> str:
    return " + ".join(str(n) for n in (variant.internal, variant.external) if n) or DASH


def _layers(variant: Variant, every: tuple[int, ...]) -> str:
    if not variant.layers:
        return DASH
    if variant.layers == every:
        return "all"
    return "last" if variant.layers == every[-1:] else " ".join(map(str, variant.layers))


def _other(variant: Variant) -> str:
    return ", ".join(f"{name} {value}" for name, value in variant.other.items()) or DASH
