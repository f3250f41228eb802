"""The model cards that the page links: one file per run of a method."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cut.base.files import replacing
from cut.report.run_card import card_of_run
from cut.report.site.links import Links
from cut.results.rows import Row, by_dataset, runs_of
from cut.results.run import Run


def card_name(run: Run) -> str:
    """Return the place of a run's card, relative to the page."""
    record = run.record
    return f"cards/{record.dataset}-{record.method}-seed{record.seed}.md"


def write_cards(out: Path, rows: Sequence[Row]) -> None:
    """Write the card of every run of a method below `out`. Controls have none."""
    for run in runs_of(rows):
        if not run.control:
            with replacing(out / card_name(run)) as temporary:
                temporary.write_text(card_of_run(run), encoding="utf-8")


def card_links(rows: Sequence[Row], links: Links) -> dict[str, dict[str, str]]:
    """Return the URL of the card of each row's first run, by data set and row; "" for a control."""
    return {
        dataset: {
            row.name: "" if row.control else links.to(links.base / card_name(row.first))
            for row in mine
        }
        for dataset, mine in by_dataset(rows).items()
    }
