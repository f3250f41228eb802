"""One training from start to end: the loop, its log, its checkpoints and its outputs.

A run can be killed at any moment. The same command continues it and ends with the same weights,
to the bit, as a training that was never interrupted.
"""

from __future__ import annotations

import time
from pathlib import Path

import torch

from cut.data.dataset import Dataset
from cut.methods.code_digest import code_digest
from cut.methods.contract import Batch, Method
from cut.records.progress import ProgressRecord
from cut.training import outputs, run_lock, snapshots
from cut.training.board import Board
from cut.training.checkpoint import Checkpoint, StopSignal, fingerprint
from cut.training.history import History
from cut.training.loop import Loop
from cut.training.options import TrainingOptions


class Trainer:
    """Train `method` on `dataset`; write `run.json`, `history.csv` and `generator.pt` to `out`."""

    def __init__(
        self,
        method: Method,
        dataset: Dataset,
        options: TrainingOptions,
        out: Path,
        *,
        name: str,
        size: tuple[int, int],
        device: torch.device,
    ) -> None:
        self.method, self.dataset, self.options, self.out = method, dataset, options, out
        self.name = name
        source, target = self._images("source"), self._images("target")
        self.loop = Loop(method, source, target, options, size, device)
        self.history = History(name, options.batch_size)
        decides = fingerprint(self.loop, dataset.digest)
        self.checkpoint = Checkpoint(out, decides, code_digest(type(method)))
        self.progress = out / ProgressRecord.files[0]
        self.stop = StopSignal()
        self.board = Board(out) if options.tensorboard else None

    def run(self) -> int:
        """Train to the end; return 0, or 128 + the signal that stopped the run."""
        with self.stop.caught(), run_lock.only_one(self.out, lambda: self.stop.number) as mine:
            if not mine:
                return 128 + self.stop.number
            if outputs.finished(self.out, self.checkpoint, self.name):
                self._drop_state()  # left if the run was killed after writing its record
                print(f"{self.out} holds this very run, done; delete the folder to train it again")
                return 0
            self._resume()
            if not self._train():
                print(
                    f"stopped by signal {self.stop.number} at step {self.loop.iteration};"
                    " the same command continues from here",
                    flush=True,
                )
                return 128 + self.stop.number
            self._finish()
        return 0

    def _train(self) -> bool:
        """Take the steps that are left; return False if a signal stopped them."""
        saved = time.monotonic()
        for batch in self.loop.batches():
            self._step(batch)
            self._keep_snapshot()
            due = time.monotonic() - saved > 60 * self.options.checkpoint_minutes
            if self.stop.number or due:
                self.checkpoint.save(self.loop, self.history)
                saved = time.monotonic()
            if self.stop.number:
                return False
        return True

    def _step(self, batch: Batch) -> None:
        loop, history = self.loop, self.history
        begin = time.perf_counter()
        losses = loop.step(batch)
        history.add(loop.iteration, losses)
        due = loop.iteration % self.options.log_every == 0 or loop.iteration == loop.total
        if due:
            history.flush()  # waits for the device, so that the interval's time is complete
        history.interval_seconds += time.perf_counter() - begin
        if due:
            self._log()

    def _log(self) -> None:
        loop = self.loop
        row = self.history.close(loop.iteration, loop.epoch, loop.lr_factor(loop.epoch))
        print(self.history.line(row, loop.epochs, loop.total), flush=True)
        progress = ProgressRecord(
            iteration=loop.iteration,
            iterations=loop.total,
            epoch=loop.epoch,
            epochs=loop.epochs,
            images_per_second=row["images_per_second"],
            seconds_left=self.history.seconds_left(loop.iteration, loop.total),
        )
        progress.write(self.progress)
        if self.board is not None:
            self.board.show(loop, row)

    def _keep_snapshot(self) -> None:
        """Keep the generator at the end of an epoch that will be scored."""
        epoch, inside = divmod(self.loop.iteration, self.loop.steps)
        kept = snapshots.kept_epochs(self.options.snapshot_every, self.loop.epochs)
        if not inside and epoch in kept:
            snapshots.save(self.out, epoch, self.method.generator_state())

    def _images(self, domain: str) -> list[Path]:
        """Return the training images of a domain, without those held out."""
        if not self.method.trained:
            return []
        return self.dataset.held_out(domain, self.options.held_out)[0]

    def _resume(self) -> None:
        """Continue from the saved state, or clear what another training left."""
        if self.checkpoint.restore(self.loop, self.history):
            print(f"continuing from step {self.loop.iteration}", flush=True)
        else:
            outputs.clear_outputs(self.out)
            self.progress.unlink(missing_ok=True)

    def _finish(self) -> None:
        """Write the outputs and drop the training state."""
        outputs.write_outputs(
            self.loop, self.history, self.checkpoint, self.dataset, self.out, self.name
        )
        self._drop_state()

    def _drop_state(self) -> None:
        self.progress.unlink(missing_ok=True)
        self.checkpoint.drop()
