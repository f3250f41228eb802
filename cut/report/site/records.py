"""The record of each run: what all runs of a data set share, and what each has of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cut.report.site.links import Links
from cut.results.protocol import flatten
from cut.results.run import METRICS, Run

NESTED = {
    "options": "Options of the method",
    "training": "Options of the training",
    "parameters": "Parameters of each network",
    "hardware": "Hardware",
    "versions": "Versions",
    "snapshots": "Generators kept along the way (sha256)",
}
WHOLE = ("options", "training")  # shown with each run even where all runs share them
FILES = {
    "run.json": "what ran",
    "scores.json": "scores and their protocol",
    "history.csv": "losses",
    "epochs.csv": "scores along the way",
    "best.json": "the best epoch",
    "best/scores.json": "scores of the best epoch",
    "translated/manifest.json": "digests of the translations",
    "best/translated/manifest.json": "digests of the best epoch's translations",
    "generator.pt": "weights of the generator",
    "embedding.pt": "weights of the projection heads",
    "features.npz": "Inception features of the translations",
}

Part = tuple[str, list[tuple[str, str]]]  # a heading, and names with their values as text


@dataclass(frozen=True)
class Record:
    """One run's record as the page shows it."""

    label: str
    control: bool
    summary: str
    parts: list[Part]
    files: list[tuple[str, str, str]]  # (name, URL, what it holds)


@dataclass(frozen=True)
class Records:
    """The records of one data set's runs."""

    dataset: str
    shared: list[Part]
    runs: list[Record]


def records(dataset: str, runs: Sequence[Run], links: Links) -> Records:
    """Return the records of the runs of one data set."""
    facts = [_facts(run) for run in runs]
    shared = {
        heading: {
            name: value
            for name, value in part.items()
            if len(runs) > 1 and all(f.get(heading, {}).get(name) == value for f in facts)
        }
        for heading, part in facts[0].items()
        if heading not in {NESTED[name] for name in WHOLE}
    }
    found = []
    for run, mine in zip(runs, facts, strict=True):
        own = {heading: {n: v for n, v in part.items() if n not in shared.get(heading, {})}
               for heading, part in mine.items()}  # fmt: skip
        parts = [("Scores", _scores(run)), *_parts(own)]
        label = f"{run.facts['method']}, seed {run.facts['seed']}"
        files = [(name, links.to(run.folder / name), words) for name, words in FILES.items()
                 if (run.folder / name).is_file()]  # fmt: skip
        found.append(Record(label, run.control, _summary(run), parts, files))
    return Records(dataset, _parts(shared), found)


def _facts(run: Run) -> dict[str, dict[str, Any]]:
    """Return a run's facts by heading."""
    own = {n: value for n, value in run.facts.items() if n not in NESTED and value != ""}
    parts = {"Run": own}
    parts |= {NESTED[name]: flatten(run.facts.get(name) or {}) for name in NESTED}
    parts["Protocol of the scores"] = flatten(run.protocol)
    parts["Choice of the best epoch"] = flatten(run.best or {})
    return parts


def _parts(facts: dict[str, dict[str, Any]]) -> list[Part]:
    return [(heading, [(name, _text(value)) for name, value in part.items()])
            for heading, part in facts.items() if part]  # fmt: skip


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _scores(run: Run) -> list[tuple[str, str]]:
    """Return every score with two more digits than the table's, or why there is none."""
    found = []
    for name, metric in METRICS.items():
        value, why = run.value(name)
        digits = metric.digits + 2 * bool(metric.digits)
        shown = why if value is None else f"{value * metric.scale:.{digits}f}"
        found.append((metric.label, shown))
    return found


def _summary(run: Run) -> str:
    fid, _ = run.value("fid")
    epochs = run.facts["epochs"]
    words = [f"{epochs} epoch{'s' if epochs != 1 else ''}"] if run.facts["iterations"] else []
    words += [f"FID {METRICS['fid'].show(fid)}"] if fid is not None else []
    return ", ".join(words)
