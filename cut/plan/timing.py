"""Time a few training steps of a row on this machine, on random images."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cut.base import environment
from cut.base.errors import UserError
from cut.plan.rows import PlannedRow
from cut.training.options import TrainingOptions

if TYPE_CHECKING:
    import torch

    from cut.training.loop import Loop

MOST_STEPS = 30
SMALLEST = 64  # pixels of a side that a size is halved to


@dataclass(frozen=True)
class Measured:
    """A training step of a row.

    Attributes:
        seconds: per step, at the size of the config.
        scaled: it was taken at half the height and width, and multiplied by the pixels.
        memory: bytes, the peak of a step: on the GPU, or of the process.
        kept: bytes of the generators that one training keeps.
        options: of the training loop.
    """

    seconds: float
    scaled: bool
    memory: int
    kept: int
    options: TrainingOptions


def measure(
    row: PlannedRow, size: tuple[int, int], device: torch.device, seconds: float
) -> Measured:
    """Take a few steps of `row` and return their time and memory.

    Args:
        row: a trained row with a class.
        size: (height, width) in pixels.
        device: where to take them.
        seconds: about how long to measure. Where one step at `size` would take longer, steps at
            half the height and width are timed instead.

    Raises:
        UserError: the row cannot take a step at this size, or not in this memory.
    """
    import torch

    from cut.methods.registry import build_method, discover
    from cut.training.loop import Loop
    from cut.training.options import training_options
    from cut.training.snapshots import kept_epochs

    options = training_options(discover()[row.algorithm], {**row.training, **row.loop})
    try:
        with _configured(options):
            before = _reset_peak(device)
            method = build_method(row.algorithm, row.options, 0, options.crop(size)).to(device)
            loop = Loop(method, [Path()], [Path()], options, size, device)
            step, pixels = _step_seconds(loop, seconds)
            memory = _peak(loop, before, pixels)
    except torch.OutOfMemoryError:
        raise UserError(
            f"row {row.name}: a training step does not fit into the memory of the GPU; use a"
            " smaller size or batch_size, narrower networks, or precision bfloat16"
        ) from None
    generators = 1 + len(kept_epochs(options.snapshot_every, options.epochs))
    return Measured(
        seconds=step,
        scaled=pixels > 1,
        memory=memory,
        kept=generators * _bytes(method.generator_state()),
        options=options,
    )


def _step_seconds(loop: Loop, seconds: float) -> tuple[float, float]:
    """Return the seconds of a step, and by how many pixels they were multiplied: 1 is not at all.

    Where a step takes longer than there is time for, it is taken at half the height and width.
    """
    if loop.captured:  # the steps after the first ones and the capture are those of a training
        times = [_timed(loop, loop.crop) for _ in range(MOST_STEPS)]
        return statistics.median(times[MOST_STEPS // 2 :]), 1.0
    end = time.perf_counter() + seconds
    half = (loop.crop[0] // 2, loop.crop[1] // 2)
    fits = min(half) >= SMALLEST and not any(side % loop.method.stride for side in half)
    size = half if fits else loop.crop
    try:
        times = [_timed(loop, size)]
    except UserError:  # the networks are too deep for half the size
        size = loop.crop
        times = [_timed(loop, size)]
    if time.perf_counter() < end:  # the first step also sets up libraries and optimizers
        times = [_timed(loop, size)]
    pixels = loop.crop[0] * loop.crop[1] / (size[0] * size[1])
    if pixels > 1 and time.perf_counter() + times[0] * pixels < end:
        size, pixels = loop.crop, 1.0
        times = [_timed(loop, size)]
    while time.perf_counter() + times[-1] < end and len(times) < MOST_STEPS:
        times.append(_timed(loop, size))
    return statistics.median(times) * pixels, pixels


def _timed(loop: Loop, size: tuple[int, int]) -> float:
    """Take one step on random images of `size` and return its seconds."""
    import torch

    shape = (loop.options.batch_size, 3, *size)
    kind = loop.method.Batch
    batch = kind(*(torch.rand(shape) * 2 - 1 for _ in kind._fields))
    begin = time.perf_counter()
    losses = loop.step(batch)
    for value in losses.values():
        float(value)  # waits for the device
    return time.perf_counter() - begin


@contextlib.contextmanager
def _configured(options: TrainingOptions) -> Iterator[None]:
    """Set torch up as a training does, and draw nothing from the global random stream."""
    import torch

    from cut.training.loop import configure_torch

    threads, matmul = torch.get_num_threads(), torch.backends.cuda.matmul.allow_tf32
    cudnn = torch.backends.cudnn.allow_tf32
    try:
        configure_torch(options)
        with torch.random.fork_rng():
            yield
    finally:
        torch.set_num_threads(threads)
        torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = matmul, cudnn


def _reset_peak(device: torch.device) -> int:
    """Begin a new peak of memory; return the bytes in use."""
    if device.type == "cuda":
        import torch

        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    else:
        with contextlib.suppress(OSError):  # Linux alone has it
            Path("/proc/self/clear_refs").write_text("5")
    return environment.peak_memory(device)["peak_memory_bytes"]


def _peak(loop: Loop, before: int, pixels: float) -> int:
    """Return the peak of memory in bytes; what grows with the images is multiplied by `pixels`."""
    peak = environment.peak_memory(loop.device)["peak_memory_bytes"]
    # Weights, gradients and the two moments of Adam do not grow with them.
    fixed = before + 4 * _bytes(loop.method.state_dict())
    return round(min(peak, fixed) + max(0, peak - fixed) * pixels)


def _bytes(state: dict[str, Any]) -> int:
    """Return the bytes of the tensors in a nested state."""
    parts = [_bytes(v) if isinstance(v, dict) else getattr(v, "nbytes", 0) for v in state.values()]
    return sum(parts)
