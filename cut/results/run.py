"""A run: the records of one folder that training, translating and scoring have filled."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cut.base.errors import UserError
from cut.metrics.catalogue import METRICS, Metric
from cut.records.diversity import DiversityRecord
from cut.records.epochs import BestRecord, EpochScores, StepScores, StepsRecord
from cut.records.resamples import Resample
from cut.records.run import Role, RunRecord
from cut.records.scores import Protocol, ScoresRecord

NOT_TRAINED = "not trained"
OWN_CODE = "not measured: runs by its own commands"
NOT_FOLLOWED = "not measured: no generators kept along the way"
OTHER_SCENES = "real images show other scenes than the inputs"
NOT_MEASURED = "not measured"

Value = tuple[float | None, str]  # a value in the metric's unit and "", or None and the reason


@dataclass(frozen=True)
class Best:
    """The best epoch of a run, and its scores over the test set."""

    record: BestRecord
    scored: ScoresRecord

    def value(self, metric: Metric) -> Value:
        """Return a fact about the best epoch, or a score of it."""
        if self.record.missing:
            return None, self.record.missing
        if metric.family == "fact":
            return float(getattr(self.record, metric.field)), ""
        return _score(self.scored, metric)


@dataclass(frozen=True)
class Run:
    """One run: its folder, its record, its scores, and its best epoch if one was chosen.

    `steps` has the scores after each step of a translation, for a method that has several;
    `resamples` has scores over the bootstrap's resamples of the images, (resamples,) by name;
    `diversity` says how far translations of one input differ, where this was measured.
    """

    folder: Path
    record: RunRecord
    scored: ScoresRecord
    best: Best | None = None
    steps: tuple[StepScores, ...] = ()
    resamples: Mapping[str, np.ndarray] = field(default_factory=dict)
    diversity: DiversityRecord | None = None

    @property
    def role(self) -> Role:
        """Return "method", "floor" or "ceiling"."""
        return self.record.role

    @property
    def control(self) -> bool:
        """Return whether this is a control and not a method to compare."""
        return self.record.control

    @property
    def protocol(self) -> Protocol:
        """Return everything that the scores depend on."""
        return self.scored.protocol

    @property
    def translates(self) -> bool:
        """Return whether the images are translations of the inputs. The ceiling's are not."""
        return self.role != "ceiling"

    def value(self, metric: str) -> Value:
        """Return (value in the metric's unit, "") or (None, the reason why there is none)."""
        known = METRICS[metric]
        if known.paired and not self.translates:
            return None, OTHER_SCENES
        if known.source == "scores":
            return _score(self.scored, known)
        if self.record.external:
            return None, OWN_CODE
        if not self.record.trained:
            return None, NOT_TRAINED
        if known.source == "best":
            return self.best.value(known) if self.best else (None, NOT_FOLLOWED)
        if known.source == "diversity":
            return _diversity(self.diversity)
        holder = self.record if known.source == "run" else self.scored.translated
        value = getattr(holder, known.field, None)
        return (None, NOT_MEASURED) if value is None else (float(value) / known.divisor, "")


def _diversity(found: DiversityRecord | None) -> Value:
    if found is None:
        return None, NOT_MEASURED
    return found.st_lpips, found.missing or ""


def _score(scored: ScoresRecord, metric: Metric) -> Value:
    value = scored.scores.get(metric.field)
    reason = "" if value is not None else scored.missing.get(metric.field, NOT_MEASURED)
    return value, reason


def load_run(folder: Path) -> Run:
    """Return a finished and scored run.

    Raises:
        UserError: a record is missing or not of its form, or the scores are of other translations
            than this run's.
    """
    folder = Path(folder)
    record = RunRecord.read(folder / "run.json")
    path = folder / "scores.json"
    scored = ScoresRecord.read(path)
    for key in ("dataset", "dataset_digest", "method", "seed"):
        if not scored.translated:
            break
        theirs, ours = getattr(scored.translated, key), getattr(record, key)
        if theirs != ours:
            raise UserError(
                f"{path} scores {key} {theirs!r} but the run beside it has {ours!r}; translate and"
                " score this run again"
            )
    best, steps = _load_best(folder, record), _load_steps(folder, record)
    resamples, diversity = _load_resamples(folder, scored), _load_diversity(folder, record)
    return Run(folder, record, scored, best, steps, resamples, diversity)


def _load_resamples(folder: Path, scored: ScoresRecord) -> dict[str, np.ndarray]:
    """Return the scores over resamples; none where the scores were computed without them."""
    if not scored.resamples_sha256:
        return {}
    rows = Resample.read(folder / "resamples.csv", scored.resamples_sha256)
    names = rows[0].scores if rows else {}
    return {name: np.array([row.scores[name] for row in rows]) for name in names}


def _load_steps(folder: Path, record: RunRecord) -> tuple[StepScores, ...]:
    """Return the scores after each step, or none where none were computed for this training."""
    if not (folder / "steps.json").is_file():
        return ()
    found = StepsRecord.read(folder / "steps.json")
    return found.steps if found.fingerprint == record.fingerprint else ()


def _load_diversity(folder: Path, record: RunRecord) -> DiversityRecord | None:
    """Return the diversity, or None where none was measured for this training."""
    if not (folder / "diversity.json").is_file():
        return None
    found = DiversityRecord.read(folder / "diversity.json")
    return found if found.fingerprint == record.fingerprint else None


def _load_best(folder: Path, record: RunRecord) -> Best | None:
    """Return the best epoch with its scores, or None where none was chosen for this training."""
    if not (folder / "best.json").is_file():
        scored = folder / "best" / "scores.json"
        if scored.is_file() and (folder / "epochs.csv").is_file():
            raise UserError(f"{scored} is there, but no best.json; {BestRecord.again()}")
        return None
    best = BestRecord.read(folder / "best.json")
    if best.fingerprint != record.fingerprint:
        return None  # chosen for an earlier training in this folder
    path = folder / "best" / "scores.json"
    scored = ScoresRecord.read(path)
    if scored.translated is None or scored.translated.epoch != best.epoch:
        epoch = scored.translated.epoch if scored.translated else None
        raise UserError(
            f"{path} scores epoch {epoch}, but the best is {best.epoch}; score the best epoch again"
        )
    return Best(best, scored)


def fids_by_epoch(run: Run) -> dict[int, float]:
    """Return the FID over the test set of each generator that a training kept, by epoch.

    Without a choice of the best epoch there is none: a file would be of an earlier training.

    Raises:
        UserError: `epochs.csv` is missing, damaged, or not the one that `best.json` names.
    """
    if run.best is None:
        return {}
    lines = EpochScores.read(run.folder / "epochs.csv", run.best.record.epochs_sha256)
    return {line.epoch: line.fid for line in lines if line.fid is not None}


def one_dataset(records: Iterable[RunRecord]) -> None:
    """Refuse runs of several data sets, for what shows a single one.

    Raises:
        UserError: they are of more than one.
    """
    names = sorted({record.dataset for record in records})
    if len(names) > 1:
        raise UserError(f"one figure shows one data set, but runs of {', '.join(names)} were given")
