"""One training from start to end: the loop, its log, its checkpoints and its outputs.

A run can be killed at any moment. The same command continues it and ends with the same weights,
to the bit, as a training that was never interrupted.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch

from cut.base.errors import UserError
from cut.base.files import sha256_of, user_path
from cut.data.dataset import Dataset
from cut.methods.code_digest import code_digest
from cut.methods.contract import Batch, BatchWithSecond, Method
from cut.records.progress import ProgressRecord
from cut.records.request import RequestRecord
from cut.records.run import RunRecord
from cut.training import outputs, run_lock, snapshots, trained_run
from cut.training.board import Board
from cut.training.checkpoint import Checkpoint, StopSignal, check_finite, fingerprint
from cut.training.differences import check_replaced, differences
from cut.training.history import History
from cut.training.loop import Loop
from cut.training.options import TrainingOptions, shorter_options
from cut.training.work import Operations


class Trainer:
    """Train `method` on `dataset`; write `run.json`, `history.csv` and `generator.pt` to `out`."""

    def __init__(
        self,
        method: Method,
        dataset: Dataset,
        options: TrainingOptions,
        out: Path,
        *,
        request: RequestRecord,
        size: tuple[int, int],
        device: torch.device,
    ) -> None:
        self.method, self.dataset, self.options, self.out = method, dataset, options, out
        self.request, self.name = request, request.row
        source, target = self._images("source"), self._images("target")
        self.loop = Loop(method, source, target, options, size, device)
        self.history = History(self.name)
        self.first = None  # the file of the weights to begin from
        if options.begin_from and method.trained:
            self.first = trained_run.generator_file(user_path(options.begin_from))
        self.checkpoint = self._checkpoint(options)
        # The run that this one extends.
        self.shorter = options.extends and self._checkpoint(shorter_options(options))
        self.progress = out / ProgressRecord.files[0]
        self.stop = StopSignal()
        self.board = Board(out) if options.tensorboard else None

    def run(self) -> int:
        """Train to the end; return 0, or 128 + the signal that stopped the run."""
        with self.stop.caught(), run_lock.only_one(self.out, lambda: self.stop.number) as mine:
            if not mine:
                return 128 + self.stop.number
            outputs.remove_parts(self.out)
            if done := self._done():
                # Left if the run was killed after writing its record, or kept to extend it.
                self._drop_state(keep=done.training.get("keep_state", False))
                print(f"{self.out} holds this very run, done; delete the folder to train it again")
                return 0
            self.request.write(self.out / RequestRecord.files[0])
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

    def _checkpoint(self, options: TrainingOptions) -> Checkpoint:
        begun_from = sha256_of(self.first) if self.first else ""
        decides = fingerprint(self.loop, self.dataset.digest, begun_from, options)
        return Checkpoint(self.out, decides, code_digest(type(self.method)), begun_from)

    def _done(self) -> RunRecord | None:
        """Return the record if the folder holds this very training, complete.

        Raises:
            UserError: it holds another one, which is not to be replaced.
        """
        mine = self.checkpoint
        try:
            record = outputs.finished(self.out)
        except UserError as error:
            if self.request.replace or mine.path.is_file():
                return None
            raise UserError(f"{error}; --replace trains in its place, from the start") from None
        if record is None:
            return None
        wanted = self._wanted()
        if differences(record, wanted):
            if not self.request.replace:
                check_replaced(self.out, record, wanted)
            if record.code_digest == mine.trained_by() != mine.digests[-1]:
                mine.drop()  # of a finished training by other code, kept to extend it
            return None
        if not (lost := outputs.lost(self.out, record)):
            return record
        if self.request.replace or mine.path.is_file():
            return None
        raise UserError(
            f"{self.out} is finished but lacks {' and '.join(lost)} (missing or damaged), and no"
            " copy is in the run; put one back from elsewhere, or train again from the start with"
            " --replace (replace: true in a config)"
        )

    def _wanted(self) -> dict[str, Any]:
        """Return the fields of `run.json` that say what the run is."""
        method, mine = self.method, self.checkpoint
        return {
            "method": self.name,
            "algorithm": method.name,
            "seed": method.seed,
            "size": self.loop.size,
            "fit": method.images.fit,
            "device": self.loop.device.type,
            "options": method.options.model_dump(),
            "training": self.options.model_dump() if method.trained else {},
            "dataset_digest": self.dataset.digest,
            "code_digest": mine.digests[-1],
            "begun_from": mine.begun_from,
            "fingerprint": mine.fingerprint,
        }

    def _train(self) -> bool:
        """Take the steps that are left; return False if a signal stopped them."""
        saved = time.monotonic()
        for batch in self.history.timed(self.loop.batches()):
            self._step(batch)
            self._keep_snapshot()
            due = time.monotonic() - saved > 60 * self.options.checkpoint_minutes
            if self.stop.number or due:
                self.checkpoint.save(self.loop, self.history)
                saved = time.monotonic()
            if self.stop.number:
                return False
        return True

    def _step(self, batch: Batch | BatchWithSecond) -> None:
        loop, history = self.loop, self.history
        begin = time.perf_counter()
        if loop.iteration % self.options.log_every:
            losses = loop.step(batch)
        else:  # the first step of an interval
            with Operations() as work:
                losses = loop.step(batch)
            history.count(work.count + loop.replayed, len(batch.source))
        history.add(loop.iteration, losses)
        due = loop.iteration % self.options.log_every == 0 or loop.iteration == loop.total
        if due:
            history.flush()  # waits for the device, so that the interval's time is complete
        history.interval_seconds += time.perf_counter() - begin
        if due:
            self._log()

    def _log(self) -> None:
        loop = self.loop
        rows = self.history.rows
        seen = loop.images_until(loop.iteration)
        new = seen - loop.images_until(rows[-1]["iteration"] if rows else 0)
        row = self.history.close(loop.iteration, loop.epoch, loop.lr_factor(loop.epoch), new)
        left = self.history.seconds_left(seen, loop.images_until(loop.total))
        print(self.history.line(row, loop.epochs, loop.total, left), flush=True)
        progress = ProgressRecord(
            iteration=loop.iteration,
            iterations=loop.total,
            epoch=loop.epoch,
            epochs=loop.epochs,
            images_per_second=row["images_per_second"],
            seconds_left=left,
        )
        progress.write(self.progress)
        if self.board is not None:
            self.board.show(loop, row)

    def _keep_snapshot(self) -> None:
        """Keep the generator at the end of an epoch that will be scored."""
        epoch, inside = divmod(self.loop.iteration, self.loop.steps)
        kept = snapshots.kept_epochs(self.options.snapshot_every, self.loop.epochs)
        if not inside and epoch in kept:
            state = self.loop.generator_state()
            check_finite(state, self.loop, self.history)
            self.checkpoint.snapshots[epoch] = snapshots.save(self.out, epoch, state)

    def _images(self, domain: str) -> list[Path]:
        """Return the training images of a domain, without those held out."""
        if not self.method.trained:
            return []
        return self.dataset.held_out(domain, self.options.held_out)[0]

    def _resume(self) -> None:
        """Continue from the saved state, extend a finished run, or begin."""
        loop, history = self.loop, self.history
        if self.checkpoint.restore(loop, history):
            print(f"continuing from step {loop.iteration}", flush=True)
        elif self.shorter and self.shorter.restore(loop, history):
            print(f"extending the training of {loop.iteration} steps", flush=True)
            self.checkpoint.digests = self.shorter.digests
            self.checkpoint.snapshots = self.shorter.snapshots
            self._keep_snapshot()  # its last epoch may be one that is scored
        else:
            if self.shorter:
                print("note: the run to extend left no state here; its epochs are trained too")
            if self.first:
                trained_run.load_weights(self.method, self.first)
                print(f"beginning from the weights in {self.first}", flush=True)
        done = loop.iteration // loop.steps if loop.steps else 0
        kept = snapshots.kept_epochs(self.options.snapshot_every, loop.epochs)
        outputs.clear(self.out, [epoch for epoch in kept if epoch <= done])
        if not loop.iteration:
            self.progress.unlink(missing_ok=True)

    def _finish(self) -> None:
        """Write the outputs and drop the training state, or keep the final one."""
        if self.options.keep_state and self.method.trained:
            self.checkpoint.save(self.loop, self.history)
        outputs.write_outputs(
            self.loop, self.history, self.checkpoint, self.dataset, self.out, self.name
        )
        self._drop_state()

    def _drop_state(self, keep: bool = False) -> None:
        """Remove the states of the finished training, but not a final one that is kept."""
        self.progress.unlink(missing_ok=True)
        asked = self.options.keep_state and self.method.trained
        if asked and not self.checkpoint.path.is_file():
            print("note: the run was finished without keep_state, so its state is not kept")
        if self.shorter:
            self.shorter.drop()
        self.checkpoint.drop(keep_last=keep or asked)
