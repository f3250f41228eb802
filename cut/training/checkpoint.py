"""The training state of a run that is not finished, and stopping at a signal.

The state has the networks, the optimizers, the random streams, the position in the epoch and the
history. It is one file that is replaced atomically. A training that continues from it ends with
the same weights, to the bit, as a training that was never interrupted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from cut.base.errors import UserError
from cut.base.tensors import save_tensors
from cut.training.history import History
from cut.training.loop import Loop
from cut.training.options import WITHOUT_EFFECT


def fingerprint(loop: Loop, dataset_digest: str) -> str:
    """Return a digest of everything that decides the weights, except the code."""
    decides = {
        "method": loop.method.name,
        "options": loop.method.options.model_dump(),
        "training": loop.options.model_dump(exclude=set(WITHOUT_EFFECT)),
        "seed": loop.method.seed,
        "size": loop.size,
        "dataset": dataset_digest,
        "device": loop.device.type,
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:16]


class Checkpoint:
    """The file `RUN/state/FINGERPRINT.pt`.

    Attributes:
        fingerprint: of everything that decides the weights, except the code.
        digests: digests of the code that trained, the current one last.
    """

    def __init__(self, run: Path, fingerprint: str, digest: str) -> None:
        self.fingerprint = fingerprint
        self.path = run / "state" / f"{fingerprint}.pt"
        self.digests = [digest]

    def save(self, loop: Loop, history: History) -> None:
        """Write the whole state, atomically."""
        state = {
            "method": loop.method.training_state(),
            "iteration": loop.iteration,
            "history": history.state_dict(),
            "digests": self.digests,
        }
        save_tensors(self.path, state)

    def restore(self, loop: Loop, history: History) -> bool:
        """Set `loop` and `history` to the saved state; return False if there is none.

        Raises:
            UserError: the file is damaged.
        """
        if not self.path.is_file():
            return False
        state = self._read(loop.device)
        loop.method.load_training_state(state["method"])
        loop.iteration = state["iteration"]
        history.load_state_dict(state["history"])
        if state["digests"][-1] != self.digests[0]:
            print("note: the code has changed since this training began; run.json names both")
            self.digests = [*state["digests"], *self.digests]
        return True

    def drop(self) -> None:
        """Remove the state: the run is finished."""
        self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # a state of other options may be in the folder
            self.path.parent.rmdir()

    def _read(self, device: torch.device) -> dict[str, Any]:
        try:
            state = torch.load(self.path, map_location=device, weights_only=True)
        except Exception as error:  # noqa: BLE001 - torch raises many kinds for a damaged file
            raise UserError(
                f"the training state {self.path} can't be read ({error}); delete it to train from"
                " the start"
            ) from None
        if "rng" in state["method"]:  # a generator of the CPU, whatever the device
            state["method"]["rng"] = state["method"]["rng"].cpu()
        return state


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
