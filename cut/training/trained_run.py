"""Load a finished run's method with its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from cut.base.errors import UserError
from cut.base.files import read_json
from cut.methods.contract import Method
from cut.methods.registry import build_method
from cut.training import snapshots


def load_run(run: Path, weights: Path | None = None) -> tuple[dict[str, Any], Method]:
    """Return a finished run's record, and its method with trained weights: the last, or `weights`.

    Raises:
        UserError: the run is not finished, or the weights are another's or don't fit its options.
    """
    facts = read_json(run / "run.json")
    last = run / "generator.pt"
    weights = weights or last
    if weights == last:
        snapshots.verify(last, facts.get("generator_sha256", ""), run)
    method = build_method(facts["algorithm"], facts["options"], facts["seed"])
    try:
        state = torch.load(weights, map_location="cpu", weights_only=True)
        method.load_generator_state(state)
    except (OSError, RuntimeError, KeyError, EOFError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{weights} doesn't hold the run's weights: {reason}") from None
    return facts, method
