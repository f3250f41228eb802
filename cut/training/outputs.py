"""The outputs of a training: `generator.pt`, `embedding.pt`, `history.csv` and `run.json`.

`run.json` is written last and removed first, so a folder that has one holds a finished training.
"""

from __future__ import annotations

from pathlib import Path

from cut.base.files import remove_unfinished
from cut.base.tensor_files import save_tensors
from cut.data.dataset import Dataset
from cut.records.run import RunRecord
from cut.training import snapshots
from cut.training.checkpoint import Checkpoint, check_finite
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
    """Write the outputs of a finished training; the arguments are those of `run_record`.

    Raises:
        UserError: a weight is not finite; nothing is written.
    """
    generator, embedding = loop.generator_state(), loop.method.embedding_state()
    check_finite({"generator": generator, "embedding": embedding}, loop, history)
    save_tensors(run / GENERATOR, generator)
    if embedding:
        save_tensors(run / EMBEDDING, embedding)
    else:
        (run / EMBEDDING).unlink(missing_ok=True)  # of another training
    history.write(run / HISTORY)
    run_record(loop, history, checkpoint, dataset, run, name).write(run / RECORD)


def finished(run: Path) -> RunRecord | None:
    """Return the record of the finished training in a folder, or None if there is none.

    Raises:
        UserError: the record can't be read.
    """
    return RunRecord.read(run / RECORD) if (run / RECORD).is_file() else None


def lost(run: Path, record: RunRecord) -> list[str]:
    """Return the outputs that are missing or damaged, and that no copy in the run gives back.

    Every generator has to be the one that the record names.
    """
    generators = {snapshots.path_of(run, epoch): d for epoch, d in record.snapshots.items()}
    generators[run / GENERATOR] = record.generator_sha256
    files = [path for path, digest in generators.items() if not snapshots.whole(path, digest, run)]
    files += [] if (run / HISTORY).is_file() else [run / HISTORY]
    return [str(path.relative_to(run)) for path in files]


def clear(run: Path, keep: list[int]) -> None:
    """Remove the record before a training begins, and the snapshots but those of epochs `keep`."""
    (run / RECORD).unlink(missing_ok=True)
    snapshots.clear(run, keep)


def remove_parts(run: Path) -> None:
    """Remove the files that a killed training was writing; call it under the run's lock."""
    remove_unfinished(run, RECORD, GENERATOR, EMBEDDING, HISTORY)
    remove_unfinished(run / "state")
    remove_unfinished(snapshots.folder_of(run))
