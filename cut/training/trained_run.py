"""Load the method of a finished run with its weights."""

from __future__ import annotations

from pathlib import Path

from cut.base.errors import UserError
from cut.base.tensors import read_tensors
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
    method = build_method(record.algorithm, record.options, record.seed)
    state = read_tensors(weights, "the weights of a generator; delete the run and train it again")
    try:
        method.load_generator_state(state)
    except (RuntimeError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{weights} does not have the weights of {run}: {reason}; train again"
        ) from None
    return record, method
