"""What runs have measured, beside what papers have published: records in, one tidy table out.

A run is the folder that training, translating and scoring have filled; nothing else is read.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from cut.base.errors import UserError
from cut.metrics.catalogue import BEST, METRICS, PAIRED, SCORES
from cut.records.epochs import BestRecord, EpochScores
from cut.records.history import HistoryRow
from cut.records.run import RunRecord
from cut.records.scores import ScoresRecord

NOT_TRAINED = "not trained"
OWN_CODE = "not measured: runs by its own commands"
NOT_FOLLOWED = "not measured: no generators kept along the way"
OTHER_SCENES = "real images show other scenes than the inputs"


@dataclass(frozen=True)
class Run:
    """One run: its folder, `run.json`, and what `scores.json` says."""

    folder: Path
    facts: dict[str, Any]
    scores: dict[str, float | None]
    missing: dict[str, str]
    protocol: dict[str, Any]
    best: dict[str, Any] | None = None  # best.json, with that epoch's "scores" over the test set

    @property
    def control(self) -> bool:
        """Return whether this is a control and not a method to compare."""
        return self.facts["role"] != "method"

    def value(self, metric: str) -> tuple[float | None, str]:
        """Return (value in the metric's unit, "") or (None, why there is none)."""
        facts = self.facts
        if metric in PAIRED and facts["algorithm"] == "real":
            return None, OTHER_SCENES
        if metric in SCORES:
            value = self.scores.get(metric)
            return value, "" if value is not None else self.missing.get(metric, "not measured")
        if facts.get("external"):
            return None, OWN_CODE
        if not facts["iterations"]:
            return None, NOT_TRAINED
        if metric == "epoch_best" or metric in BEST:
            return self._best(metric)
        if metric == "peak_memory_gb":
            return facts["peak_memory_bytes"] / 1e9, ""
        return float(facts["images_seen" if metric == "images" else metric]), ""

    def _best(self, metric: str) -> tuple[float | None, str]:
        """Return the best epoch, or its FID over the test set with the bounds of its interval."""
        if self.best is None:
            return None, NOT_FOLLOWED
        if self.best["missing"]:
            return None, self.best["missing"]
        if metric == "epoch_best":
            return float(self.best["epoch"]), ""
        value = self.best["scores"].get(BEST[metric])
        return value, "" if value is not None else self.missing.get(BEST[metric], "not measured")


def load_facts(folder: Path) -> dict[str, Any]:
    """Return a run's `run.json`.

    Raises:
        UserError: it is missing, no JSON object, or no run's record (`RunRecord`).
    """
    return RunRecord.read(Path(folder) / "run.json").model_dump(mode="json")


def load_run(folder: Path) -> Run:
    """Return a finished and scored run.

    Raises:
        UserError: a file is missing or is not what it should be, or the scores are of other
            translations than this run's.
    """
    folder = Path(folder)
    facts = load_facts(folder)
    path = folder / "scores.json"
    record = ScoresRecord.read(path)
    translated = record.translated.model_dump() if record.translated else {}
    for key in ("dataset", "dataset_digest", "method", "seed"):
        if key in translated and translated[key] != facts[key]:
            raise UserError(
                f"{path} scores {key} {translated[key]!r} but the run beside it has"
                f" {facts[key]!r}; translate and score this run again"
            )
    best = _load_best(folder, facts)
    protocol = record.protocol.model_dump(mode="json", exclude_none=True)
    return Run(folder, facts, record.scores, record.missing, protocol, best)


def _load_best(folder: Path, facts: dict[str, Any]) -> dict[str, Any] | None:
    """Return `best.json` with that epoch's scores, or None without one of this training."""
    if not (folder / "best.json").is_file():
        return None
    best = BestRecord.read(folder / "best.json")
    if best.fingerprint != facts.get("fingerprint", ""):
        return None  # of a training that was here before
    content = ScoresRecord.read(folder / "best" / "scores.json")
    scored = content.translated.epoch if content.translated else None
    if scored != best.epoch:
        raise UserError(
            f"{folder / 'best' / 'scores.json'} scores epoch {scored}, but the best is"
            f" {best.epoch}; score the best epoch again"
        )
    scores = {name: content.scores.get(name) for name in BEST.values()}
    return {**best.model_dump(), "scores": scores}


def load_epochs(folder: Path) -> pd.DataFrame:
    """Return a run's `epochs.csv`, one row a kept generator; no rows where none were kept.

    Raises:
        UserError: it is no CSV of that form.
    """
    path = Path(folder) / "epochs.csv"
    if not path.is_file():
        return pd.DataFrame(columns=EpochScores.columns())
    rows = EpochScores.read(path)
    if not rows:
        raise UserError(f"{path} has no epochs; choose the epoch again (python -m cut select)")
    epochs = pd.DataFrame([row.model_dump() for row in rows])
    return epochs.astype({name: float for name in EpochScores.columns()[2:]})


def values_of(row: Iterable[Run], metric: str) -> list[float]:
    """Return the values of the runs that have one, in the metric's unit."""
    return [value for run in row if (value := run.value(metric)[0]) is not None]


def mean_of(row: Iterable[Run], metric: str) -> float | None:
    """Return the mean over a row's runs as a table shows it (scaled), or None without a value."""
    values = values_of(row, metric)
    return statistics.fmean(values) * METRICS[metric].scale if values else None


def present(runs: Sequence[Run], metrics: Iterable[str]) -> list[str]:
    """Return those of `metrics` that some run has."""
    return [metric for metric in metrics if values_of(runs, metric)]


def by_dataset(runs: Iterable[Run]) -> dict[str, list[Run]]:
    """Return the runs of each data set, in the order given."""
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(run.facts["dataset"], []).append(run)
    return found


def one_dataset(facts: Iterable[Mapping[str, Any]]) -> None:
    """Refuse runs of several data sets, for what shows a single one.

    Raises:
        UserError: they are of more than one.
    """
    names = sorted({fact["dataset"] for fact in facts})
    if len(names) > 1:
        raise UserError(f"one figure shows one data set, but runs of {', '.join(names)} were given")


def load_history(folder: Path) -> pd.DataFrame:
    """Return a run's `history.csv`, one row an interval; no rows for a run without training.

    Raises:
        UserError: it is missing, no CSV, or lacks a column.
    """
    rows = HistoryRow.read(Path(folder) / "history.csv")
    if not rows:
        return pd.DataFrame(columns=HistoryRow.columns())
    return pd.DataFrame([row.model_dump() for row in rows])


# -- the tidy table ------------------------------------------------------------------------------
