"""The protocol behind a number. Only runs with the same protocol may stand in one table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cut.base.errors import UserError
from cut.records.names import check_sets
from cut.records.scores import Weights
from cut.results.run import Run, load_run
from cut.training.options import DEFAULTS, WEIGHTS_DEPEND_ON

# What the seeds of one row share besides these options.
ONE_ROW = ("algorithm", "options", "training", "epochs", "iterations", "code_digest")


def image_counts(run: Run) -> tuple[int, int]:
    """Return the numbers of translations scored and of real images."""
    return run.protocol.fake.images, run.protocol.real.images


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
    """Return everything that two runs must share to stand in one table.

    Left out: which translations these are; KID's subsets, whose size follows from the number of
    images; where equal weights were found; and why there is no score.
    """
    protocol = run.protocol.model_dump()
    sides = [protocol[name] for name in ("real", "fake", "training") if protocol[name]]
    for part in (protocol, *sides):
        part["weights"] = part["weights"] and Weights(**part["weights"]).name
    kept = {
        key: value
        for key, value in flatten(protocol).items()
        if value is not None
        and not key.startswith(("fake.images_", "kid."))
        and not key.endswith("reason")
    }
    return kept | {
        "image size": run.record.size,
        "image fit": run.record.fit,
        "data digest": run.record.dataset_digest,
    }


def protocol_digest(run: Run) -> str:
    """Return a short digest of `comparison_key`."""
    # Digests are older than `fit`, of which the default is what there was before.
    key = {k: v for k, v in comparison_key(run).items() if not k.endswith("fit") or v != "stretch"}
    text = json.dumps(key, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def what_decides(run: Run) -> dict[str, Any]:
    """Return what the seeds of one row share: everything but the seed that decides the weights."""
    # A record of an earlier version lacks the options that came later.
    given = {**DEFAULTS, **run.record.training}
    training = {name: given[name] for name in WEIGHTS_DEPEND_ON}
    return {key: getattr(run.record, key) for key in ONE_ROW} | {"training": training}


def load_comparable(folders: Sequence[Path]) -> list[Run]:
    """Return the runs in `folders`, which may stand in one table.

    Raises:
        UserError: none is given, a record is missing or not of its form, or runs differ in what
            they must share.
    """
    if not folders:
        raise UserError("no runs were given; name at least one run's folder")
    runs = [load_run(folder) for folder in folders]
    check_comparable(runs)
    return runs


def check_comparable(runs: Sequence[Run]) -> None:
    """Refuse runs that do not belong in one table.

    Raises:
        UserError: runs of one data set were scored by different protocols; two data sets would
            share a table; a run is given twice; or the seeds of one row differ in more than the
            seed.
    """
    _check_protocols(runs)
    check_sets({run.record.dataset for run in runs})  # their tables lie side by side
    seen: dict[tuple, Run] = {}
    rows: dict[tuple, Run] = {}
    for run in runs:
        record = run.record
        row = (record.dataset, record.method)
        same = seen.setdefault((*row, record.seed), run)
        if same is not run:
            raise UserError(
                f"{same.folder} and {run.folder} are both {record.method} with seed"
                f" {record.seed} on {record.dataset}; give one of them"
            )
        _check_seeds(rows.setdefault(row, run), run)


def _check_seeds(one: Run, other: Run) -> None:
    """Refuse two seeds of one row that differ in more than the seed."""
    theirs = what_decides(one)
    for key, value in what_decides(other).items():
        if value != theirs[key]:
            raise UserError(
                f"{one.folder} and {other.folder} are seeds of one row but differ in {key}"
                f" ({theirs[key]!r}, {value!r}); train both with the same settings and code"
            )


def _check_protocols(runs: Sequence[Run]) -> None:
    """Refuse runs of one data set with different protocols, or ways of choosing the best epoch."""
    agreed: dict[tuple[str, str], tuple[Any, Path]] = {}
    for run in runs:
        key = comparison_key(run)
        if not run.translates:
            # Few training images may be all there are. The caption gives their number.
            key.pop("fake.images", None)
        if run.best and not run.best.record.missing:
            best = run.best.record
            key |= {"best epoch's chosen_on": best.chosen_on, "best epoch's every": best.every}
        # A key that a run lacks belongs to a score that it lacks, which the table shows as missing.
        for name, value in sorted(key.items()):
            first, folder = agreed.setdefault((run.record.dataset, name), (value, run.folder))
            if first != value:
                raise UserError(
                    f"{folder} and {run.folder} differ in {name} ({first!r}, {value!r}), so they"
                    " can't stand in one table; score both the same way or give only one"
                )
