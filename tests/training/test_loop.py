"""The loop: number of steps, learning rates, augmentation by phase, and precision."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from conftest import write_photos

from cut.base.errors import UserError
from cut.base.image_form import DEFAULT
from cut.methods.contract import Batch, BatchWithSecond
from cut.training.loop import Loop, configure_torch, lr_factor
from cut.training.options import TrainingOptions


class Recorder:
    """A method that notes the batches and the learning rates that it is given."""

    trained, seed, name, images = True, 0, "recorder", DEFAULT

    def __init__(self, kind=Batch):
        self.Batch, self.rates, self.batches = kind, [], []

    def set_lr_factor(self, factor):
        self.rates.append(factor)

    def step(self, batch):
        self.batches.append(batch)
        return {"product": torch.mm(torch.ones(2, 2), torch.ones(2, 2))}


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    write_photos(root / "a", 5, seed=0)
    write_photos(root / "b", 3, seed=1)
    return sorted((root / "a").glob("*.png")), sorted((root / "b").glob("*.png"))


def loop_on(photos, size=(32, 32), kind=Batch, **options) -> Loop:
    given = {"epochs_constant": 2, "epochs_decay": 2, "batch_size": 2, **options}
    return Loop(Recorder(kind), *photos, TrainingOptions(**given), size, torch.device("cpu"))


def take(loop: Loop, steps: int | None = None) -> Recorder:
    for batch in loop.batches():
        loop.step(batch)
        if loop.iteration == steps:
            break
    return loop.method


def test_the_learning_rate_falls_as_published():
    factors = [lr_factor(epoch, 200, 200) for epoch in (1, 200, 201, 400)]
    assert factors == pytest.approx([1, 1, 200 / 201, 1 / 201])


def test_every_epoch_has_its_steps_and_its_learning_rate(photos):
    loop = loop_on(photos)
    assert (loop.steps, loop.epochs, loop.total, loop.epoch) == (3, 4, 12, 0)
    method = take(loop)
    assert loop.iteration == len(method.batches) == 12 and loop.epoch == 4
    assert method.rates == pytest.approx([1, 1, 2 / 3, 1 / 3])
    assert [len(batch.source) for batch in method.batches] == [2, 2, 1] * 4
    assert list(loop.batches()) == []


def test_a_smaller_last_batch_counts_as_what_it_is(photos):
    loop = loop_on(photos, batch_size=4)
    seen = [0]
    for batch in loop.batches():
        loop.step(batch)
        seen.append(seen[-1] + len(batch.source))
    assert seen == [0, 4, 5, 9, 10, 14, 15, 19, 20]
    assert [loop.images_until(step) for step in range(loop.total + 1)] == seen


def test_epochs_of_the_run_that_is_extended_stay_as_they_were(photos):
    first = loop_on(photos)
    longer = loop_on(photos, epochs_constant=5, epochs_decay=1, extends=((2, 2),))
    assert longer.epochs == 6
    rates = [longer.lr_factor(epoch) for epoch in range(1, 7)]
    assert rates == pytest.approx([1, 1, 2 / 3, 1 / 3, 1, 1 / 2])
    for epoch in range(1, 5):
        assert longer.augmentation(epoch) == first.augmentation(epoch)
    assert longer.augmentation(5).load != longer.augmentation(6).load


@pytest.mark.parametrize("start", [1, 3, 7, 11])
def test_the_loop_continues_at_any_step(photos, start):
    straight = take(loop_on(photos, kind=BatchWithSecond))
    loop = loop_on(photos, kind=BatchWithSecond)
    loop.iteration = start
    method = take(loop)
    assert method.rates == straight.rates[start // 3 :]
    for one, other in zip(method.batches, straight.batches[start:], strict=True):
        assert all(map(torch.equal, one, other))


def test_second_sources_change_no_pair(photos):
    plain, more = (take(loop_on(photos, kind=kind)) for kind in (Batch, BatchWithSecond))
    for one, other in zip(plain.batches, more.batches, strict=True):
        assert torch.equal(one.source, other.source) and torch.equal(one.target, other.target)
        assert other.second.shape == one.source.shape
    assert not any(torch.equal(b.source, b.second) for b in more.batches)


def test_a_method_that_is_not_trained_takes_no_step(monkeypatch):
    monkeypatch.setattr(Recorder, "trained", False)
    loop = loop_on(([], []))
    assert (loop.epochs, loop.total) == (0, 0) and list(loop.batches()) == []


def test_only_the_constant_phase_has_crop_jitter(photos):
    loads = [loop_on(photos, (64, 128)).augmentation(epoch).load for epoch in (1, 2, 3, 4)]
    assert loads == [(72, 143)] * 2 + [(64, 128)] * 2  # 286/256 of each side
    assert loop_on(photos, load_size=40).augmentation(1).load == (40, 40)
    assert not loop_on(photos, flip=False).augmentation(1).flip


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_step_runs_in_the_precision_asked_for(photos, precision):
    loop = loop_on(photos, precision=precision)
    product = loop.step(next(loop.batches()))["product"]
    assert product.dtype == getattr(torch, precision)


def test_a_single_pixel_before_instance_norm_is_a_sentence(photos, monkeypatch):
    def step(self, batch):
        return torch.nn.InstanceNorm2d(3)(batch.source[..., :1, :1])

    monkeypatch.setattr(Recorder, "step", step)
    with pytest.raises(UserError, match="size 32 .* recorder"):
        take(loop_on(photos))


def test_torch_is_configured_by_the_options():
    before = torch.get_num_threads(), torch.backends.cudnn.allow_tf32
    try:
        for threads, precision in ((2, "tf32"), (1, "float32")):
            configure_torch(SimpleNamespace(threads=threads, precision=precision))
            assert torch.get_num_threads() == threads
            assert torch.backends.cuda.matmul.allow_tf32 == (precision == "tf32")
            assert torch.backends.cudnn.allow_tf32 == (precision == "tf32")
    finally:
        torch.set_num_threads(before[0])
        torch.backends.cudnn.allow_tf32 = before[1]
        torch.backends.cuda.matmul.allow_tf32 = False
