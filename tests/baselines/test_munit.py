"""MUNIT's parts in closed form, and what its options do."""

from __future__ import annotations

import pytest
import torch
from small_methods import batch, build, weights
from torch.nn import functional as F

from baselines.munit.networks import (
    AutoEncoder,
    LayerNorm,
    MultiScaleDiscriminator,
    adain,
    initialise,
    latent_for,
)
from cut.base.errors import UserError
from cut.methods.contract import Batch
from cut.nets.networks import count_parameters


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def conv(n_in, n_out, kernel):
    return n_in * n_out * kernel**2 + n_out


def test_adain_sets_mean_and_deviation():
    x = torch.randn(2, 3, 8, 8, generator=rng()) * 5 + 2
    weight = torch.tensor([[1.0, 2.0, 3.0], [0.5, 4.0, 1.0]])
    bias = torch.tensor([[0.0, -1.0, 5.0], [2.0, 0.0, 1.0]])
    y = adain(x, weight, bias)
    assert torch.allclose(y.mean((2, 3)), bias, atol=1e-5)
    assert torch.allclose(y.std((2, 3), unbiased=False), weight, rtol=1e-4)


def test_parameter_counts_at_the_published_widths():
    content = conv(3, 64, 7) + conv(64, 128, 4) + conv(128, 256, 4) + 8 * conv(256, 256, 3)
    style = conv(3, 64, 7) + conv(64, 128, 4) + conv(128, 256, 4) + 2 * conv(256, 256, 4)
    style += conv(256, 8, 1)
    mlp = (8 + 1) * 256 + (256 + 1) * 256 + (256 + 1) * 4 * 4 * 256
    decoder = 8 * conv(256, 256, 3) + conv(256, 128, 5) + conv(128, 64, 5) + conv(64, 3, 7)
    norms = 2 * 128 + 2 * 64
    coder = AutoEncoder(64, 2, 4, 8, 256)
    assert count_parameters(coder) == content + style + mlp + decoder + norms
    one = conv(3, 64, 4) + conv(64, 128, 4) + conv(128, 256, 4) + conv(256, 512, 4)
    assert count_parameters(MultiScaleDiscriminator(64, 4, 3)) == 3 * (one + conv(512, 1, 1))


def test_codes_have_the_shapes_of_the_paper():
    content, style = AutoEncoder(4, 2, 1, 8, 16).encode(torch.zeros(2, 3, 32, 48))
    assert content.shape == (2, 16, 8, 12) and style.shape == (2, 8)


def test_a_discriminator_leaves_out_scales_that_are_too_small():
    D = MultiScaleDiscriminator(4, 4, 3)
    sides = {64: [4, 2, 1], 48: [3, 1], 32: [2, 1], 16: [1]}
    for side, want in sides.items():
        assert [out.shape[-1] for out in D(torch.zeros(1, 3, side, side))] == want
    with pytest.raises(UserError, match="12x64 are too small .* use 16 or more"):
        D(torch.zeros(1, 3, 12, 64))


def test_the_layer_norms_scale_starts_uniform():
    net = initialise(AutoEncoder(16, 2, 1, 8, 16), rng(), "kaiming")
    scale = torch.cat([m.weight for m in net.modules() if isinstance(m, LayerNorm)])
    assert scale.min() >= 0 and scale.max() <= 1 and scale.std() > 0.2


def test_the_layer_norm_divides_by_the_unbiased_deviation_plus_eps():
    x = torch.tensor([[[[1.0, 3.0]], [[5.0, 7.0]]], [[[0.0, 0.0]], [[0.0, 0.004]]]]).double()
    norm = LayerNorm(2, eps=0.001).double()
    with torch.no_grad():
        norm.weight[1], norm.bias[1] = 2.0, 0.5
        got = norm(x)
    deviation = (20 / 3) ** 0.5 + 0.001  # of 1, 3, 5, 7: squares sum to 20, and 3 are free
    assert got[0].flatten().tolist() == pytest.approx(
        [-3 / deviation, -1 / deviation, 2 * 1 / deviation + 0.5, 2 * 3 / deviation + 0.5]
    )
    assert float(got[1, 1, 0, 1]) == pytest.approx(2 * 0.003 / (0.002 + 0.001) + 0.5)


def test_a_style_belongs_to_the_image():
    images = torch.rand(3, 3, 8, 8, generator=rng()) * 2 - 1
    codes = latent_for(images, 8)
    assert torch.equal(codes[1:2], latent_for(images[1:2], 8))
    assert not torch.equal(codes[0], codes[1])
    many = latent_for(torch.rand(2000, 3, 2, 2, generator=rng(2)), 8)
    assert abs(many.mean()) < 0.03 and abs(many.std() - 1) < 0.03


def test_every_term_is_what_the_paper_says():
    method = build("munit").to(torch.double)
    a, b = (x.double() for x in batch(n=2))
    s_a, s_b = (torch.randn(2, 8, generator=rng(i), dtype=torch.double) for i in (1, 2))
    G_a, G_b = method.networks["G_A"], method.networks["G_B"]
    c_a, own_a = G_a.content(a), G_a.style(a).flatten(1)
    c_b, own_b = G_b.content(b), G_b.style(b).flatten(1)
    x_ba, x_ab = G_a.decode(c_b, s_a), G_b.decode(c_a, s_b)

    def difference(x, y):
        return (x - y).abs().mean()

    want = {
        "x": 10 * (difference(G_a.decode(c_a, own_a), a) + difference(G_b.decode(c_b, own_b), b)),
        "s": difference(G_a.style(x_ba).flatten(1), s_a)
        + difference(G_b.style(x_ab).flatten(1), s_b),
        "c": difference(G_a.content(x_ba), c_b) + difference(G_b.content(x_ab), c_a),
        "cycle": 10
        * (
            difference(G_a.decode(G_b.content(x_ab), own_a), a)
            + difference(G_b.decode(G_a.content(x_ba), own_b), b)
        ),
        "G_GAN": sum(
            F.mse_loss(p, torch.ones_like(p))
            for net, x in (("D_A", x_ba), ("D_B", x_ab))
            for p in method.networks[net](x)
        ),
    }
    got = method.generator_losses(Batch(a, b), {"A": s_a, "B": s_b})
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert torch.allclose(got[name], value, rtol=1e-10), name


def test_a_cycle_weight_of_zero_leaves_the_term_out():
    assert "cycle" in build("munit").step(batch())
    assert "cycle" not in build("munit", lambda_cycle=0).step(batch())


@pytest.mark.parametrize(
    "options",
    [
        {"lambda_x": 1},
        {"lambda_s": 5},
        {"lambda_c": 5},
        {"lambda_gan": 2},
        {"weight_decay": 0.1},
        {"n_scales": 1},
    ],
)
def test_each_option_changes_the_weights(options):
    plain, other = build("munit"), build("munit", **options)
    for method in (plain, other):
        method.step(batch())
        method.step(batch(1))
    pairs = weights(plain)
    assert any(not torch.equal(v, pairs[k]) for k, v in weights(other).items())
