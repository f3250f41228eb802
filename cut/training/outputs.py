"""The outputs of a training: `generator.pt`, `embedding.pt`, `history.csv` and `run.json`.

`run.json` is written last and removed first, so a folder that has one holds a finished training.
"""

from __future__ import annotations

from pathlib import Path

from cut.base.errors import UserError
from cut.base.files import read_json, sha256_of, write_json
from cut.base.tensors import save_tensors
from cut.data.dataset import Dataset
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
    write_json(run / RECORD, run_record(loop, history, checkpoint, dataset, run, name))


def finished(run: Path, checkpoint: Checkpoint, name: str) -> bool:
    """Return whether a folder holds this very training, complete.

    The record has to name the same row, options, data and code, and every generator has to be the
    one that the record names.
    """
    same = {
        "fingerprint": checkpoint.fingerprint,
        "code_digest": checkpoint.digests[-1],
        "method": name,
    }
    try:
        record = read_json(run / RECORD)
        epochs = [int(epoch) for epoch in record["snapshots"]]
        return (
            same.items() <= {key: record.get(key) for key in same}.items()
            and (run / HISTORY).is_file()
            and sha256_of(run / GENERATOR) == record["generator_sha256"]
            and snapshots.digests(run, epochs) == record["snapshots"]
        )
    except (UserError, OSError, KeyError, TypeError, ValueError):
        return False


def clear_outputs(run: Path) -> None:
    """Remove the record and the snapshots of another training, before a new one begins."""
    (run / RECORD).unlink(missing_ok=True)
    snapshots.clear(run)
