"""Load a finished run's method with its weights."""

from __future__ import annotations

from pathlib import Path

import torch

from cut.base.errors import UserError
from cut.methods.contract import Method
from cut.methods.registry import build_method
from cut.records.run import RunRecord
from cut.training import snapshots


def load_run(run: Path, weights: Path | None = None) -> tuple[RunRecord, Method]:
    """Return a finished run's record, and its method with trained weights: the last, or `weights`.

    Raises:
        UserError: the run is not finished, or the weights are another's or don't fit its options.
    """
    record = RunRecord.read(run / "run.json")
    last = run / "generator.pt"
    weights = weights or last
    if weights == last:
        snapshots.verify(last, record.generator_sha256, run)
    method = build_method(record.algorithm, record.options, record.seed)
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        method.load_generator_state(state)
    except (OSError, RuntimeError, KeyError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{weights} doesn't hold the run's weights: {reason}") from None
    return record, method
