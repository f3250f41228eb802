"""The training state of a run, and stopping at a signal.

The state has the networks, the optimizers, the random streams, the position in the epoch and the
history. A training that continues from it ends with the same weights, to the bit, as a training
that was never interrupted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cut.base.errors import UserError
from cut.base.files import remove_unfinished, replacing
from cut.base.image_form import DEFAULT
from cut.base.tensor_files import not_finite, read_tensors
from cut.training.history import History
from cut.training.loop import Loop
from cut.training.options import DEFAULTS, WHERE_GIVEN, WITHOUT_EFFECT, TrainingOptions

# These enter a fingerprint in a form of their own, and only where they are given.
OPTIONAL = ("extends", "begin_from")


def fingerprint(
    loop: Loop, dataset_digest: str, begun_from: str = "", options: TrainingOptions | None = None
) -> str:
    """Return a digest of everything that decides the weights, except the code.

    Args:
        loop: the training.
        dataset_digest: of the training images.
        begun_from: sha256 of the weights that the training begins from, if any.
        options: in place of those of `loop`.
    """
    options = options or loop.options
    absent = {name for name in WHERE_GIVEN if getattr(options, name) == DEFAULTS[name]}
    decides = {
        "method": loop.method.name,
        "options": loop.method.options.model_dump(),
        "training": options.model_dump(exclude={*WITHOUT_EFFECT, *OPTIONAL, *absent}),
        "seed": loop.method.seed,
        "size": loop.size,
        "dataset": dataset_digest,
        "device": loop.device.type,
    }
    fit = loop.method.images.fit
    decides |= {"fit": fit} if fit != DEFAULT.fit else {}  # the data set's digest has the forms
    decides |= {"extends": options.extends} if options.extends else {}
    decides |= {"begun_from": begun_from} if begun_from else {}
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


class Checkpoint:
    """The file `RUN/state/FINGERPRINT.pt`, and the state before it beside it.

    A kill at any moment leaves at least one of the two whole. A damaged one is noticed by the
    checksums in it.

    Attributes:
        fingerprint: of everything that decides the weights, except the code.
        digests: digests of the code that trained, the current one last.
        begun_from: sha256 of the weights that the training began from, or empty.
        snapshots: sha256 of the generators kept so far, by epoch.
    """

    def __init__(self, run: Path, fingerprint: str, digest: str, begun_from: str = "") -> None:
        self.fingerprint, self.begun_from = fingerprint, begun_from
        self.snapshots: dict[int, str] = {}
        self.path = run / "state" / f"{fingerprint}.pt"
        self.before = self.path.with_suffix(".before.pt")
        self.digests = [digest]

    def save(self, loop: Loop, history: History) -> None:
        """Write the whole state, atomically. The last state becomes the one before.

        Raises:
            UserError: a loss or a weight is not finite; the states stay as they are.
        """
        recorded = history.state_dict()
        check_finite(dict(loop.method.named_parameters()), loop, history)
        state = {
            "method": loop.method.training_state(),
            "iteration": loop.iteration,
            "history": recorded,
            "digests": self.digests,
            "fingerprint": self.fingerprint,
            "snapshots": self.snapshots,
        }
        if loop.average:
            state["average"] = loop.average.state_dict()
        remove_unfinished(self.path.parent)
        with replacing(self.path) as temporary:
            with open(temporary, "wb") as file:
                torch.save(state, file)
            if self.path.is_file():
                os.replace(self.path, self.before)

    def restore(self, loop: Loop, history: History) -> bool:
        """Set `loop` and `history` to the saved state; return False if there is none.

        If the last state is damaged, the one before takes its place.

        Raises:
            UserError: neither can be used. Both files stay.
        """
        reasons = []
        for path in (self.path, self.before):
            if not path.is_file():
                continue
            try:
                state = self._load(path, loop, history)
            except UserError as error:
                reasons.append(str(error))
                continue
            if path == self.before:
                if reasons:
                    print(f"note: {reasons[0]}; the state before it is used", flush=True)
                os.replace(path, self.path)
            self.snapshots = dict(state.get("snapshots", {}))
            if state["digests"][-1] != self.digests[0]:
                print("note: the code has changed since this training began; run.json names both")
                self.digests = [*state["digests"], *self.digests]
            return True
        if not reasons:
            return False
        raise UserError(
            f"{'; '.join(reasons)}; nothing was deleted: put a copy of the file there, or move"
            f" {self.path.parent} away to train from the start"
        )

    def trained_by(self) -> str | None:
        """Return the digest of the code of the last state that can be read, or None."""
        for path in (self.path, self.before):
            with contextlib.suppress(UserError, KeyError, IndexError, TypeError):
                return read_tensors(path, "a training state")["digests"][-1]
        return None

    def drop(self, keep_last: bool = False) -> None:
        """Remove the states: both, or only the one before."""
        self.before.unlink(missing_ok=True)
        if keep_last:
            return
        self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a state of other options may be in the folder
            self.path.parent.rmdir()

    def _load(self, path: Path, loop: Loop, history: History) -> dict[str, Any]:
        """Set `loop` and `history` to the state in `path` and return it.

        Raises:
            UserError: the file is damaged, or holds no state of this training.
        """
        state = read_tensors(path, "a training state", loop.device)
        try:
            if (other := state.get("fingerprint", self.fingerprint)) != self.fingerprint:
                raise ValueError(f"it is of the training {other}")
            if not 0 <= state["iteration"] <= loop.total:
                raise ValueError(f"step {state['iteration']} of {loop.total}")
            if not all(isinstance(digest, str) for digest in [*state["digests"], ""]):
                raise TypeError("digests of the code")
            loop.method.load_training_state(state["method"])
            _check_optimizers(loop)
            if loop.average:
                loop.average.load_state_dict(state["average"])
            history.load_state_dict(state["history"])
            loop.iteration = state["iteration"]
        except Exception as error:  # noqa: BLE001 - modules of a method may raise anything
            reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
            kind = "it lacks " if isinstance(error, KeyError) else ""
            raise UserError(
                f"{path} holds no state that this code can continue ({kind}{reason[0][:120]})"
            ) from None
        return state


def check_finite(state: dict[str, Any], loop: Loop, history: History) -> None:
    """Refuse weights that are not finite before they are saved.

    Raises:
        UserError: the name of the first one.
    """
    if name := not_finite(state):
        raise UserError(
            f"the weights {name} of {history.name} are not finite after step {loop.iteration}, so"
            " they are not saved; lower lr or lambda_nce, or use precision float32; the last saved"
            " state is kept"
        )


def _check_optimizers(loop: Loop) -> None:
    """Refuse a state of Adam that does not have the shapes of its weights; torch accepts any.

    Raises:
        ValueError: the optimizer.
    """
    for name, optimizer in loop.method.optimizers.items():
        if not isinstance(optimizer, torch.optim.Adam):
            continue
        for weight, state in optimizer.state.items():
            tensors = (value for value in state.values() if isinstance(value, Tensor))
            if any(value.ndim and value.shape != weight.shape for value in tensors):
                raise ValueError(f"optimizer {name} has other shapes than its weights")


class StopSignal:
    """Notes SIGTERM and SIGINT, so that the loop can stop after the current step.

    Attributes:
        number: the signal that came, or None.
    """

    def __init__(self) -> None:
        self.number: int | None = None

    @contextlib.contextmanager
    def caught(self) -> Iterator[None]:
        """Handle both signals inside the block."""

        def note(number: int, _: Any) -> None:
            self.number = number

        before = {s: signal.signal(s, note) for s in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
