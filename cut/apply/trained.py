"""Find a trained generator, and the record that says which method and options it has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.methods.contract import Method
from cut.records.run import RunRecord
from cut.training.outputs import GENERATOR, RECORD
from cut.training.trained_run import load_run


@dataclass(frozen=True)
class Trained:
    """A trained generator.

    Attributes:
        run: the folder of its run.
        record: of the run.
        method: with the trained weights.
        digest: sha256 of the file of the weights; empty for a control, which has none.
        epoch: the epoch of the weights, counted from 1.
    """

    run: Path
    record: RunRecord
    method: Method
    digest: str
    epoch: int

    @property
    def one_result(self) -> bool:
        """Return whether an image has one translation, and not several to draw from."""
        return not self.method.scored(self.method.options)


def load_trained(place: Path) -> Trained:
    """Return the generator of a run's folder, or in a file of a run.

    Such a file is the run's `generator.pt`, one of its snapshots, or that of its best epoch. The
    weights alone do not say which method and options they belong to, so `run.json` has to be in the
    file's folder or in the one above.

    Raises:
        UserError: there is no finished run, the file is none of the run's generators, or the run is
            of a method that translates no single image.
    """
    place = Path(place)
    if place.is_dir():
        run, weights = place, None
    elif place.is_file():
        run, weights = _run_of(place), place
    else:
        raise UserError(f"there is no {place}; give a run's folder, or a generator in it")
    record = RunRecord.read(run / RECORD)
    if record.external:
        raise UserError(
            f"{run} is a run of {record.algorithm}, which translates by commands of its own; only"
            " the workflow runs them"
        )
    if record.role == "ceiling":
        raise UserError(f"{run} is a run of {record.algorithm}, a control that translates nothing")
    epoch = record.epochs if weights is None else _epoch(record, weights)
    record, method = load_run(run, weights)
    digest = sha256_of(weights or run / GENERATOR) if method.trained else ""
    return Trained(run, record, method, digest, epoch)


def _run_of(weights: Path) -> Path:
    """Return the folder of the run that a file of weights belongs to."""
    for folder in weights.absolute().parents[:2]:
        if (folder / RECORD).is_file():
            return folder
    raise UserError(
        f"{weights} has no {RECORD} in its folder or the one above, and weights alone do not say"
        " which method and options they are of; give the run's folder"
    )


def _epoch(record: RunRecord, weights: Path) -> int:
    """Return the epoch of weights that the run's record names."""
    digest = sha256_of(weights)
    if digest == record.generator_sha256:
        return record.epochs
    for epoch, known in record.snapshots.items():
        if digest == known:
            return epoch
    raise UserError(
        f"{weights} is none of the generators that the run's {RECORD} names, so it is damaged or of"
        " another training; give the run's folder"
    )
