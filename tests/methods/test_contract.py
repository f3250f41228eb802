"""What the contract gives to a method."""

from __future__ import annotations

import io

import pytest
import torch
from small_methods import batch, build
from torch import nn

from cut.base.errors import UserError
from cut.methods.contract import Batch, Method, Schedule
from cut.methods.loss import Loss
from cut.methods.options import NetworkOptions
from cut.nets.image_pool import ImagePool
from cut.training.options import training_options


class Small(Method):
    name, summary = "small", "two convolutions"
    Options = NetworkOptions
    schedule = Schedule(3, 4, batch_size=2)

    def __init__(self, options, seed=0):
        super().__init__(options, seed)
        self.add(G=nn.Conv2d(3, 3, 1), D=nn.Conv2d(3, 1, 1))
        self.adam(G="G", D=("D",))
        self.average = nn.Conv2d(3, 3, 1).requires_grad_(False)
        self.pool = ImagePool(2, self.draw)

    def step(self, batch):
        fake = self.G(batch.source)
        seen = self.pool.exchange(fake)
        losses = self.update("D", {"D": self.D(seen).square().mean()})
        return losses | self.update("G", {"G": (self.D(fake) - 1).square().mean()})


def small(seed=0):
    return Small(NetworkOptions(), seed)


def test_networks_draw_from_streams_of_their_own():
    first, again, other = small(), small(), small(1)
    assert torch.equal(first.G.weight, again.G.weight)
    assert not torch.equal(first.G.weight, other.G.weight)
    assert not torch.equal(first.G.weight[:1], first.D.weight)
    assert torch.equal(first.G.bias, torch.zeros(3))


def test_an_update_reaches_the_networks_of_its_group_alone():
    method = small()
    before = {name: p.clone() for name, p in method.named_parameters()}
    losses = method.update("G", {"a": method.D(method.G(batch().source)).mean()})
    changed = {name for name, p in method.named_parameters() if not torch.equal(p, before[name])}
    assert changed == {"G.weight", "G.bias"}
    assert method.D.weight.grad is None and method.D.weight.requires_grad
    assert not losses["a"].requires_grad


def test_an_update_minimises_the_sum_or_the_total():
    images = batch().source
    gradients = []
    for total in (False, True):
        method = small()
        terms = {"a": method.G(images).mean(), "b": method.G(images).mean()}
        method.update("G", terms, total=terms["a"] if total else None)
        gradients.append(method.G.weight.grad.clone())
    assert torch.allclose(gradients[0], 2 * gradients[1])


def test_an_update_clips_the_gradient():
    method = small()
    method.update("G", {"a": 1000 * method.G(batch().source).square().sum()}, clip=0.5)
    norms = [p.grad.norm() ** 2 for p in method.G.parameters()]
    assert float(sum(norms)) ** 0.5 == pytest.approx(0.5, rel=1e-3)


def test_adam_takes_the_options_and_what_is_given():
    method = small()
    method.adam(slow=["G", "D"], lr=1e-5, betas=(0.9, 0.99), weight_decay=0.1)
    group = method.optimizers["slow"].param_groups[0]
    assert (group["lr"], group["betas"], group["weight_decay"]) == (1e-5, (0.9, 0.99), 0.1)
    assert len(group["params"]) == 4
    group = method.optimizers["G"].param_groups[0]
    assert (group["lr"], group["betas"], group["weight_decay"]) == (0.0002, (0.5, 0.999), 0)


def test_the_training_state_has_everything():
    method, other = small(), small(1)
    for step in range(4):
        method.step(batch(step))
    method.average.weight += 1
    file = io.BytesIO()
    torch.save(method.training_state(), file)
    file.seek(0)
    other.load_training_state(torch.load(file, weights_only=True))
    assert torch.equal(other.average.weight, method.average.weight)
    assert all(map(torch.equal, other.pool.images, method.pool.images)) and other.pool.images
    for step in range(4, 8):
        losses = [m.step(batch(step)) for m in (method, other)]
        assert losses[0] == losses[1]
    assert torch.equal(method.G.weight, other.G.weight)


def test_counts_and_networks_are_of_what_is_trained():
    assert small().parameter_counts() == {"G": 12, "D": 4}
    assert list(small().networks) == ["G", "D"]


def test_several_networks_that_translate_are_kept_by_name():
    class Pair(Small):
        generator = ("G", "D")

    assert small().generator_state().keys() == {"weight", "bias"}
    state = Pair(NetworkOptions(), 1).generator_state()
    assert state.keys() == {"G", "D"}
    other = Pair(NetworkOptions(), 2)
    other.load_generator_state(state)
    assert torch.equal(other.D.weight, state["D"]["weight"])


def test_the_schedule_is_the_default_of_the_loop():
    options = training_options(Small, {"epochs_decay": 9})
    assert (options.epochs_constant, options.epochs_decay, options.batch_size) == (3, 9, 2)


def test_a_class_without_a_summary_is_refused():
    with pytest.raises(UserError, match="summary"):
        type("Bare", (Method,), {"name": "bare"})


def test_positions_are_distinct_and_no_more_than_there_are():
    maps = [torch.zeros(1, 2, 4, 4), torch.zeros(1, 2, 20, 20)]
    few, many = small().draw_positions(maps, 50)
    assert sorted(few.tolist()) == list(range(16))
    assert len(many) == 50 == len(set(many.tolist())) and int(many.max()) < 400


def test_normal_values_come_from_the_stream_or_from_a_replay():
    cut, again = build("cut"), build("cut")
    like = torch.zeros(1, dtype=torch.float64)
    drawn = cut.draw_normal("z", (2, 3), like)
    expected = torch.randn(2, 3, generator=again.rng)
    assert drawn.dtype == torch.float64 and torch.equal(drawn, expected.double())
    assert not torch.equal(cut.draw_normal("z", (2, 3), like), drawn)
    recorded = {"z": torch.ones(2, 3)}
    cut.given_draws = recorded.__getitem__
    assert torch.equal(cut.draw_normal("z", (2, 3), like), torch.ones(2, 3, dtype=torch.float64))


@pytest.mark.parametrize("size", [(32, 30), (30, 32)])
def test_a_side_that_is_no_multiple_of_the_stride_is_refused(size):
    cls = type(build("cut"))
    cls.check(cls.Options(), (32, 48))
    with pytest.raises(UserError, match=f"{size[0]}x{size[1]}.* 4"):
        cls.check(cls.Options(), size)


def test_a_loss_without_a_chance_level_has_none():
    assert Loss("x").record({}).chance is None
    record = Loss("x", chance=lambda o: o["n"] / 2, at_chance="tossing").record({"n": 3})
    assert (record.chance, record.at_chance) == (1.5, "tossing")


def test_a_batch_is_a_source_and_a_target():
    assert Batch._fields == ("source", "target")
