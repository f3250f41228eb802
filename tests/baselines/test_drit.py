"""DRIT's parts in closed form, and the order of its updates."""

from __future__ import annotations

import math

import pytest
import torch
from small_methods import batch, build, weights

from baselines.drit.method import bce, kl
from baselines.drit.networks import AttributeEncoder, ContentDiscriminator, ContentEncoder
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
    encoder, x = ContentEncoder(4), torch.rand(4, 3, 32, 32, generator=rng())
    assert torch.equal(encoder(x, "A"), encoder(x, "A"))
    noise = encoder(x, "A", rng(1)) - encoder(x, "A")
    assert abs(noise.mean()) < 0.06 and abs(noise.std() - 1) < 0.06
    assert not torch.equal(encoder(x, "A"), encoder(x, "B"))


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
