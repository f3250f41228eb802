"""DRIT's parts in closed form, and the order of its updates."""

from __future__ import annotations

import math

import pytest
import torch
from small_methods import batch, build, weights

from baselines.drit.method import bce, kl, mode_seeking
from baselines.drit.networks import (
    AttributeEncoder,
    ContentDiscriminator,
    ContentEncoder,
    Generator,
    initialise,
)
from cut.methods.code_digest import code_files
from cut.methods.registry import discover
from cut.nets.networks import count_parameters


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def updates(method, group):
    """How many steps the parameters of an optimizer have taken."""
    state = method.optimizers[group].state_dict()["state"]
    return {int(values["step"]) for values in state.values()}


def conv(n_in, n_out, kernel):
    return n_in * n_out * kernel**2 + n_out


def test_kl_is_the_closed_form():
    mean, log_variance = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, math.log(4)]])
    want = 0.5 * (1.0 + 1 - 1 - 0) + 0.5 * (0 + 4 - 1 - math.log(4))
    assert float(kl(mean, log_variance)) == pytest.approx(want, rel=1e-6)
    assert float(kl(torch.zeros(3, 8), torch.zeros(3, 8))) == 0


def test_bce_takes_values_before_the_sigmoid():
    assert float(bce(torch.zeros(5), 1)) == pytest.approx(math.log(2))
    assert float(bce(torch.tensor([3.0]), 0)) == pytest.approx(math.log(1 + math.exp(3)))


def test_the_content_is_noisy_in_training_alone():
    method, images = build("drit"), dict(zip("AB", batch(n=4), strict=True))
    clean = method._contents(images)
    assert torch.equal(clean["A"], method.E_c(images["A"], "A"))
    assert not torch.equal(method.E_c(images["A"], "A"), method.E_c(images["A"], "B"))
    noisy, noise = method._noisy_contents(images, "forward")
    assert torch.equal(noisy["B"], clean["B"] + noise["B"])
    assert abs(noise["A"].mean()) < 0.06 and abs(noise["A"].std() - 1) < 0.06


def test_the_second_update_keeps_the_noise_of_the_first_pass(monkeypatch):
    method = build("drit", d_iter=1)
    drawn, draw = {}, method.draw

    def spy(name, sample):
        drawn[name] = draw(name, sample)
        return drawn[name]

    monkeypatch.setattr(method, "draw", spy)
    method.step(batch())
    for side in "AB":
        assert torch.equal(drawn[f"latent/noise_{side}"], drawn[f"forward/noise_{side}"])


def test_mode_seeking_is_the_change_of_codes_per_change_of_images():
    images = torch.zeros(1, 3, 2, 2), torch.full((1, 3, 2, 2), 0.5)
    codes = torch.zeros(1, 4), torch.tensor([[1.0, -1.0, 2.0, 0.0]])
    assert float(mode_seeking(images, codes)) == pytest.approx(1 / (0.5 / 1 + 1e-5))
    assert float(mode_seeking(images[:1] * 2, codes)) == pytest.approx(1e5)


def test_mode_seeking_counts_the_real_image_with_each_random_one():
    plain, seeking = (build("drit", mode_seeking=m).step(batch()) for m in (False, True))
    assert seeking.keys() - plain.keys() == {"modes"} and seeking["modes"] > 0
    # Each of the three scales that fit adds about 2 ln 2 for a pair at chance.
    assert float(seeking["D2_A"]) == pytest.approx(2 * float(plain["D2_A"]), rel=0.2)
    assert float(seeking["D_A"]) == pytest.approx(float(plain["D_A"]), rel=0.2)


def test_biases_start_uniform_up_to_one_over_the_root_of_the_inputs():
    net = initialise(Generator(16, 8), rng())
    first, up = net.shared.model[0][1], net.own["A"][1][0]
    for layer, inputs in ((first, 64 * 9), (up, (64 + 16) * 9)):
        bound = inputs**-0.5
        assert 0.8 * bound < layer.bias.abs().max() <= bound
        assert float(layer.bias.detach().std()) == pytest.approx(bound / 3**0.5, rel=0.25)


def test_parameter_counts_at_the_published_widths():
    block = 2 * conv(256, 256, 3)
    branch = conv(3, 64, 7) + conv(64, 128, 3) + conv(128, 256, 3) + 3 * block
    assert count_parameters(ContentEncoder(64)) == 2 * branch + block
    assert count_parameters(ContentDiscriminator(256)) == (
        3 * conv(256, 256, 7) + conv(256, 256, 4) + conv(256, 1, 1)
    )
    blocks = sum(
        conv(n, n, 3) + conv(n, m, 3) + conv(n, m, 1)
        for n, m in ((64, 128), (128, 192), (192, 256))
    )
    assert count_parameters(AttributeEncoder(64, 8)) == conv(3, 64, 4) + blocks + 2 * (256 + 1) * 8


def test_small_contents_are_enlarged_for_their_discriminator():
    D = ContentDiscriminator(4)
    assert D(torch.zeros(2, 4, 8, 12)).shape == (2, 1, 1, 1)
    assert D(torch.zeros(1, 4, 64, 64)).shape == (1, 1, 2, 2), "that of a 256-pixel image"


def test_the_contents_discriminator_is_updated_d_iter_times_a_step():
    for times in (1, 3):
        method = build("drit", d_iter=times)
        method.step(batch())
        assert updates(method, "D_c") == {times}
        assert method.optimizers["D_c"].param_groups[0]["lr"] == pytest.approx(0.0001 / 2.5)
        # Content encoder and generator take a second update, attribute encoders do not.
        assert [updates(method, name) for name in "GED"] == [{2}, {1}, {1}]


def test_the_second_half_of_a_batch_is_shown_to_the_second_discriminators(monkeypatch):
    method = build("drit")
    seen = []
    whole = method._discriminators_step

    def spy(real, others, fake):
        seen.append((real, others))
        return whole(real, others, fake)

    monkeypatch.setattr(method, "_discriminators_step", spy)
    two, one = batch(n=2), batch(n=1)
    method.step(two)
    method.step(one)
    assert torch.equal(seen[0][0]["A"], two.source[:1])
    assert torch.equal(seen[0][1]["B"], two.target[1:])
    assert torch.equal(seen[1][0]["B"], seen[1][1]["B"])


@pytest.mark.parametrize(
    "options",
    [
        {"lambda_rec": 1},
        {"lambda_kl": 1},
        {"lambda_latent": 1},
        {"lambda_content": 5},
        {"d_iter": 1},
        {"mode_seeking": False},
        {"n_scales": 1},
        {"weight_decay": 0.1},
    ],
)
def test_each_option_changes_the_weights(options):
    plain, other = build("drit"), build("drit", **options)
    for method in (plain, other):
        method.step(batch())
        method.step(batch(1))
    pairs = weights(plain)
    assert any(not torch.equal(v, pairs[k]) for k, v in weights(other).items())


def test_the_code_digest_covers_the_networks_of_munit():
    names = code_files(discover()["drit"])
    assert {"baselines.drit.method", "baselines.drit.networks"} <= names.keys()
    assert "baselines.munit.networks" in names and "baselines.munit.method" not in names
