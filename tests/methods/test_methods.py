"""The contract tests, for every method that discovery finds."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import pytest
import torch
from conftest import ROOT
from small_methods import batch, build, weights

from cut.base.errors import UserError
from cut.methods.registry import discover
from cut.plan.plan import make_plan

TRAINED = sorted(name for name, cls in discover().methods.items() if cls.trained)


def options_of(name):
    return discover()[name].Options.model_fields


def test_discovery_finds_the_paper_and_the_controls():
    assert {"cut", "fastcut", "copy", "real"} <= set(discover().methods)
    assert discover().broken == {}


@pytest.mark.parametrize("name", TRAINED)
def test_builds_from_its_defaults(name):
    method = discover()[name](discover()[name].Options())
    assert method.networks


@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("name", TRAINED)
def test_a_step_changes_every_network(name, n):
    method = build(name)
    before = weights(method)
    losses = method.step(batch(n=n, kind=method.Batch))
    assert losses
    for loss_name, value in losses.items():
        assert value.ndim == 0 and torch.isfinite(value), loss_name
        assert not value.requires_grad, f"{loss_name} keeps its graph alive"
    after = weights(method)
    for network in method.networks:
        changed = [
            k for k in after if k.startswith(network + ".") and not torch.equal(before[k], after[k])
        ]
        assert changed, f"network {network} of {name} did not change"


@pytest.mark.parametrize("name", [n for n in TRAINED if "n_downsampling" in options_of(n)])
def test_the_generator_may_halve_its_input_once(name):
    once = build(name, n_downsampling=1)
    assert all(torch.isfinite(v) for v in once.step(batch(kind=once.Batch)).values())
    images = batch().source
    assert once.translate(images).shape == images.shape

    def parameters(**options):
        method = build(name, **options)
        return sum(p.numel() for p in method.networks[method.generator[0]].parameters())

    # The blocks have half the channels. A method with a generator of its own uses neither option.
    if parameters(ngf=8) != parameters(ngf=4):
        assert parameters(n_downsampling=1) < parameters(n_downsampling=2) / 2


@pytest.mark.parametrize("name", TRAINED)
def test_one_seed_gives_one_result(name):
    first, second, other = build(name, 3), build(name, 3), build(name, 4)
    for method in (first, second, other):
        for step in range(2):
            method.step(batch(step, kind=method.Batch))
    pairs = weights(second)
    assert all(torch.equal(value, pairs[key]) for key, value in weights(first).items())
    pairs = weights(other)
    assert not all(torch.equal(value, pairs[key]) for key, value in weights(first).items())


@pytest.mark.parametrize("name", TRAINED)
def test_a_restored_state_gives_the_same_weights(name):
    straight = build(name)
    for step in range(2):
        straight.step(batch(step, kind=straight.Batch))
    file = io.BytesIO()
    torch.save(straight.training_state(), file)
    for step in range(2, 4):
        straight.step(batch(step, kind=straight.Batch))
    file.seek(0)
    resumed = build(name)
    resumed.load_training_state(torch.load(file, weights_only=True))
    for step in range(2, 4):
        resumed.step(batch(step, kind=resumed.Batch))
    want = weights(straight)
    for key, value in weights(resumed).items():
        assert torch.equal(value, want[key]), key


@pytest.mark.parametrize("name", TRAINED)
def test_translates_several_images_as_it_does_one(name):
    method = build(name)
    side = 6 * method.stride
    x = torch.rand(3, 3, side, 2 * side) * 2 - 1
    y = method.translate(x)
    assert y.shape == x.shape and y.abs().max() <= 1 and not y.requires_grad
    assert torch.allclose(y[1:2], method.translate(x[1:2]), atol=1e-5)


@pytest.mark.parametrize("name", TRAINED)
def test_a_size_off_the_stride_is_refused(name):
    stride = discover()[name].stride
    config = {"datasets": ["coats2stripes"], "run": [name], "size": 64 * stride}
    assert make_plan(config).rows
    if stride > 1:
        with pytest.raises(UserError, match=f"{name}.* {stride}"):
            make_plan({**config, "size": 64 * stride + 1})


@pytest.mark.parametrize("name", TRAINED)
def test_generator_state_is_enough_to_translate(name):
    method, other = build(name, 0), build(name, 1)
    x = batch().source
    assert not torch.equal(method.translate(x), other.translate(x))
    other.load_generator_state(method.generator_state())
    assert torch.equal(method.translate(x), other.translate(x))


@pytest.mark.parametrize("name", sorted(discover().methods))
def test_unknown_options_are_refused(name):
    with pytest.raises(UserError, match="lamda"):
        build(name, lamda=1)


@pytest.mark.parametrize("name", TRAINED)
def test_values_out_of_range_are_refused(name):
    with pytest.raises(UserError, match="lr .*-1"):
        build(name, lr=-1)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU on this machine")
@pytest.mark.parametrize("name", TRAINED)
def test_steps_on_a_gpu(name):
    method = build(name).to(torch.device("cuda"))
    losses = method.step(method.Batch(*(x.cuda() for x in batch(kind=method.Batch))))
    assert all(torch.isfinite(value) for value in losses.values())


def test_the_command_lists_every_method():
    done = subprocess.run(
        [sys.executable, "-m", "cut", "methods"],
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=True,
    )
    for name, cls in discover().methods.items():
        assert f"{name}: {cls.summary}" in done.stdout
    assert "tau = 0.07 (> 0, <= 1000): temperature" in done.stdout


def test_the_example_of_the_readme_trains(plugins):
    page = (ROOT / "baselines" / "README.md").read_text()
    plugins(**{"colour.py": re.search(r"```python\n(.*?)```", page, re.DOTALL)[1]})
    method = build("colour")
    before = weights(method)
    assert all(torch.isfinite(loss) for loss in method.step(batch()).values())
    changed = {key for key, value in weights(method).items() if not torch.equal(value, before[key])}
    assert {key for key in before if key.endswith("weight")} <= changed


LAYERS = """
from cut.methods.contract import Method
from cut.methods.options import NetworkOptions

class Options(NetworkOptions):
    nce_layers: list[int] = [4, 8]

class Taps(Method):
    name = "taps"
    summary = "has layers, and refuses those outside the generator"
    Options = Options
    generator = ()

    @classmethod
    def check(cls, options, size):
        super().check(options, size)
        options.check_layers("nce_layers", options.nce_layers)
"""


def test_a_plug_in_refuses_its_options_before_anything_runs(plugins):
    plugins(**{"taps.py": LAYERS})
    config = {"datasets": ["coats2stripes"], "run": ["taps"], "size": 32}
    assert make_plan(config).rows
    with pytest.raises(UserError, match=r"taps.*nce_layers.*99"):
        make_plan({**config, "methods": {"taps": {"options": {"nce_layers": [4, 99]}}}})


@pytest.mark.parametrize("name", TRAINED)
def test_every_loss_is_described(name):
    method = build(name)
    if method.losses:  # a plug-in need not describe them
        assert method.step(batch(kind=method.Batch)).keys() <= method.losses.keys()
    options = method.options.model_dump()
    for loss, record in method.loss_records().items():
        assert record.weight in {"", *options}, loss
        assert record.chance is None or record.chance > 0, loss


@pytest.mark.parametrize("name", ["cut", "dclgan", "decent", "sincut"])
def test_a_feature_layer_stands_there_once(name):
    option = "density_layers" if name == "decent" else "nce_layers"
    for layers in ([], [4, 4]):
        with pytest.raises(UserError, match=option):
            build(name, **{option: layers})
