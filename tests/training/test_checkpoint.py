"""Training states: what they depend on, and continuing from them to the bit."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace

import pytest
import torch
from conftest import write_photos
from small_methods import build

from cut.base.errors import UserError
from cut.training.checkpoint import Checkpoint, StopSignal, fingerprint
from cut.training.history import History
from cut.training.loop import Loop
from cut.training.options import WITHOUT_EFFECT, TrainingOptions

OPTIONS = TrainingOptions(epochs_constant=1, epochs_decay=1, load_size=36)
CPU = torch.device("cpu")


@pytest.fixture
def photos(tmp_path):
    for seed, name in enumerate(("a", "b")):
        write_photos(tmp_path / name, 3, seed=seed)
    return [sorted((tmp_path / name).glob("*.png")) for name in ("a", "b")]


def loop_on(photos, method="cut") -> Loop:
    small = {"nce_layers": [0, 4]} if method == "cut" else {}
    return Loop(build(method, n_blocks=1, **small), *photos, OPTIONS, (32, 32), CPU)


def take(loop: Loop, history: History, until: int | None = None) -> None:
    """Take steps until there are `until` of them."""
    for batch in loop.batches():
        losses = loop.step(batch)
        history.add(loop.iteration, losses)
        if loop.iteration == until:
            break


def weights(loop: Loop) -> list[torch.Tensor]:
    return list(loop.method.generator_state().values())


@pytest.mark.parametrize("method", ["cut", "cyclegan"])
def test_continuing_gives_the_same_weights_and_losses(method, photos, tmp_path):
    straight, losses = loop_on(photos, method), History("row", 1)
    take(straight, losses)
    assert straight.iteration == straight.total == 6
    # Stopped inside the first epoch, at its end, and inside the second.
    history = History("row", 1)
    for stop in (2, 3, 5, None):
        loop, history = loop_on(photos, method), History("row", 1)
        checkpoint = Checkpoint(tmp_path, "one", "digest")
        assert checkpoint.restore(loop, history) == (stop != 2)
        take(loop, history, stop)
        checkpoint.save(loop, history)
    assert all(map(torch.equal, weights(loop), weights(straight)))
    losses.flush()
    history.flush()
    assert history.sums == losses.sums and history.counted == 6


def test_a_new_code_digest_is_added(photos, tmp_path):
    loop, history = loop_on(photos), History("row", 1)
    Checkpoint(tmp_path, "one", "old").save(loop, history)
    for digests in (["old", "new"], ["old"]):
        checkpoint = Checkpoint(tmp_path, "one", digests[-1])
        assert checkpoint.restore(loop, history) and checkpoint.digests == digests


def test_a_state_belongs_to_one_fingerprint(photos, tmp_path):
    loop, history = loop_on(photos), History("row", 1)
    one, other = (Checkpoint(tmp_path, name, "digest") for name in ("one", "other"))
    one.save(loop, history)
    assert not other.restore(loop, history)
    other.save(loop, history)
    one.drop()
    assert other.path.is_file() and not one.path.exists()
    other.drop()
    assert not other.path.parent.exists()


def test_a_damaged_state_is_refused_by_name(photos, tmp_path):
    loop, history = loop_on(photos), History("row", 1)
    checkpoint = Checkpoint(tmp_path, "one", "digest")
    checkpoint.save(loop, history)
    checkpoint.path.write_bytes(checkpoint.path.read_bytes()[:200])
    with pytest.raises(UserError, match=r"one\.pt .* delete it"):
        checkpoint.restore(loop, history)


def test_the_fingerprint_leaves_out_options_that_decide_nothing():
    changed = {"load_size": 99, "flip": False, "precision": "tf32", "cache_images": True}
    changed["tensorboard"] = True

    def of(**options: object) -> str:
        method = SimpleNamespace(name="cut", options=SimpleNamespace(model_dump=dict), seed=0)
        loop = SimpleNamespace(method=method, options=TrainingOptions(**options), size=(64, 64))
        loop.device = CPU
        return fingerprint(loop, "0")

    names = TrainingOptions.model_fields
    same = {name for name in names if of(**{name: changed.get(name, 7)}) == of()}
    assert same == WITHOUT_EFFECT


def test_a_signal_is_noted_and_handlers_are_put_back():
    before = signal.getsignal(signal.SIGTERM)
    stop = StopSignal()
    with stop.caught():
        assert stop.number is None
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is before
