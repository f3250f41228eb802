"""UNSB: the bridge, its cost, the conditional networks, and translations by step."""

from __future__ import annotations

import math

import pytest
import torch
from small_methods import batch, build, weights

from baselines.unsb.method import Passes, bridge_times
from baselines.unsb.networks import step_code
from cut.base.errors import UserError
from cut.methods.contract import BatchWithSecond
from cut.methods.registry import discover

DEAD = ("conv_block.1.", "Dense_time", ".style.", "time_embed")


def images(seed=0, n=1):
    return batch(seed, n, kind=BatchWithSecond)


def unsb(**options):
    return build("unsb", **{"init_gain": 0.5, "n_blocks": 2, "nce_layers": [0, 4, 12], **options})


def test_the_published_widths_have_the_published_numbers_of_parameters():
    counts = discover()["unsb"](discover()["unsb"].Options()).parameter_counts()
    assert counts == {"G": 14_684_419, "D": 3_143_041, "F": 560_384, "E": 3_152_257}


def test_the_bridge_begins_at_the_source_and_jumps_half_of_the_way():
    assert bridge_times(5) == pytest.approx([0, 0.5, 0.74, 0.86, 0.94, 1])
    assert bridge_times(2) == [0, 0.5, 1] and bridge_times(1) == [0, 1]


def test_the_next_state_is_between_state_and_guess_with_the_bridges_noise():
    method, one = unsb(bridge_tau=0.04), torch.ones(1, 3, 2, 2)
    state = method.next_state(2, one, 5 * one, 0 * one)  # from 0.5 to 0.74
    assert torch.allclose(state, (1 + 4 * 0.48) * one)
    noise = method.next_state(2, 0 * one, 0 * one, one)
    assert torch.allclose(noise, math.sqrt(0.04 * 0.24 * 0.52) * one)


def test_a_bridge_is_that_of_its_image_alone():
    method, (a, _, second) = unsb(), images(n=2)
    drawn = {}

    def draw(name, sample):
        return drawn.setdefault(name, sample(method.rng))

    method.draw = draw
    both = method._simulate({"A": a, "A2": second}, 3)
    state = a
    with torch.no_grad():
        for i in range(3):
            guess = method.G(state, i, drawn[f"bridge/A/t{i}/z"])
            state = method.next_state(i + 1, state, guess, drawn[f"bridge/A/t{i + 1}/noise"])
    assert torch.allclose(both["A"], state, atol=1e-5)
    assert torch.equal(method._simulate({"A": a}, 0)["A"], a)


def test_the_cost_is_that_of_the_formula():
    method, (a, b, second) = unsb(time_steps=4, bridge_tau=0.3), images(n=2)
    p = Passes(1, a, second, None, b, b, b.flip(0), False)
    pair, other = torch.cat([a, b], dim=1), torch.cat([second, b.flip(0)], dim=1)
    joint = method.E(torch.cat([pair, pair], dim=1), 1).mean()
    spread = method.E(torch.cat([pair, other], dim=1), 1).exp().sum().log()
    want = -(3 / 4) * 0.3 * (joint - spread) + 0.3 * ((a - b) ** 2).mean()
    assert torch.allclose(method._bridge_cost(p), want, rtol=1e-4)


def test_the_weight_of_patch_nce_enters_squared():
    losses = unsb(lambda_nce=3.0, lambda_sb=2.0).step(images())
    contrast = 3 * (losses["NCE"] + losses["NCE_Y"]) / 2
    assert torch.allclose(losses["G"], losses["G_GAN"] + losses["SB"] + contrast)
    plain = unsb(lambda_nce=1.0, lambda_sb=2.0).step(images())
    assert torch.allclose(losses["NCE"], 3 * plain["NCE"])


@pytest.mark.parametrize("options", [{"lambda_nce": 0.0}, {"lambda_sb": 0.0, "identity": False}])
def test_a_weight_of_zero_leaves_the_term_out(options):
    losses = unsb(**options).step(images())
    assert ("NCE" in losses) == ("lambda_nce" not in options) and "NCE_Y" not in losses
    assert ("SB" in losses) == ("lambda_sb" not in options)


def test_released_blocks_have_parts_that_never_change_and_repaired_ones_do_not():
    for block in ("released", "repaired"):
        method = unsb(block=block)
        before = weights(method)
        method.step(images())
        same = {k for k, v in weights(method).items() if torch.equal(v, before[k])}
        dead = {k for k in before if k.startswith("G.") and any(part in k for part in DEAD)}
        # A bias before instance norm has a gradient of rounding noise, or none.
        dead = {k for k in dead if k.endswith("weight")}
        assert dead <= same if block == "released" else not dead & same


def test_the_step_reaches_repaired_blocks_alone():
    a, z = images().source, torch.randn(1, 16)
    for block, expected in (("released", False), ("repaired", True)):
        G = unsb(block=block).G
        assert (not torch.equal(G(a, 0, z), G(a, 3, z))) == expected
        bias = G.model_res[0].adaptive.style_net.bias
        assert torch.equal(bias[:16], torch.full((16,), float(expected)))
        assert not bias[16:].any()
        assert not torch.equal(G(a, 0, z), G(a, 0, -2 * z))


@pytest.mark.parametrize("name", ["D", "E"])
def test_the_step_reaches_the_discriminators_through_their_first_block(name):
    method = unsb()
    network = method.networks[name]
    x = torch.rand(1, 12 if name == "E" else 3, 32, 32)
    assert not torch.allclose(network(x, 0), network(x, 4), atol=1e-4)
    with torch.no_grad():
        network.model_main[0].dense.weight.zero_()
    assert torch.allclose(network(x, 0), network(x, 4), atol=1e-4)


def test_a_steps_code_has_sines_and_cosines_of_geometric_frequencies():
    code = step_code(3, 7, torch.zeros((), dtype=torch.double))
    angles = torch.tensor([3, 3e-2, 3e-4], dtype=torch.double)
    want = torch.cat([angles.sin(), angles.cos(), torch.zeros(1)])
    assert torch.allclose(code, want[None])


def test_each_step_has_a_translation_and_the_scored_one_is_returned():
    method, x = unsb().double(), images(n=3).source.double()
    steps = method.translations_by_step(x)
    assert len(steps) == 5 and not any(step.requires_grad for step in steps)
    assert not any(torch.equal(one, other) for one, other in zip(steps, steps[1:], strict=False))
    assert torch.equal(method.translate(x), steps[4])
    again = unsb(scored_step=2).double()
    assert torch.equal(again.translate(x), steps[1])
    assert len(again.translations_by_step(x)) == 5
    alone = method.translations_by_step(x[1:2])
    for one, three in zip(alone, steps, strict=True):
        assert torch.allclose(one, three[1:2], atol=1e-9)


def test_a_step_that_the_bridge_does_not_have_is_refused():
    with pytest.raises(UserError, match="scored_step"):
        unsb(time_steps=3, scored_step=4)


def test_figures_find_the_heads_and_an_encoder():
    method = unsb()
    assert method.embedding_state().keys() == {"F"}
    maps = method.G.encode(images(n=2).source, [0, 4, 12])
    assert [m.shape[1] for m in maps] == method.G.channels([0, 4, 12]) == [3, 8, 16]
    assert torch.equal(maps[2], method.query_encoder.encode(images(n=2).source, [12])[0])
