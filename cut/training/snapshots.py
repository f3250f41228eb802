"""The generators that a training keeps at some epochs, to score them and choose one.

They are `RUN/snapshots/epoch0004.pt` and so on; `run.json` has the digest of each. Snakemake does
not know them. The generator of the last epoch is the run's `generator.pt`.
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
    """Return the 1-based epochs kept: every `every`-th one before the last; none if it is 0."""
    return list(range(every, epochs, every)) if every else []


def path_of(run: Path, epoch: int) -> Path:
    """Return the file of the generator of `epoch`."""
    return Path(run) / "snapshots" / f"epoch{epoch:04d}.pt"


def save(run: Path, epoch: int, state: dict[str, Any]) -> None:
    """Write a generator's state, atomically."""
    save_tensors(path_of(run, epoch), state)


def clear(run: Path) -> None:
    """Remove the snapshots of another training."""
    shutil.rmtree(Path(run) / "snapshots", ignore_errors=True)


def digests(run: Path, epochs: list[int]) -> dict[int, str]:
    """Return {epoch: sha256 of its generator}."""
    return {epoch: sha256_of(path_of(run, epoch)) for epoch in epochs}


def verified(run: Path, record: RunRecord) -> dict[int, Path]:
    """Return {epoch: file} of a finished run, including `generator.pt` of the last epoch.

    Raises:
        UserError: a file is missing, or its digest is not the one in the record.
    """
    found = {epoch: path_of(run, epoch) for epoch in record.snapshots}
    for epoch, path in found.items():
        verify(path, record.snapshots[epoch], run)
    last = Path(run) / "generator.pt"
    verify(last, record.generator_sha256, run)
    return {**found, record.epochs: last}


def verify(path: Path, digest: str, run: Path) -> None:
    """Check that a generator has the sha256 `digest`; an empty `digest` accepts any.

    Raises:
        UserError: the file is missing or has another sha256.
    """
    if not path.is_file() or digest and sha256_of(path) != digest:
        state = "is not the one that run.json names" if path.is_file() else "is missing"
        raise UserError(f"{path} {state}; delete {run} and train again")
