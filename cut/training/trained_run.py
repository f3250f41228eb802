"""Load the method of a finished run with its weights."""

from __future__ import annotations

from pathlib import Path

from cut.base.errors import UserError
from cut.base.image_form import RGB, Images
from cut.base.tensor_files import read_tensors
from cut.methods.contract import Method
from cut.methods.registry import build_method
from cut.records.run import RunRecord
from cut.training import snapshots


def load_run(run: Path, weights: Path | None = None) -> tuple[RunRecord, Method]:
    """Return the record of a finished run, and its method with trained weights.

    Args:
        run: the run's folder.
        weights: the file of the generator; by default the run's `generator.pt`.

    Raises:
        UserError: the run is not finished, or the weights are of another run or do not fit its
            options.
    """
    record = RunRecord.read(run / "run.json")
    last = run / "generator.pt"
    weights = weights or last
    if weights == last:
        snapshots.verify(last, record.generator_sha256, run)
    images = Images(record.source_form or RGB, record.target_form or RGB, record.fit)
    method = build_method(record.algorithm, record.options, record.seed, images=images)
    load_weights(method, weights)
    return record, method


def load_weights(method: Method, path: Path) -> None:
    """Give a method the generator in a file.

    Raises:
        UserError: the file is missing or damaged, or its weights do not fit the method's options.
    """
    state = read_tensors(path, "the weights of a generator")
    try:
        method.load_generator_state(state)
    except (RuntimeError, KeyError, TypeError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path} does not have the weights of {method.name} with these options: {reason}"
        ) from None


def generator_file(place: Path) -> Path:
    """Return the generator that the option `begin_from` names: a file, or that of a finished run.

    Raises:
        UserError: there is none, or it is not the one that the run's record names.
    """
    if not place.is_dir():
        if not place.is_file():
            raise UserError(f"begin_from is {place}; give a run's folder, or a generator.pt")
        return place
    record = RunRecord.read(place / "run.json")
    snapshots.verify(place / "generator.pt", record.generator_sha256, place)
    return place / "generator.pt"
