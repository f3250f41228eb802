"""Make the record of a finished training: `run.json`."""

from __future__ import annotations

from pathlib import Path

from cut.base import environment
from cut.base.files import sha256_of
from cut.base.image_form import other_form
from cut.data.dataset import Dataset
from cut.records.run import Hardware, RunRecord
from cut.training import snapshots
from cut.training.checkpoint import Checkpoint
from cut.training.history import History
from cut.training.loop import Loop


def run_record(
    loop: Loop, history: History, checkpoint: Checkpoint, dataset: Dataset, run: Path, name: str
) -> RunRecord:
    """Return what ran, on what, and what it cost.

    Args:
        loop: after its last step.
        history: the losses, and the seconds spent in steps.
        checkpoint: gives the fingerprint and the digests of code, first weights and snapshots.
        dataset: the source of the training images.
        run: the run's folder with `generator.pt`, `history.csv` and the snapshots.
        name: the name of the row.
    """
    method, options = loop.method, loop.options
    kept = snapshots.kept_epochs(options.snapshot_every, loop.epochs)
    steps, seconds = loop.iteration, history.train_seconds
    return RunRecord(
        dataset=dataset.name,
        dataset_digest=dataset.digest,
        method=name,
        algorithm=method.name,
        description=method.summary,
        role=method.role,
        scored=method.scored(method.options),
        seed=method.seed,
        options=method.options.model_dump(),
        training=options.model_dump() if method.trained else {},
        size=loop.size,
        fit=method.images.fit,
        source_form=other_form(method.images.source),
        target_form=other_form(method.images.target),
        epochs=loop.epochs,
        iterations=steps,
        images_seen=loop.images_until(steps),
        seconds_per_iteration=seconds / steps if steps else None,
        train_seconds=seconds,
        waiting_seconds=history.waiting_seconds() if steps else None,
        operations_per_pair=history.operations_per_pair(),
        **environment.peak_memory(loop.device),
        device=loop.device.type,
        hardware=Hardware(**environment.hardware(loop.device)),
        versions=environment.versions(),
        fingerprint=checkpoint.fingerprint,
        code_digest=checkpoint.digests[-1],
        earlier_code_digests=tuple(checkpoint.digests[:-1]),
        parameters=method.parameter_counts(),
        losses=method.loss_records(),
        generator_sha256=sha256_of(run / "generator.pt"),
        history_sha256=sha256_of(run / "history.csv"),
        snapshots=snapshots.digests(run, kept, checkpoint.snapshots),
        begun_from=checkpoint.begun_from,
    )
