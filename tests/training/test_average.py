"""A moving average of the generator's weights: its formula, and trainings that keep one."""

from __future__ import annotations

import pytest
import torch
from conftest import write_photos
from small_methods import build

from cut.training.average import WARM_UP, Average, decay_at
from cut.training.checkpoint import Checkpoint
from cut.training.history import History
from cut.training.loop import Loop
from cut.training.options import TrainingOptions

CPU = torch.device("cpu")


def first(method) -> torch.Tensor:
    """Return the first weight of the first network that translates."""
    return next(method.get_submodule(method.generator[0]).parameters())


def test_the_average_is_the_closed_form():
    method, decay = build("cut", nce_layers=[0, 4], n_blocks=1), 0.5
    average, weight, expected = Average(method, decay), first(method), torch.tensor(0.0)
    for step in range(40):
        with torch.no_grad():
            weight.fill_(step)
        average.update()
        kept = min(decay, step / (WARM_UP + step))
        expected = kept * expected + (1 - kept) * step
        found = next(iter(average.generator_state().values()))
        assert torch.allclose(found, expected.expand_as(found))
    assert decay_at(0, decay) == 0 and decay_at(10**6, decay) == decay
    # Far from its start, the average of 0, 1, 2 … lags behind by decay / (1 - decay).
    assert expected == pytest.approx(39 - 1, abs=1e-3)


@pytest.mark.parametrize("method", ["cut", "cyclegan", "unsb"])
def test_the_average_has_the_files_and_buffers_of_the_generator(method):
    built = build(method)
    average = Average(built, 0.9)
    average.update()
    found, expected = average.generator_state(), built.generator_state()
    assert found.keys() == expected.keys()
    built.load_generator_state(found)


@pytest.fixture
def photos(tmp_path):
    for seed, name in enumerate(("a", "b")):
        write_photos(tmp_path / name, 3, seed=seed)
    return [sorted((tmp_path / name).glob("*.png")) for name in ("a", "b")]


def trained(photos, folder, *stops: int | None, average: float = 0.9) -> Loop:
    """Return a loop at its end, after a stop, a checkpoint and a new start at each of `stops`."""
    options = TrainingOptions(epochs_constant=1, epochs_decay=1, load_size=36, average=average)
    for stop in (*stops, None):
        loop, history = (
            Loop(build("cut", n_blocks=1, nce_layers=[0, 4]), *photos, options, (32, 32), CPU),
            History("row"),
        )
        checkpoint = Checkpoint(folder, "one", "digest")
        checkpoint.restore(loop, history)
        for batch in loop.batches():
            history.add(loop.iteration, loop.step(batch))
            if loop.iteration == stop:
                break
        checkpoint.save(loop, history)
    return loop


def test_a_training_with_an_average_continues_to_the_bit(photos, tmp_path):
    straight, stopped = trained(photos, tmp_path / "1"), trained(photos, tmp_path / "2", 2, 3)
    for one, two in ((straight, stopped), (straight.method, stopped.method)):
        a, b = one.generator_state(), two.generator_state()
        assert all(torch.equal(a[name], b[name]) for name in a)


def test_an_average_changes_what_translates_but_not_the_training(photos, tmp_path):
    without, averaged = trained(photos, tmp_path / "1", average=0), trained(photos, tmp_path / "2")
    last, kept = averaged.method.generator_state(), averaged.generator_state()
    same = without.generator_state()
    assert all(torch.equal(last[name], same[name]) for name in last)
    assert not torch.equal(first(averaged.method), kept["model.1.weight"])
