"""The training loop: steps, schedule, history, training state, timing.

A run can be killed anywhere. Its whole state (networks, optimizers, random streams, place in the
epoch, history) is one file, replaced atomically; going on from it gives the same weights, to the
bit, as never having stopped.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from cut.base import environment
from cut.base.errors import UserError
from cut.base.files import read_json, sha256_of
from cut.base.image_size import height_width, in_words
from cut.base.tensors import save_tensors
from cut.data.dataset import Dataset
from cut.methods.contract import Batch, Method
from cut.methods.registry import code_digest
from cut.records.run import Hardware, RunRecord
from cut.training import run_lock, snapshots
from cut.training.batches import Augmentation, EpochPairs, batches, epoch_length
from cut.training.history import COLUMNS, History, losses_of
from cut.training.options import WITHOUT_EFFECT
from cut.training.snapshots import kept_epochs

if TYPE_CHECKING:
    from cut.training.options import TrainingOptions


def lr_factor(epoch: int, constant: int, decay: int) -> float:
    """Return the learning rate of 1-based `epoch`, as a share of the initial one.

    It stays 1 for `constant` epochs, then falls in a line and would reach 0 one epoch after the
    last: 200/201 at epoch 201 and 1/201 at epoch 400 of CUT's 200 + 200.
    """
    return 1.0 - max(0, epoch - constant) / (decay + 1)


class Trainer:
    """Train `method` on `dataset` and write `run.json`, `history.csv`, `generator.pt` to `out`."""

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
        self.name, self.size, self.device = name, size, device
        self.source, self.target = self._images("source"), self._images("target")
        self.steps = math.ceil(epoch_length(self.source, self.target) / options.batch_size)
        self.epochs = options.epochs if method.trained else 0
        self.cache: dict | None = {} if options.cache_images else None
        # Where the run stands; all of it is in the training state.
        self.iteration = 0
        self.history = History(name, options.batch_size)
        self.digests = [code_digest(type(method))]
        self.stop_signal: int | None = None
        self.board = self._open_board() if options.tensorboard else None

    # -- the loop ------------------------------------------------------------------------------

    def run(self) -> int:
        """Train to the end; return 0, or 128 + the signal that stopped the run."""
        with self._signals(), run_lock.only_one(self.out, lambda: self.stop_signal) as mine:
            if not mine:
                return 128 + self.stop_signal
            if self._done():
                self._drop_state()  # of a run that was killed when all but this was done
                print(f"{self.out} holds this very run, done; delete the folder to train it again")
                return 0
            self._resume()
            saved = time.monotonic()
            for batch in self._batches():
                self._step(batch)
                self._snapshot()
                due = time.monotonic() - saved > 60 * self.options.checkpoint_minutes
                if self.stop_signal or due:
                    self.save()
                    saved = time.monotonic()
                if self.stop_signal:
                    print(f"stopped by signal {self.stop_signal} at step {self.iteration};"
                          " the same command goes on from here", flush=True)  # fmt: skip
                    return 128 + self.stop_signal
            self._finish()
        return 0

    def _batches(self) -> Iterator[Batch]:
        total = self.epochs * self.steps
        while self.iteration < total:
            epoch, start = divmod(self.iteration, self.steps)
            epoch += 1
            self.method.set_lr_factor(self._lr_factor(epoch))
            pairs = EpochPairs(self.source, self.target, self.method.seed, epoch,
                               self._augmentation(epoch), self.cache)  # fmt: skip
            yield from batches(pairs, self.options.batch_size, start, self.options.workers)

    def _step(self, batch: Batch) -> None:
        begin = time.perf_counter()
        moved = Batch(*(x.to(self.device, non_blocking=True) for x in batch))
        try:
            with self._precision():
                losses = self.method.step(moved)
        except ValueError as error:
            if "spatial element" not in str(error):
                raise
            raise UserError(
                f"size {in_words(self.size)} leaves instance norm a single pixel in the networks of"
                f" {self.name}; use a larger size or fewer stages (n_layers_D)"
            ) from None
        self.iteration += 1
        self.history.add(self.iteration, losses)
        last = self.iteration == self.epochs * self.steps
        due = self.iteration % self.options.log_every == 0 or last
        if due:
            self.history.flush()  # waits for the device: the interval's time is then whole
        self.history.interval_seconds += time.perf_counter() - begin
        if due:
            self._log()

    def _log(self) -> None:
        epoch = math.ceil(self.iteration / self.steps)
        row = self.history.close(self.iteration, epoch, self._lr_factor(epoch))
        print(self.history.line(row, self.epochs, self.epochs * self.steps), flush=True)
        if self.board is not None:
            self._show(row)

    def _snapshot(self) -> None:
        """Keep the generator at the end of an epoch that is to be scored."""
        epoch, inside = divmod(self.iteration, self.steps)
        if not inside and epoch in kept_epochs(self.options.snapshot_every, self.epochs):
            snapshots.save(self.out, epoch, self.method.generator_state())

    def _images(self, domain: str) -> list[Path]:
        """Return the training images of a domain, without those held out."""
        if not self.method.trained:
            return []
        return self.dataset.held_out(domain, self.options.held_out)[0]

    def _lr_factor(self, epoch: int) -> float:
        return lr_factor(epoch, self.options.epochs_constant, self.options.epochs_decay)

    def _augmentation(self, epoch: int) -> Augmentation:
        """Return the epoch's augmentation: no crop jitter in the decay phase."""
        load = self.size
        if epoch <= self.options.epochs_constant:
            scaled = (round(self.size[0] * 286 / 256), round(self.size[1] * 286 / 256))
            load = height_width(self.options.load_size or scaled)
        if load[0] < self.size[0] or load[1] < self.size[1]:
            raise UserError(
                f"load_size {in_words(load)} is below the training size {in_words(self.size)}"
            )
        return Augmentation(load, self.size, self.options.flip)

    def _precision(self) -> contextlib.AbstractContextManager:
        if self.options.precision == "bfloat16":
            return torch.autocast(self.device.type, torch.bfloat16)
        return contextlib.nullcontext()

    def _open_board(self) -> Any:
        from torch.utils.tensorboard import SummaryWriter  # slow to import, seldom wanted

        return SummaryWriter(str(self.out / "tensorboard"))

    def _show(self, row: dict[str, Any]) -> None:
        for name in [*COLUMNS[2:], *losses_of(row)]:
            self.board.add_scalar(name, row[name], self.iteration)
        images = Augmentation(self.size, self.size, flip=False)
        pairs = EpochPairs(self.source, self.target, self.method.seed, 1, images, self.cache)
        source = torch.stack([pairs[i][0] for i in range(min(4, len(pairs)))])
        translated = self.method.translate(source.to(self.device)).float().cpu()
        both = (torch.cat([source, translated]).clamp(-1, 1) + 1) / 2
        self.board.add_images("source_and_translation", both, self.iteration)
        self.board.flush()

    # -- the training state --------------------------------------------------------------------

    @property
    def fingerprint(self) -> str:
        """Return a digest of all that decides the weights; a state answers to one alone."""
        decides = {
            "method": self.method.name,
            "options": self.method.options.model_dump(),
            "training": self.options.model_dump(exclude=set(WITHOUT_EFFECT)),
            "seed": self.method.seed,
            "size": self.size,
            "dataset": self.dataset.digest,
            "device": self.device.type,
        }
        return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def state_file(self) -> Path:
        """Return where the training state is kept while the run is not done."""
        return self.out / "state" / f"{self.fingerprint}.pt"

    def _done(self) -> bool:
        """Return whether `out` has the outputs of a run of the same options, data and code.

        Those that a workflow has removed are taken back.
        """
        path = self.out / "run.json"
        if path.is_file() and (self.out / "generator.pt").is_file():
            return self._same_run(read_json(path))
        return run_lock.restore(self.out, self._same_run)

    def _same_run(self, facts: dict[str, Any]) -> bool:
        """Return whether a record is of this run, down to its code and the name of its row."""
        same = {"fingerprint": self.fingerprint, "code_digest": self.digests[-1],
                "method": self.name}  # fmt: skip
        return all(facts.get(key) == value for key, value in same.items())

    def save(self) -> None:
        """Write the whole training state, atomically."""
        state = {
            "method": self.method.state_dict(),
            "iteration": self.iteration,
            "history": self.history.state_dict(),
            "digests": self.digests,
        }
        save_tensors(self.state_file, state)

    def _resume(self) -> None:
        run_lock.clear(self.out)
        if not self.state_file.is_file():
            snapshots.clear(self.out)
            return
        try:
            state = torch.load(self.state_file, map_location=self.device, weights_only=True)
        except Exception as error:  # noqa: BLE001 - torch raises many kinds for a damaged file
            raise UserError(
                f"the training state {self.state_file} can't be read ({error}); delete it to"
                " train from the start"
            ) from None
        rng = state["method"].get("rng")
        if rng is not None:
            state["method"]["rng"] = rng.cpu()
        self.method.load_state_dict(state.pop("method"))
        self.history.load_state_dict(state["history"])
        self.iteration, digests = state["iteration"], state["digests"]
        if digests[-1] != self.digests[0]:
            print("note: the code has changed since this training began; run.json names both")
            self.digests = [*digests, *self.digests]
        print(f"going on from step {self.iteration}", flush=True)

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT end the loop after the step in hand."""

        def note(number: int, _: Any) -> None:
            self.stop_signal = number

        before = {s: signal.signal(s, note) for s in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    # -- the end -------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Write the outputs, the record last, and drop the training state."""
        save_tensors(self.out / "generator.pt", self.method.generator_state())
        if embedding := self.method.embedding_state():
            save_tensors(self.out / "embedding.pt", embedding)
        else:
            (self.out / "embedding.pt").unlink(missing_ok=True)  # of another training
        self.history.write(self.out / "history.csv")
        self.record().write(self.out / "run.json")
        run_lock.keep(self.out)
        self._drop_state()

    def _drop_state(self) -> None:
        self.state_file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a state of other options may still be there
            self.state_file.parent.rmdir()

    def record(self) -> RunRecord:
        """Return what ran: `run.json`."""
        n, seconds = self.iteration, self.history.train_seconds
        kept = kept_epochs(self.options.snapshot_every, self.epochs)
        return RunRecord(
            dataset=self.dataset.name,
            dataset_digest=self.dataset.digest,
            method=self.name,
            algorithm=self.method.name,
            description=self.method.summary,
            role=self.method.role,
            seed=self.method.seed,
            options=self.method.options.model_dump(),
            training=self.options.model_dump() if self.method.trained else {},
            size=self.size,
            epochs=self.epochs,
            iterations=n,
            images_seen=n * self.options.batch_size,
            seconds_per_iteration=seconds / n if n else None,
            train_seconds=seconds,
            **environment.peak_memory(self.device),
            device=self.device.type,
            hardware=Hardware(**environment.hardware(self.device)),
            versions=environment.versions(),
            fingerprint=self.fingerprint,
            code_digest=self.digests[-1],
            earlier_code_digests=tuple(self.digests[:-1]),
            parameters=self.method.parameters(),
            generator_sha256=sha256_of(self.out / "generator.pt"),
            snapshots=snapshots.digests(self.out, kept),
        )
