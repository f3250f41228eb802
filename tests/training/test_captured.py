"""Steps as graphs: the draws and the inputs of each are its own, and the weights are the same.

Without a GPU, a stand-in for a graph repeats the step on the memory that the graph would have.
"""

from __future__ import annotations

import contextlib
from types import SimpleNamespace

import pytest
import torch
from small_methods import batch, build
from torch import Tensor

from cut.methods.contract import Method
from cut.methods.registry import discover
from cut.training import captured
from cut.training.captured import WARM_UP, CapturedSteps, Draws
from cut.training.work import Operations

# A rate that float32, the type of a graph's learning rate, represents exactly.
LR = 2.0**-12
CAPTURABLE = [name for name, cls in discover().methods.items() if cls.capturable]


class Repeated(CapturedSteps):
    """Graphs for a machine without a GPU."""

    def _new_stream(self):
        return "stream"

    @contextlib.contextmanager
    def _on_stream(self):
        yield

    def _record(self, take):
        return SimpleNamespace(replay=take)


def doubled(given, device="cpu"):
    return type(given)(*(images.double().to(device) for images in given))


def trained(name, make, steps=12, device="cpu", **options):
    """Return the losses of each step, the method, and what took the steps."""
    method = build(name, lr=LR, **options).double().to(device)
    taker = make(method)
    losses = []
    for i in range(steps):
        method.set_lr_factor(1.0 if i < 8 else 0.5)
        losses.append(taker.step(doubled(batch(seed=i), device)))
    return losses, method, taker


@pytest.mark.parametrize("name", CAPTURABLE)
def test_repeated_steps_are_those_taken_one_by_one(name):
    losses, method, _ = trained(name, lambda method: method)
    found, other, taker = trained(name, lambda method: Repeated(method, method.step))
    # Both branches of a mirrored input are repeated.
    flips = [(False,), (True,)] if method.options.flip_equivariance else [()]
    assert sorted(taker.graphs) == flips
    assert all(step.keys() == same.keys() for step, same in zip(losses, found, strict=True))
    for step, same in zip(losses, found, strict=True):
        for loss in step:
            assert step[loss].item() == pytest.approx(same[loss].item(), rel=1e-10)
    for weight, same in zip(method.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(weight, same, rtol=0, atol=1e-12)
    assert torch.equal(method.rng.get_state(), other.rng.get_state())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("name", CAPTURABLE)
def test_graphs_take_the_steps_of_the_gpu(name):
    losses, method, _ = trained(name, lambda method: method, device="cuda")
    found, other, taker = trained(
        name, lambda method: CapturedSteps(method, method.step), device="cuda"
    )
    assert taker.graphs
    for step, same in zip(losses, found, strict=True):
        for loss in step:
            assert step[loss].item() == pytest.approx(same[loss].item(), rel=1e-6)
    assert torch.equal(method.rng.get_state(), other.rng.get_state())


def test_the_first_steps_and_other_sizes_are_no_graphs(monkeypatch):
    method = build("cut").double()
    taker = Repeated(method, method.step)
    recorded = []

    def record(take):
        recorded.append(take)
        return SimpleNamespace(replay=take)

    monkeypatch.setattr(taker, "_record", record)
    for i in range(WARM_UP):
        taker.step(doubled(batch(seed=i)))
    assert not recorded and not taker.operations
    taker.step(doubled(batch(seed=9)))
    assert len(recorded) == 1
    taker.step(doubled(batch(seed=9, n=2)))
    assert len(recorded) == 1 and not taker.operations


def test_operations_of_a_repeated_step_are_known():
    method = build("cut").double()
    given = doubled(batch())
    with Operations() as work:
        method.step(given)
    taker = Repeated(method, method.step)
    for _ in range(WARM_UP + 1):
        taker.step(given)
    assert taker.operations == work.count > 0


def test_losses_of_a_step_stay_when_the_next_is_taken():
    _, _, taker = trained("cut", lambda method: Repeated(method, method.step), WARM_UP + 1)
    graph = next(iter(taker.graphs.values()))
    losses = taker._replay(graph, graph.batch)
    kept = losses["G"].clone()
    graph.losses["G"].add_(1)
    assert torch.equal(losses["G"], kept)


def test_a_draw_that_is_no_tensor_is_a_branch():
    rng = torch.Generator().manual_seed(0)
    draws = Draws()
    coins = iter([True, False, True])

    def take(draws):
        branches = draws.make(rng)
        coin = draws.get(0, lambda _: next(coins), rng)
        if coin:
            draws.get(1, lambda rng: [torch.rand(n, generator=rng) for n in (2, 1)], rng)
        return branches

    assert take(draws) == () and draws.branches == (True,)
    assert [len(x) for x in draws.tensors()] == [2, 1]
    first = draws.tensors()[0].clone()
    assert take(draws) == (False,) and draws.tensors() == []
    assert take(draws) == (True,)  # all draws are known before the step
    assert not torch.equal(draws.tensors()[0], first)


def test_a_subclass_has_to_say_itself_that_a_graph_can_repeat_its_step():
    cut = discover()["cut"]
    assert cut.capturable
    assert not type("Other", (cut,), {}).capturable
    assert not Method.capturable


def test_a_state_whose_rates_are_tensors_continues(tmp_path):
    _, method, _ = trained("cut", lambda method: Repeated(method, method.step))
    torch.save(method.training_state(), tmp_path / "state.pt")
    other = build("cut", lr=LR).double()
    other.load_training_state(torch.load(tmp_path / "state.pt", weights_only=True))
    for each in (method, other):
        each.set_lr_factor(0.125)
        Repeated(each, each.step).step(doubled(batch(seed=5)))
    assert {g["lr"].item() for o in other.optimizers.values() for g in o.param_groups} == {LR / 8}
    for weight, same in zip(method.parameters(), other.parameters(), strict=True):
        assert torch.equal(weight, same)


def test_learning_rates_move_to_where_a_graph_reads_them():
    method = build("cut", lr=LR)
    for optimizer in method.optimizers.values():
        captured.make_capturable(optimizer, torch.device("cpu"))
    rates = [g["lr"] for o in method.optimizers.values() for g in o.param_groups]
    method.set_lr_factor(0.25)
    assert all(isinstance(rate, Tensor) and rate.item() == LR / 4 for rate in rates)
    method.set_lr_factor(1.0)  # of the initial rate, not of the last one
    assert {rate.item() for rate in rates} == {LR}
