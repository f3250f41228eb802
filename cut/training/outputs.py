"""The outputs of a training: `generator.pt`, `embedding.pt`, `history.csv` and `run.json`.

`run.json` is written last and removed first, so a folder that has one holds a finished training.
"""

from __future__ import annotations

from pathlib import Path

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.tensors import save_tensors
from cut.data.dataset import Dataset
from cut.records.run import RunRecord
from cut.training import snapshots
from cut.training.checkpoint import Checkpoint
from cut.training.history import History
from cut.training.loop import Loop
from cut.training.run_record import run_record

RECORD = "run.json"
GENERATOR = "generator.pt"
EMBEDDING = "embedding.pt"
HISTORY = "history.csv"


def write_outputs(
    loop: Loop, history: History, checkpoint: Checkpoint, dataset: Dataset, run: Path, name: str
) -> None:
    """Write the outputs of a finished training; the arguments are those of `run_record`."""
    save_tensors(run / GENERATOR, loop.method.generator_state())
    if embedding := loop.method.embedding_state():
        save_tensors(run / EMBEDDING, embedding)
    else:
        (run / EMBEDDING).unlink(missing_ok=True)  # of another training
    history.write(run / HISTORY)
    run_record(loop, history, checkpoint, dataset, run, name).write(run / RECORD)


def finished(run: Path, checkpoint: Checkpoint, name: str) -> bool:
    """Return whether a folder holds this very training, complete.

    The record has to name the same row, options, data and code, and every generator has to be the
    one that the record names.
    """
    try:
        record = RunRecord.read(run / RECORD)
        return (
            record.fingerprint == checkpoint.fingerprint
            and record.code_digest == checkpoint.digests[-1]
            and record.method == name
            and (run / HISTORY).is_file()
            and sha256_of(run / GENERATOR) == record.generator_sha256
            and snapshots.digests(run, list(record.snapshots)) == record.snapshots
        )
    except (UserError, OSError):
        return False


def clear_outputs(run: Path) -> None:
    """Remove the record and the snapshots of another training, before a new one begins."""
    (run / RECORD).unlink(missing_ok=True)
    snapshots.clear(run)
