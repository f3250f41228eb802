"""Which runs may stand in one table: a number carries its protocol, and protocols are not mixed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cut.base.errors import UserError
from cut.records.scores import Weights
from cut.training.options import WEIGHTS_DEPEND_ON

if TYPE_CHECKING:
    from cut.results.run import Run

ONE_ROW = ("algorithm", "options", "training", "epochs", "iterations", "code_digest")


def image_counts(run: Run) -> tuple[int | None, int | None]:
    """Return (translations scored, references), or None where the record doesn't say."""
    sides = (run.protocol.get(side) or {} for side in ("fake", "real"))
    fake, real = (side.get("images") for side in sides)
    return fake, real


def flatten(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested mappings as one, with keys joined by dots."""
    flat: dict[str, Any] = {}
    for key, inner in value.items():
        if isinstance(inner, Mapping):
            flat |= flatten(inner, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = inner
    return flat


def comparison_key(run: Run) -> dict[str, Any]:
    """Return all that two runs must share to stand in one table.

    Left out: which translations these are, and KID's subsets, whose size follows from their
    number; where equal weights were found; why there is no score.
    """
    kept = {
        key: value
        for key, value in flatten(_with_networks(run.protocol)).items()
        if value is not None
        and not key.startswith(("fake.images_", "kid."))
        and not key.endswith("reason")
    }
    return kept | {"image size": run.facts["size"], "data digest": run.facts["dataset_digest"]}


def _with_networks(protocol: Mapping[str, Any]) -> dict[str, Any]:
    """Return a protocol with the name of its weights in their place."""
    found = {}
    for key, value in protocol.items():
        if key == "weights" and isinstance(value, Mapping):
            found[key] = Weights(**value).name
        else:
            found[key] = _with_networks(value) if isinstance(value, Mapping) else value
    return found


def protocol_digest(run: Run) -> str:
    """Return a short digest of `comparison_key`."""
    text = json.dumps(comparison_key(run), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def check_comparable(runs: Sequence[Run]) -> None:
    """Refuse runs that do not belong in one table.

    Raises:
        UserError: runs of one data set were scored by different protocols; a run is given twice;
            or the seeds of one row differ in more than the seed.
    """
    _check_protocols(runs)
    seen: dict[tuple, Run] = {}
    rows: dict[tuple, Run] = {}
    for run in runs:
        facts = run.facts
        row = (facts["dataset"], facts["method"])
        same = seen.setdefault((*row, facts["seed"]), run)
        if same is not run:
            raise UserError(
                f"{same.folder} and {run.folder} are both {facts['method']} with seed"
                f" {facts['seed']} on {facts['dataset']}; give one of them"
            )
        other = rows.setdefault(row, run)
        for key, mine in what_decides(run).items():
            theirs = what_decides(other)[key]
            if mine != theirs:
                raise UserError(
                    f"{other.folder} and {run.folder} are seeds of one row but differ in {key}"
                    f" ({theirs!r}, {mine!r}); train both with the same settings and code"
                )


def what_decides(run: Run) -> dict[str, Any]:
    """Return what the seeds of one row must share: all that decides the weights but the seed."""
    facts = dict(run.facts)
    training = facts.get("training") or {}
    facts["training"] = {name: training.get(name) for name in WEIGHTS_DEPEND_ON}
    return {key: facts[key] for key in ONE_ROW}


def _check_protocols(runs: Sequence[Run]) -> None:
    """Refuse runs of one data set whose protocols differ, or the ways their best were chosen."""
    agreed: dict[tuple[str, str], tuple[Any, Path]] = {}
    for run in runs:
        key = comparison_key(run)
        if run.facts["algorithm"] == "real":
            # Few training images may be all there are; the caption says how many.
            key.pop("fake.images", None)
        if run.best and not run.best["missing"]:
            key |= {f"best epoch's {name}": run.best[name] for name in ("chosen_on", "every")}
        # A key that a run lacks belongs to a score it lacks: the table says so with a dash.
        for name, value in sorted(key.items()):
            first, folder = agreed.setdefault((run.facts["dataset"], name), (value, run.folder))
            if first != value:
                raise UserError(
                    f"{folder} and {run.folder} differ in {name} ({first!r}, {value!r}), so they"
                    " can't stand in one table; score both the same way or give only one"
                )
