"""No step of a method mixes devices or waits for a GPU.

A step runs on tensors that claim to be on a GPU. They have no values, so that no GPU is needed.
An operation on tensors of two devices fails, and so does reading a value from the GPU, for which a
real step would wait. So it would for a copy to the GPU that is not `non_blocking`. Backward passes
need a real GPU; `update` stands in for them.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from small_methods import build
from torch import nn
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensor, FakeTensorMode
from torch.utils._pytree import tree_leaves

from cut.methods.contract import Method
from cut.methods.registry import discover

TRAINED = sorted(
    name for name, cls in discover().methods.items() if cls.trained and cls.step is not Method.step
)


class Gpu(FakeTensorMode):
    """Makes what is moved to or made on "cuda" a tensor without values; the CPU's stay real.

    `awaited` has the shapes of what was copied there while the CPU waits.
    """

    def __init__(self) -> None:
        super().__init__(allow_non_fake_inputs=True)
        self.awaited: list[tuple[int, ...]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        to_gpu = torch.device(kwargs.get("device") or "cpu").type == "cuda"
        given = tree_leaves((args, kwargs))
        on_gpu = any(isinstance(each, FakeTensor) for each in given)
        copies = to_gpu and not on_gpu and func is torch.ops.aten._to_copy.default
        if copies and not kwargs.get("non_blocking"):
            self.awaited.append(tuple(args[0].shape))
        if to_gpu or on_gpu:
            return super().__torch_dispatch__(func, types, args, kwargs)
        return func(*args, **kwargs)

    def take(self, method: Method) -> None:
        """Move the networks of a method."""
        for module in method.modules():
            for name, weight in module._parameters.items():
                if weight is not None:
                    moved = nn.Parameter(weight.detach().to("cuda"), weight.requires_grad)
                    module._parameters[name] = moved
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    module._buffers[name] = buffer.to("cuda")


def zeros(outputs, inputs, **_):
    """Stand in for a gradient with respect to one tensor or several."""
    each = (inputs,) if isinstance(inputs, torch.Tensor) else inputs
    return tuple(torch.zeros_like(x) for x in each)


@pytest.fixture
def gpu(monkeypatch):
    def update(self, group, losses, *, total=None, clip=None):
        total = torch.stack(list(losses.values())).sum() if total is None else total
        assert total.device.type == "cuda"
        return {name: loss.detach() for name, loss in losses.items()}

    monkeypatch.setattr(Method, "update", update)
    monkeypatch.setattr(torch.autograd, "grad", zeros)
    with Gpu() as gpu:
        yield gpu


@pytest.mark.slow
@pytest.mark.parametrize("name", TRAINED)
def test_a_step_and_a_translation_stay_on_their_device(name, gpu):
    method = build(name)
    method.epochs = method.epoch = 1
    gpu.take(method)
    kind = type(method).Batch
    batch = kind(*(torch.empty(1, 3, 32, 32, device="cuda") for _ in kind._fields))
    gpu.awaited.clear()
    losses = method.step(batch)
    assert not gpu.awaited, "shapes of copies that the CPU waits for"
    assert losses and {loss.device.type for loss in losses.values()} == {"cuda"}
    assert method.translate(batch.source).device.type == "cuda"


def test_mixed_devices_and_waiting_are_found(gpu):
    here, there = torch.ones(2), torch.ones(2).to("cuda")
    assert float(here.sum()) == 2 and (there + there).device.type == "cuda"
    with pytest.raises(RuntimeError, match="device"):
        here + there
    with pytest.raises(DataDependentOutputException):
        float(there.sum())
    assert gpu.awaited == [(2,)]
    here.to("cuda", non_blocking=True)
    assert len(gpu.awaited) == 1
