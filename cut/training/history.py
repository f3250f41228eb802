"""The history of a training: means of its losses over intervals of steps, and its speed."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from cut.base.errors import UserError
from cut.records.history import HistoryRow

T = TypeVar("T")

COLUMNS = HistoryRow.columns()
# What a training state keeps of the history, with the types.
STATE = {
    "rows": list,
    "sums": dict,
    "counted": int,
    "interval_seconds": float,
    "interval_waiting": float,
    "train_seconds": float,
    "operations": int,
    "pairs_counted": int,
}


class History:
    """The rows of `history.csv`, and the current interval.

    Losses stay on the device until the interval ends, so that a GPU does not wait for the CPU at
    each step.

    Attributes:
        rows: the rows so far; each has `COLUMNS`, then the mean of each loss.
        interval_seconds: time spent in the steps of the current interval.
        interval_waiting: time spent waiting for the batches of the current interval.
        train_seconds: time spent in all steps before it.
        operations: floating-point operations of the steps that were counted, one per interval.
        pairs_counted: image pairs of those steps.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.rows: list[dict[str, Any]] = []
        self.sums: dict[str, float] = {}
        self.counted = 0
        self.interval_seconds = 0.0
        self.interval_waiting = 0.0
        self.train_seconds = 0.0
        self.operations = 0
        self.pairs_counted = 0
        self.pending: list[tuple[int, dict[str, Tensor]]] = []

    def add(self, iteration: int, losses: dict[str, Tensor]) -> None:
        """Add the losses of a step: scalars, by name."""
        self.pending.append((iteration, losses))

    def flush(self) -> None:
        """Add the pending losses to the sums of the interval; wait for the device.

        Raises:
            UserError: a loss is not finite. The sentence names the first such step and loss.
        """
        for iteration, losses in self.pending:
            for name, value in losses.items():
                number = float(value)
                if not math.isfinite(number):
                    raise UserError(
                        f"loss {name} is {number} at iteration {iteration} of {self.name}; lower"
                        " lr or lambda_nce, or use precision float32; the last saved state is kept"
                    )
                self.sums[name] = self.sums.get(name, 0.0) + number
            self.counted += 1
        self.pending.clear()

    def close(self, iteration: int, epoch: int, lr_factor: float, images: int) -> dict[str, Any]:
        """End the interval at `iteration` and return its row; call `flush` first.

        `images` is the number of pairs in the interval.
        """
        seconds = self.interval_seconds
        row = {
            "iteration": iteration,
            "epoch": epoch,
            "lr_factor": lr_factor,
            "images_per_second": images / seconds,
            "waiting_seconds": self.interval_waiting,
            **{name: total / self.counted for name, total in self.sums.items()},
        }
        self.rows.append(row)
        self.train_seconds += seconds
        self.sums, self.counted, self.interval_seconds = {}, 0, 0.0
        self.interval_waiting = 0.0
        return row

    def seconds_left(self, images: int, total: int) -> float:
        """Return the time that the rest of `total` pairs takes at the mean rate of `images`."""
        spent = self.train_seconds + (self.waiting_seconds() or 0.0)
        return (total - images) * spent / images

    def timed(self, batches: Iterator[T]) -> Iterator[T]:
        """Yield the batches, and add the time that each takes to come to the interval."""
        while True:
            begin = time.perf_counter()
            batch = next(batches, None)
            self.interval_waiting += time.perf_counter() - begin
            if batch is None:
                return
            yield batch

    def waiting_seconds(self) -> float | None:
        """Return the time spent waiting in the rows so far; None where a row does not say."""
        waits = [row.get("waiting_seconds") for row in self.rows]
        return None if None in waits else math.fsum(waits)

    def line(self, row: dict[str, Any], epochs: int, iterations: int, left: float) -> str:
        """Return `row` as a line of the log; `left` is the time left in seconds."""
        shown = "  ".join(f"{name} {row[name]:.3f}" for name in losses_of(row))
        return (
            f"epoch {row['epoch']}/{epochs}  step {row['iteration']}/{iterations}  {shown}  "
            f"{row['images_per_second']:.1f} images/s  {row['waiting_seconds']:.1f} s waiting  "
            f"{left / 60:.1f} min left"
        )

    def count(self, operations: int, pairs: int) -> None:
        """Add a step whose floating-point operations were counted, and its image pairs."""
        self.operations += operations
        self.pairs_counted += pairs

    def operations_per_pair(self) -> float | None:
        """Return the mean number of operations of a step per image pair; None without a step."""
        return self.operations / self.pairs_counted if self.pairs_counted else None

    def write(self, path: Path) -> None:
        """Write all rows as `history.csv`."""
        HistoryRow.write(path, [HistoryRow(**row) for row in self.rows])

    def state_dict(self) -> dict[str, Any]:
        """Return everything that `load_state_dict` needs to continue exactly."""
        self.flush()
        return {name: getattr(self, name) for name in STATE}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            KeyError, TypeError: it is not of this form.
        """
        state = {"interval_waiting": 0.0, **state}  # which older states lack
        for name, kind in STATE.items():
            if not isinstance(state[name], kind):
                raise TypeError(f"{name} of the history")
        for name in STATE:
            setattr(self, name, state[name])


def losses_of(row: dict[str, Any]) -> list[str]:
    """Return the names of a row's losses."""
    return [name for name in row if name not in COLUMNS]
