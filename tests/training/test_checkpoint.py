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
from cut.base.image_form import DEFAULT
from cut.base.tensor_files import read_tensors, save_tensors
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
    straight, losses = loop_on(photos, method), History("row")
    take(straight, losses)
    assert straight.iteration == straight.total == 6
    # Stopped inside the first epoch, at its end, and inside the second.
    history = History("row")
    for stop in (2, 3, 5, None):
        loop, history = loop_on(photos, method), History("row")
        checkpoint = Checkpoint(tmp_path, "one", "digest")
        assert checkpoint.restore(loop, history) == (stop != 2)
        take(loop, history, stop)
        checkpoint.save(loop, history)
    assert all(map(torch.equal, weights(loop), weights(straight)))
    losses.flush()
    history.flush()
    assert history.sums == losses.sums and history.counted == 6


def test_a_new_code_digest_is_added(photos, tmp_path):
    loop, history = loop_on(photos), History("row")
    Checkpoint(tmp_path, "one", "old").save(loop, history)
    for digests in (["old", "new"], ["old"]):
        checkpoint = Checkpoint(tmp_path, "one", digests[-1])
        assert checkpoint.restore(loop, history) and checkpoint.digests == digests


def test_a_state_belongs_to_one_fingerprint(photos, tmp_path):
    loop, history = loop_on(photos), History("row")
    one, other = (Checkpoint(tmp_path, name, "digest") for name in ("one", "other"))
    one.save(loop, history)
    assert not other.restore(loop, history)
    other.save(loop, history)
    one.drop()
    assert other.path.is_file() and not one.path.exists()
    other.drop()
    assert not other.path.parent.exists()


@pytest.fixture
def two_states(photos, tmp_path):
    """Return a checkpoint with two generations, after 2 and 3 steps."""
    loop, history = loop_on(photos), History("row")
    checkpoint = Checkpoint(tmp_path, "one", "digest")
    for steps in (2, 3):
        take(loop, history, steps)
        checkpoint.save(loop, history)
    return checkpoint


def flip(path, bit: int = 80_000) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def test_the_state_before_a_damaged_one_is_used(two_states, photos, capsys):
    straight = loop_on(photos)
    take(straight, History("row"))
    flip(two_states.path)
    loop, history = loop_on(photos), History("row")
    assert two_states.restore(loop, history) and loop.iteration == 2
    (note,) = capsys.readouterr().out.splitlines()
    assert str(two_states.path) in note
    take(loop, history)
    assert all(map(torch.equal, weights(loop), weights(straight)))


def test_two_damaged_states_are_refused_and_kept(two_states, photos):
    for path in (two_states.path, two_states.before):
        flip(path)
    with pytest.raises(UserError, match=r"one\.pt .*one\.before\.pt .* nothing was deleted"):
        two_states.restore(loop_on(photos), History("row"))
    assert two_states.path.is_file() and two_states.before.is_file()


@pytest.mark.parametrize("moment", [1, 2])
def test_a_kill_at_any_moment_of_a_save_leaves_a_state(
    moment, two_states, photos, tmp_path, monkeypatch
):
    """The moments are those before each of the two renames."""
    loop, history = loop_on(photos), History("row")
    two_states.restore(loop, history)
    take(loop, history, 4)
    replace, calls = os.replace, []

    def dying(*paths):
        calls.append(paths)
        if len(calls) == moment:
            os._exit(9)
        replace(*paths)

    if (child := os.fork()) == 0:
        monkeypatch.setattr(os, "replace", dying)
        two_states.save(loop, history)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert list((tmp_path / "state").glob(".*.tmp"))
    again = Checkpoint(tmp_path, "one", "digest")
    assert again.restore(loop, history) and loop.iteration == 3
    take(loop, history, 4)
    again.save(loop, history)
    assert not list((tmp_path / "state").glob(".*.tmp"))
    assert Checkpoint(tmp_path, "one", "digest").restore(loop, history) and loop.iteration == 4


def missing(state):
    del state["method"]["optimizers"]


def shapes(state):
    state["method"]["modules"]["G.model.1.weight"] = torch.zeros(2)


def moments(state):
    state["method"]["optimizers"]["G"]["state"][0]["exp_avg"] = torch.zeros(2)


def position(state):
    state["iteration"] = 10**6


def other(state):
    state["fingerprint"] = "two"


def half(state):
    state["history"]["rows"] = None


@pytest.mark.parametrize("change", [missing, shapes, moments, position, other, half, list.clear])
def test_a_state_of_another_form_is_a_sentence(change, two_states, photos):
    for path in (two_states.path, two_states.before):
        state = read_tensors(path, "a state")
        state = [] if change is list.clear else state
        change(state)
        save_tensors(path, state)
    with pytest.raises(UserError, match="can continue"):
        two_states.restore(loop_on(photos), History("row"))


def test_weights_that_are_not_finite_replace_no_state(two_states, photos):
    loop, history = loop_on(photos), History("row")
    two_states.restore(loop, history)
    kept = two_states.path.read_bytes(), two_states.before.read_bytes()
    with torch.no_grad():
        next(loop.method.D.parameters()).view(-1)[0] = float("nan")
    with pytest.raises(UserError, match=r"weights D\.\S+ of row are not finite after step 3"):
        two_states.save(loop, history)
    assert (two_states.path.read_bytes(), two_states.before.read_bytes()) == kept


def test_the_fingerprint_leaves_out_options_that_decide_nothing():
    changed = {"load_size": 99, "flip": False, "precision": "tf32", "cache_images": True}
    changed |= {"cuda_graph": False}
    changed |= {"tensorboard": True, "keep_state": True, "extends": [[1, 1]]}
    changed |= {"crops": "zoom", "crop_size": 48, "average": 0.9}

    def of(**options: object) -> str:
        options_of = SimpleNamespace(model_dump=dict)
        method = SimpleNamespace(name="cut", options=options_of, seed=0, images=DEFAULT)
        loop = SimpleNamespace(method=method, options=TrainingOptions(**options), size=(64, 64))
        loop.device = CPU
        return fingerprint(loop, "0")

    # The weights to begin from count by their digest, wherever they lie.
    names = set(TrainingOptions.model_fields) - {"begin_from"}
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
