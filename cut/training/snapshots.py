"""The generators that a training keeps along the way, to score and to choose among afterwards.

They lie undeclared beside a run's outputs: `RUN/snapshots/epoch0004.pt`; `run.json` names each
with its digest. The last epoch's generator is the run's own `generator.pt`.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.tensors import save_tensors
from cut.records.run import RunRecord


def kept_epochs(every: int, epochs: int) -> list[int]:
    """Return the 1-based epochs kept in snapshots: every `every`-th before the last."""
    return list(range(every, epochs, every)) if every else []


def path_of(run: Path, epoch: int) -> Path:
    """Return where the generator of `epoch` is kept."""
    return Path(run) / "snapshots" / f"epoch{epoch:04d}.pt"


def save(run: Path, epoch: int, state: dict[str, Any]) -> None:
    """Write a generator's state, atomically."""
    save_tensors(path_of(run, epoch), state)


def clear(run: Path) -> None:
    """Remove what another training left in this folder."""
    shutil.rmtree(Path(run) / "snapshots", ignore_errors=True)


def digests(run: Path, epochs: list[int]) -> dict[int, str]:
    """Return {epoch: sha256 of its file}."""
    return {epoch: sha256_of(path_of(run, epoch)) for epoch in epochs}


def verified(run: Path, record: RunRecord) -> dict[int, Path]:
    """Return {epoch: file} of a finished run, the last epoch's `generator.pt` included.

    Raises:
        UserError: a file is gone or is not the one that the record names.
    """
    found = {epoch: path_of(run, epoch) for epoch in record.snapshots}
    for epoch, path in found.items():
        verify(path, record.snapshots[epoch], run)
    last = Path(run) / "generator.pt"
    verify(last, record.generator_sha256, run)
    return {**found, record.epochs: last}


def verify(path: Path, digest: str, run: Path) -> None:
    """Refuse a generator that is not the one of a run's record; without a digest any is.

    Raises:
        UserError: the file is gone or has another sha256.
    """
    if not path.is_file() or digest and sha256_of(path) != digest:
        state = "is not the one that run.json names" if path.is_file() else "is gone"
        raise UserError(f"{path} {state}; delete {run} and train again")
