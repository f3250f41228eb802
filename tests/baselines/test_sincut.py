"""SinCUT: StyleGAN2's layers against other ways to compute them, its losses and its tiles."""

from __future__ import annotations

import math

import pytest
import torch
from small_methods import batch, build
from torch.nn import functional as F

from baselines.sincut import networks
from baselines.sincut.method import non_saturating, squared_slope
from cut.base.errors import UserError
from cut.methods.registry import discover


def random(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.double, generator=torch.Generator().manual_seed(seed))


def drawn(network):
    networks.initialise(network, torch.Generator().manual_seed(1))
    return network.double()


def test_a_blur_keeps_a_constant_and_its_gain_scales_it():
    x = torch.full((1, 2, 8, 8), 3.0)
    inner = networks.Blur(2)(x)[:, :, 3:-3, 3:-3]
    assert torch.allclose(inner, torch.full_like(inner, 3.0))
    inner = networks.Blur(1, gain=4)(x)[:, :, 2:-2, 2:-2]
    assert torch.allclose(inner, torch.full_like(inner, 12.0))


@pytest.mark.parametrize("kernel", [1, 3])
def test_a_convolution_that_halves_is_a_blur_and_every_second_pixel(kernel):
    layer = drawn(networks.conv(3, 5, kernel, down=True))
    x = random(2, 3, 8, 10)
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=torch.double) / 8
    w = layer[1].weight / math.sqrt(3 * kernel**2)
    kernel2 = torch.outer(taps, taps).expand(3, 1, 4, 4)
    blurred = F.conv2d(F.pad(x, [(kernel + 1) // 2] * 4), kernel2, groups=3)
    wanted = F.leaky_relu(F.conv2d(blurred, w)[:, :, ::2, ::2], 0.2) * math.sqrt(2)
    assert layer(x).shape == (2, 5, 4, 5) and torch.allclose(layer(x), wanted)


def test_layers_keep_the_variance_at_the_start():
    x = random(4, 32, 32, 32).float()
    layer = networks.conv(32, 64, 3)
    networks.initialise(layer, torch.Generator().manual_seed(1))
    assert layer(x)[:, :, 1:-1, 1:-1].square().mean().item() == pytest.approx(1.04, abs=0.1)


def test_kernels_that_double_have_unit_norm():
    layer = drawn(networks.UpConv(3, 2))
    x = random(1, 3, 4, 5)
    assert layer(x).shape == (1, 2, 8, 10)
    with torch.no_grad():
        before = layer(x)
        layer.weight *= 7
        assert torch.allclose(layer(x), before, atol=1e-6)
    # One pixel of ones: the sum of an output is 4 times the sum of its kernel, which has norm 1.
    spot = torch.zeros(1, 3, 9, 9, dtype=torch.double)
    spot[:, :, 4, 4] = 1
    kernels = layer.weight[0] / layer.weight[0].square().sum((1, 2, 3), keepdim=True).sqrt()
    assert torch.allclose(layer(spot).sum((2, 3))[0], 4 * kernels.sum((1, 2, 3)), atol=1e-6)


def test_noise_is_one_field_for_all_channels_and_off_at_the_start():
    layer = networks.Noise()
    x, noise = random(2, 3, 4, 4).float(), random(2, 1, 4, 4).float()
    assert torch.equal(layer(x, noise), x)
    torch.nn.init.constant_(layer.weight, 0.5)
    assert torch.allclose(layer(x, noise) - x, (0.5 * noise).expand_as(x), atol=1e-6)


def test_networks_have_the_widths_of_the_authors_code():
    o = discover()["sincut"].Options()
    generator, judge = networks.Generator(o.ngf), networks.Discriminator(o.ndf, o.tile)
    assert generator.widths == (80, 160)
    assert generator.channels([0, 1, 2, 4]) == [3, 80, 160, 160]
    widths = [tuple(block.conv2[1].weight.shape[:2]) for block in judge.convs[1:]]
    assert widths == [(64, 32), (128, 64), (256, 128), (384, 256)]
    assert judge.final_linear[0].weight.shape == (384, 16 * 384)


def test_features_of_a_layer_are_those_of_its_pass():
    method = build("sincut")
    x = batch(n=2).source
    noise = torch.zeros(2, 1, 32, 32)
    out, found = method.G.with_features(x, noise, [0, 2, 4])
    assert torch.equal(out, method.G(x, noise)) and torch.equal(found[0], x)
    for one, other in zip(found, method.G.encode(x, [0, 2, 4]), strict=True):
        assert torch.equal(one, other)
    assert [f.shape[1] for f in found] == method.G.channels([0, 2, 4])


def test_the_discriminator_judges_each_tile_alone():
    net = drawn(networks.Discriminator(2, 8))
    x = random(2, 3, 16, 24)
    logits = net(x).view(2, 2, 3)
    for n, row, column in ((0, 0, 0), (0, 1, 2), (1, 0, 1)):
        tile = x[n : n + 1, :, 8 * row : 8 * row + 8, 8 * column : 8 * column + 8]
        assert torch.allclose(net(tile)[0, 0], logits[n, row, column])


def test_the_adversarial_terms_and_the_slope_in_closed_form():
    logits = torch.tensor([[0.0], [2.0]])
    assert non_saturating(logits, real=True).item() == pytest.approx(
        (math.log(2) + math.log(1 + math.exp(-2))) / 2
    )
    assert non_saturating(logits, real=False).item() == pytest.approx(
        (math.log(2) + math.log(1 + math.exp(2))) / 2
    )
    # D(x) = sum of a*x^2 has the slope 2*a*x.
    images = random(2, 3, 4, 4).requires_grad_()
    judged = (5 * images.square()).sum((1, 2, 3))[:, None]
    wanted = (10 * images.detach()).square().sum((1, 2, 3)).mean()
    assert torch.allclose(squared_slope(judged, images), wanted)


def test_terms_of_weight_zero_are_left_out():
    losses = build("sincut", lambda_nce=0, lambda_r1=0).step(batch(n=2))
    assert losses.keys() == {"D_real", "D_fake", "D", "G_GAN", "identity", "G"}
    assert losses["D"] == (losses["D_real"] + losses["D_fake"]) / 2
    assert torch.allclose(losses["G"], losses["G_GAN"] + losses["identity"])


def test_sizes_and_layers_that_cannot_be_are_refused():
    cls = discover()["sincut"]
    with pytest.raises(UserError, match="tile"):
        cls.check(cls.Options(), (64, 96))
    cls.check(cls.Options(), (64, 128))
    with pytest.raises(UserError, match="tile"):
        build("sincut", tile=24)
    with pytest.raises(UserError, match="nce_layers"):
        build("sincut", nce_layers=[0, 6])
