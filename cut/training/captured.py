"""Training steps that are repeated as CUDA graphs.

A step is some thousands of short operations, and a fast GPU waits for the CPU to start each of
them. A CUDA graph starts them all at once. It repeats the same operations on the same memory, so
what differs between steps is copied there first: the batch, and the random draws.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from cut.methods.contract import Batch, BatchWithSecond, Method
from cut.training.work import Operations

Sample = Callable[[torch.Generator], Any]
Losses = dict[str, Tensor]
# Draws that are no tensors, in order: a step branches on them, so that each sequence is a graph.
Branches = tuple[Any, ...]
# Steps that are taken operation by operation before a capture: libraries choose their algorithms,
# and Adam makes its moments.
WARM_UP = 3


def tensors_of(drawn: Any) -> list[Tensor] | None:
    """Return the tensors of a draw, one or a list; None if it is no tensor."""
    listed = [drawn] if isinstance(drawn, Tensor) else drawn
    if isinstance(listed, list) and all(isinstance(value, Tensor) for value in listed):
        return listed
    return None


def tensors_in(draws: Iterable[Any]) -> list[Tensor]:
    """Return all tensors of several draws, in order."""
    return [tensor for drawn in draws for tensor in tensors_of(drawn) or ()]


class Draws:
    """The random draws of a step, which are known once a step with the same branches was taken.

    Attributes:
        samples: how the draw after these branches, with this number, is drawn.
        drawn: what the current step has drawn.
        branches: the branches of the current step.
    """

    def __init__(self) -> None:
        self.samples: dict[tuple[Branches, int], Sample] = {}
        self.drawn: list[Any] = []
        self.branches: Branches = ()

    def make(self, rng: torch.Generator) -> Branches:
        """Draw what is known of the next step; return its branches."""
        self.drawn, self.branches = [], ()
        while sample := self.samples.get((self.branches, len(self.drawn))):
            self._keep(sample(rng))
        return self.branches

    def get(self, number: int, sample: Sample, rng: torch.Generator) -> Any:
        """Return the draw `number` of the current step; draw it now if it was not known."""
        if number == len(self.drawn):
            self.samples[self.branches, number] = sample
            self._keep(sample(rng))
        return self.drawn[number]

    def tensors(self) -> list[Tensor]:
        """Return all tensors that the current step has drawn."""
        return tensors_in(self.drawn)

    def _keep(self, drawn: Any) -> None:
        self.drawn.append(drawn)
        if tensors_of(drawn) is None:
            self.branches += (drawn,)


@dataclass
class Graph:
    """A captured step: the graph, the memory of its inputs and results, and its operations."""

    graph: Any
    batch: Batch | BatchWithSecond
    draws: list[Tensor]
    losses: Losses
    operations: int


class CapturedSteps:
    """The steps of a method on a GPU, as graphs.

    A step draws what it would draw without a graph, from the same stream. The first steps, and
    those of a batch of another size, are taken operation by operation.

    Args:
        method: one whose class is `capturable`.
        step: takes a step of it, in the precision of the training.

    Attributes:
        operations: floating-point operations of the last step if a graph took it, else 0.
    """

    def __init__(self, method: Method, step: Callable[[Any], Losses]) -> None:
        self.method, self._step = method, step
        self.draws = Draws()
        self.graphs: dict[Branches, Graph] = {}
        self.taken: dict[Branches, int] = {}  # operation by operation
        self.counts: dict[Branches, int] = {}  # floating-point operations of a step
        self.shape: torch.Size | None = None
        self.stream: Any = None
        self.operations = 0

    def step(self, batch: Batch | BatchWithSecond) -> Losses:
        """Take a step; return its losses, detached."""
        if self.stream is None:
            self._begin(batch)
        self.operations = 0
        if batch.source.shape != self.shape:
            with self._on_stream():
                return self._step(batch)
        branches = self.draws.make(self.method.rng)
        if self.taken.get(branches, 0) < WARM_UP:
            return self._take(batch)
        if branches not in self.graphs:
            self.graphs[branches] = self._capture(batch)
        return self._replay(self.graphs[branches], batch)

    def _begin(self, batch: Batch | BatchWithSecond) -> None:
        self.stream = self._new_stream()
        self.shape = batch.source.shape
        for optimizer in self.method.optimizers.values():
            make_capturable(optimizer, self.method.device)

    def _new_stream(self) -> Any:
        """Return the stream of all steps; a capture refuses the default one, as autograd keeps the
        stream of a weight's first gradient.
        """
        return torch.cuda.Stream()

    def _take(self, batch: Batch | BatchWithSecond) -> Losses:
        """Take a step operation by operation."""
        with self._on_stream():
            losses, count = self._counted(batch)
        branches = self.draws.branches
        self.taken[branches] = self.taken.get(branches, 0) + 1
        self.counts.setdefault(branches, count)
        return losses

    def _counted(self, batch: Batch | BatchWithSecond) -> tuple[Losses, int]:
        """Take a step; return its losses, and its operations if it is the first of its kind."""
        if self.draws.branches in self.taken:
            return self._with_draws(batch), 0
        with Operations() as work:
            return self._with_draws(batch), work.count

    def _capture(self, batch: Batch | BatchWithSecond) -> Graph:
        """Return the graph of a step with the current branches, without taking it."""
        inputs = type(batch)(*(images.clone() for images in batch))
        kept = [self._on_device(drawn) for drawn in self.draws.drawn]
        losses: Losses = {}
        graph = self._record(lambda: losses.update(self._with_draws(inputs, kept)))
        return Graph(graph, inputs, tensors_in(kept), losses, self.counts[self.draws.branches])

    @contextlib.contextmanager
    def _on_stream(self) -> Iterator[None]:
        """Run operations on the stream of the steps, in order with those around them."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            yield
        torch.cuda.current_stream().wait_stream(self.stream)

    def _record(self, take: Callable[[], None]) -> Any:
        """Return the graph of the operations of `take`, which are not executed."""
        for optimizer in self.method.optimizers.values():
            optimizer.zero_grad()  # a graph has memory of its own for the gradients
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream):
            take()
        return graph

    def _replay(self, graph: Graph, batch: Batch | BatchWithSecond) -> Losses:
        given = (*batch, *self.draws.tensors())
        for kept, new in zip((*graph.batch, *graph.draws), given, strict=True):
            kept.copy_(new, non_blocking=True)
        graph.graph.replay()
        self.operations = graph.operations
        # The next step overwrites the graph's own.
        return {name: loss.clone() for name, loss in graph.losses.items()}

    def _on_device(self, drawn: Any) -> Any:
        """Return a copy of a draw's tensors on the GPU; a branch as it is."""
        tensors = tensors_of(drawn)
        if tensors is None:
            return drawn
        moved = [tensor.to(self.method.device, copy=True) for tensor in tensors]
        return moved[0] if isinstance(drawn, Tensor) else moved

    def _with_draws(self, batch: Any, kept: list[Any] | None = None) -> Losses:
        """Take a step whose draws are `kept`, or those made."""
        numbers = itertools.count()

        def draw(name: str, sample: Sample) -> Any:
            number = next(numbers)
            made = self.draws.get(number, sample, self.method.rng)
            return made if kept is None else kept[number]

        self.method.draw = draw  # in place of the class's
        try:
            return self._step(batch)
        finally:
            del self.method.draw


def make_capturable(optimizer: Optimizer, device: torch.device) -> None:
    """Let a graph repeat an optimizer's step: its learning rate has to be in the GPU's memory."""
    for group in optimizer.param_groups:
        group["capturable"] = True
        group["lr"] = torch.as_tensor(group["lr"], dtype=torch.float32, device=device)
