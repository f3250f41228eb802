"""Measured numbers against published ones: difference and verdict, as a table and as a tidy CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from cut.metrics.catalogue import METRICS
from cut.report.captions import sources
from cut.report.columns import footnote, mean_and_deviation, name_of
from cut.report.table import Cell, Column, Table
from cut.report.wording import (
    DIFFERENCE,
    VERDICTS,
    also_published,
    given_note,
    how_scored,
    judged_by,
    one_training,
    remarks_on,
    verdict_words,
    why,
)
from cut.results.ablation import Variant, variants_of
from cut.results.comparison import Comparison, compare
from cut.results.published import PublishedNumber, published_number, source_of
from cut.results.rows import Row, by_dataset

PAGE = 40  # rows of a table that fill a page


@dataclass(frozen=True)
class Pair:
    """A score of a row, and the published number of the same row."""

    row: Row
    number: PublishedNumber

    @property
    def metric(self) -> str:
        """Return the score's key."""
        return self.number.metric

    @cached_property
    def found(self) -> Comparison:
        """Return the comparison of the two."""
        return compare(self.row, self.number)


def against(title: str, rows: Sequence[Row], metrics: Sequence[str]) -> list[Table]:
    """Return the table of the scores with a published number; no table without any.

    A table that would fill more than a page is divided by data set. Costs are left out of
    `metrics`: they depend on the machine.
    """
    title += ", measured against published"
    datasets = by_dataset(rows)
    pairs = {dataset: _pairs(mine, metrics) for dataset, mine in datasets.items()}
    every = [pair for mine in pairs.values() for pair in mine]
    if len(every) > PAGE:
        return [_table(f"{title}: {dataset}", mine) for dataset, mine in pairs.items() if mine]
    return [_table(title, every)] if every else []


def _pairs(rows: Sequence[Row], metrics: Sequence[str]) -> list[Pair]:
    return [
        Pair(row, number)
        for metric in metrics
        for row in rows
        if (number := published_number(row.dataset, row.name, metric))
    ]


def _table(title: str, pairs: Sequence[Pair]) -> Table:
    several = len({how_scored(pair.number) for pair in pairs}) > 1

    def text(label: str, cell: Any) -> Column:
        return Column(label, label, cell, align="l", numeric=False)

    columns = [
        text("data set", lambda pair: Cell(pair.row.dataset)),
        text("score", lambda pair: Cell(METRICS[pair.metric].label)),
        text("row", lambda pair: Cell(name_of(pair.row))),
        Column("measured", "measured", _measured),
        Column("published", "published", lambda pair: _published(pair, several)),
        Column("difference", "difference", _difference),
        text("verdict", _verdict),
        text("why", _why),
    ]
    numbers = [(pair.row, pair.number) for pair in pairs]
    notes = sources(numbers, "Published numbers", scored=not several)
    single = one_training(pair.row for pair in pairs)
    return Table(title, columns, pairs, [DIFFERENCE, *single, VERDICTS, *notes])


def _measured(pair: Pair) -> Cell:
    return Cell(mean_and_deviation(pair.row, pair.metric))


def _published(pair: Pair, several: bool) -> Cell:
    """Return the published value, with notes on other values; where the table's numbers were scored
    in `several` ways, also on its own source and scoring.
    """
    number = pair.number
    own = [f"{source_of(number).name}: {how_scored(number)}"] * several
    notes = (*own, *also_published(number, pair.row.dataset))
    return Cell(METRICS[pair.metric].show(number.value), notes=notes)


def _difference(pair: Pair) -> Cell:
    if pair.found.difference is None:
        return Cell()
    return Cell(METRICS[pair.metric].show_signed(pair.found.difference))


def _verdict(pair: Pair) -> Cell:
    if pair.found.verdict is None:
        return Cell("not measured")
    return Cell(verdict_words(pair.found.verdict), notes=given_note(pair.row, pair.found))


def _why(pair: Pair) -> Cell:
    """Return the letters of the reasons. Each reason is a note of its own: rows share most."""
    if pair.found.verdict is None:
        return Cell("", notes=footnote(pair.row, pair.metric))
    reasons = tuple(why(pair.found.differences))
    return Cell("", notes=reasons) if reasons else Cell()


# -- tidy ----------------------------------------------------------------------------------------


def tidy(rows: Sequence[Row], ablation: bool) -> pd.DataFrame:
    """Return one line per row, data set and metric that was measured or published.

    Columns: row, dataset; for an ablation the options that tell the variants of CUT apart; metric,
    unit; mean, sd (the sample's) and number of seeds with a value; published, difference (mean
    minus published), verdict, judged_by (seeds, a deviation that was given, or images), reasons
    (against a comparison), source and scored (of the published number: epoch, scorer, images),
    remark (on it, and other published numbers), missing (why there is no value, or which seeds have
    none). Numbers are in full and in `unit`: shares of 1 where tables show percent.
    """
    # As objects: a column of counts with gaps would become one of floats.
    return pd.DataFrame(_lines(rows, ablation), dtype=object)


def _lines(rows: Sequence[Row], ablation: bool) -> Iterator[dict[str, Any]]:
    variants = variants_of(rows) if ablation else {}
    names = list(_options(next(iter(variants.values())))) if variants else []
    for row in rows:
        options = _options(variants[row.name]) if row.name in variants else {}
        head = {"row": row.name, "dataset": row.dataset, **dict.fromkeys(names), **options}
        for metric in METRICS:
            number = published_number(row.dataset, row.name, metric)
            if row.values(metric) or number:
                yield head | _line(row, metric, number)


def _options(variant: Variant) -> Mapping[str, Any]:
    """Return the cells of a variant's options."""
    return {
        "identity": variant.identity,
        "negatives_internal": variant.internal,
        "negatives_external": variant.external,
        "layers": " ".join(map(str, variant.layers)),
        "other": ", ".join(f"{name} {value}" for name, value in variant.other.items()),
    }


def _line(row: Row, metric: str, number: PublishedNumber | None) -> dict[str, Any]:
    found = compare(row, number) if number and row.values(metric) else None
    shown = METRICS[metric]
    return {
        "metric": metric,
        "unit": shown.unit if shown.scale == 1 else "",
        "mean": row.mean(metric),
        "sd": row.sd(metric),
        "seeds": len(row.values(metric)),
        "published": number.value if number else None,
        "difference": found.difference if found else None,
        "verdict": verdict_words(found.verdict) if found else "",
        "judged_by": judged_by(row, found) if found else "",
        "reasons": "; ".join(why(found.differences)) if found else "",
        "source": source_of(number).name if number else "",
        "scored": how_scored(number) if number else "",
        "remark": "; ".join(remarks_on(number, row.dataset)) if number else "",
        "missing": "".join(footnote(row, metric)),
    }
