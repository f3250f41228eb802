"""The details of each run: what all runs of a data set share, and what differs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cut.metrics.catalogue import METRICS
from cut.report.site.cards import card_name
from cut.report.site.links import Links
from cut.results.families import family_of
from cut.results.protocol import flatten
from cut.results.rows import Row, runs_of
from cut.results.run import Run

NESTED = {
    "options": "Options of the method",
    "training": "Options of the training",
    "parameters": "Parameters of each network",
    "hardware": "Hardware",
    "versions": "Versions",
    "snapshots": "Generators kept along the way (sha256)",
}
WHOLE = ("options", "training")  # shown with each run, also where all runs share them
FILES = {
    "run.json": "settings and cost of the training",
    "scores.json": "scores and their protocol",
    "archive.json": "digests of the archive that the run was taken from",
    "history.csv": "losses",
    "epochs.csv": "scores by epoch",
    "diversity.json": "how far translations of one input differ",
    "best.json": "the best epoch",
    "best/scores.json": "scores of the best epoch",
    "translated/manifest.json": "digests of the translations",
    "best/translated/manifest.json": "digests of the best epoch's translations",
    "generator.pt": "weights of the generator",
    "embedding.pt": "weights of the projection heads",
    "features.npz": "Inception features of the translations",
    "resamples.csv": "scores over resamples of the test images",
}

Facts = dict[str, dict[str, Any]]  # by heading, then by name
Part = tuple[str, list[tuple[str, str]]]  # a heading, and names with their values as text


@dataclass(frozen=True)
class RunDetails:
    """One run as the page shows it; `files` are (name, URL, description)."""

    label: str
    control: bool
    family: str
    summary: str
    parts: list[Part]
    files: list[tuple[str, str, str]]


@dataclass(frozen=True)
class SetDetails:
    """The runs of one data set as the page shows them, and the parts that they share."""

    dataset: str
    shared: list[Part]
    runs: list[RunDetails]


def set_details(rows: Sequence[Row], links: Links) -> SetDetails:
    """Return the details of one data set's runs."""
    runs = runs_of(rows)
    families = [family_of(row) for row in rows for _ in row.runs]
    facts = [_facts(run) for run in runs]
    shared = _shared(facts) if len(runs) > 1 else {}
    found = []
    for run, family, mine in zip(runs, families, facts, strict=True):
        own = {
            heading: {n: value for n, value in part.items() if n not in shared.get(heading, {})}
            for heading, part in mine.items()
        }
        label = f"{run.record.method}, seed {run.record.seed}"
        parts = [("Scores", _scores(run)), *_parts(own)]
        card = links.base / card_name(run)
        files = [] if run.control else [("card", links.to(card), "model card")]
        files += [
            (name, links.to(run.folder / name), words)
            for name, words in FILES.items()
            if (run.folder / name).is_file()
        ]
        found.append(RunDetails(label, run.control, family, _summary(run), parts, files))
    return SetDetails(rows[0].dataset, _parts(shared), found)


def _shared(facts: Sequence[Facts]) -> Facts:
    """Return the facts that all runs share, but for those that each run shows whole."""
    whole = {NESTED[name] for name in WHOLE}
    return {
        heading: {
            name: value
            for name, value in part.items()
            if all(other.get(heading, {}).get(name) == value for other in facts)
        }
        for heading, part in facts[0].items()
        if heading not in whole
    }


def _facts(run: Run) -> Facts:
    """Return a run's facts by heading."""
    record = run.record.model_dump(mode="json")
    parts = {"Run": {n: value for n, value in record.items() if n not in NESTED and value != ""}}
    parts |= {heading: flatten(record[name]) for name, heading in NESTED.items()}
    parts["Hardware"] = _known(parts["Hardware"])
    parts["Protocol of the scores"] = _known(flatten(run.protocol.model_dump(mode="json")))
    best = run.best.record.model_dump(mode="json") if run.best else {}
    return parts | {"Choice of the best epoch": best}


def _known(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in facts.items() if value is not None}


def _parts(facts: Facts) -> list[Part]:
    return [
        (heading, [(name, _text(value)) for name, value in part.items()])
        for heading, part in facts.items()
        if part
    ]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _scores(run: Run) -> list[tuple[str, str]]:
    """Return every score with two more digits than the table's, or why there is none."""
    found = []
    for name, metric in METRICS.items():
        value, reason = run.value(name)
        digits = metric.digits + 2 * bool(metric.digits)
        shown = reason if value is None else f"{value * metric.scale:.{digits}f}"
        found.append((metric.label, shown))
    return found


def _summary(run: Run) -> str:
    fid, _ = run.value("fid")
    epochs = run.record.epochs
    words = [f"{epochs} epoch{'s' if epochs != 1 else ''}"] if run.record.trained else []
    words += [f"FID {METRICS['fid'].show(fid)}"] if fid is not None else []
    return ", ".join(words)
