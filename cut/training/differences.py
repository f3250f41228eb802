"""What a finished run and a request differ in, and refusing to replace the run.

A finished training may be the work of days. Another one takes its place only if that is asked for.
This module loads no torch: plans use it too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cut.base.errors import UserError
from cut.records.run import RunRecord
from cut.training.options import DEFAULTS, WITHOUT_EFFECT, shorter_schedule

# The words for fields of run.json whose values would tell a reader nothing.
DIGESTS = {
    "code_digest": "other code of the method",
    "dataset_digest": "other images",
    "begun_from": "other first weights (begin_from)",
    "fingerprint": "settings that an earlier version wrote",
}
NAMES = {"method": "row", "algorithm": "method"}
# `begun_from` has the digest of the weights, wherever they lie.
NOT_COMPARED = {*WITHOUT_EFFECT, "begin_from"}


def check_replaced(run: Path, record: RunRecord, wanted: Mapping[str, Any]) -> None:
    """Refuse to replace the finished run in a folder by another one.

    Args:
        run: the folder.
        record: its `run.json`.
        wanted: the fields of `run.json` that the new run would have, as far as they are known.

    Raises:
        UserError: how the two differ. There is none if the new run extends the finished one, or if
            the finished one was not trained.
    """
    if not (record.trained or record.external):
        return
    found = differences(record, wanted)
    if not found:
        return
    reason = ""
    if not differences(record, shorter(wanted)):
        if state_of(run, record).is_file():
            return
        reason = ", and its state was not kept (keep_state), so it can't be extended"
    raise UserError(
        f"{run} holds a finished run that differs: {'; '.join(found)}{reason}. Give the new run"
        " another folder (results: in a config), or replace the finished one with --replace"
        " (replace: true in a config)"
    )


def state_of(run: Path, record: RunRecord) -> Path:
    """Return the file of a finished run's training state, which exists only if it was kept."""
    return run / "state" / f"{record.fingerprint}.pt"


def shorter(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of the run that `wanted` extends; the same if it extends none."""
    training = {**DEFAULTS, **wanted["training"]}
    if not training["extends"]:
        return dict(wanted)
    schedule = shorter_schedule(training["extends"])
    kept = {name: value for name, value in wanted.items() if name != "fingerprint"}
    return {**kept, "training": {**training, **schedule}}


def differences(record: RunRecord, wanted: Mapping[str, Any]) -> list[str]:
    """Return what differs between a run and `wanted`, as in "seed 0, now 1"."""
    found = []
    for name, value in json.loads(json.dumps(wanted)).items():
        had = json.loads(json.dumps(getattr(record, name)))
        if name == "fingerprint" and found:
            continue  # it follows from the others
        if name in DIGESTS:
            found += [DIGESTS[name]] * (had != value)
        elif name == "training" and not (had and value):
            continue  # a control or a method of commands: the loop's options do not reach it
        elif isinstance(value, dict):
            defaults = DEFAULTS if name == "training" else {}
            found += _options({**defaults, **had}, {**defaults, **value})
        elif had != value:
            found.append(f"{NAMES.get(name, name)} {_short(had)}, now {_short(value)}")
    return found


def _options(had: Mapping[str, Any], value: Mapping[str, Any]) -> list[str]:
    names = [name for name in {**had, **value} if name not in NOT_COMPARED]
    return [
        f"{name} {_short(had.get(name))}, now {_short(value.get(name))}"
        for name in names
        if had.get(name) != value.get(name)
    ]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
