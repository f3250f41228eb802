"""DECENT: the flows' Jacobian, the optimizer, the average of weights and the variance."""

from __future__ import annotations

import math

import pytest
import torch
from small_methods import batch, build, weights
from torch.func import jacrev, vmap

from baselines.decent.flow import BlockLinear, Density, LayerDensities, initialise
from baselines.decent.optimizer import UncorrectedAmsgrad, follow
from cut.base.errors import UserError
from cut.methods.registry import discover
from cut.nets.networks import count_parameters


def drawn(network, seed=0):
    initialise(network, torch.Generator().manual_seed(seed))
    return network.to(torch.double)


def points(n, channels):
    rng = torch.Generator().manual_seed(1)
    return 2 * torch.randn(n, channels, dtype=torch.double, generator=rng)


@pytest.mark.parametrize(("channels", "n_flows"), [(1, 1), (4, 1), (4, 2), (3, 3)])
def test_the_log_determinant_is_that_of_the_jacobian(channels, n_flows):
    density = drawn(Density(channels, n_flows, factor=5))
    x = points(6, channels)
    z, log_det = density.transform(x)
    jacobian = vmap(jacrev(lambda v: density.transform(v[None])[0][0]))(x)
    assert torch.allclose(torch.linalg.slogdet(jacobian).logabsdet, log_det, rtol=1e-10)
    normal = torch.distributions.Normal(0, 1).log_prob(z).sum(1)
    assert torch.allclose(density(x), normal + log_det, rtol=1e-12)


def test_a_flow_is_triangular_and_increases():
    flow = drawn(Density(5, 1, factor=4)).model[0]
    for jacobian in vmap(jacrev(lambda v: flow(v[None])[0][0]))(points(3, 5)):
        assert torch.equal(jacobian.triu(1), torch.zeros_like(jacobian))
        assert (jacobian.diagonal() > 0).all()
        assert (jacobian[torch.tril_indices(5, 5, -1).unbind()] != 0).all()


def test_a_second_flow_conditions_in_reversed_order():
    density = drawn(Density(4, 2, factor=3))
    (jacobian,) = vmap(jacrev(lambda v: density.transform(v[None])[0][0]))(points(1, 4))
    assert (jacobian != 0).all()
    # A closed gate makes the first flow the identity, and the rest triangular in reversed order.
    density.model[0].gate.data.fill_(-800.0)
    (jacobian,) = vmap(jacrev(lambda v: density.transform(v[None])[0][0]))(points(1, 4))
    assert torch.equal(jacobian.flip(1).triu(1), torch.zeros_like(jacobian))


def test_rows_have_their_length_and_blocks_their_place():
    layer = BlockLinear(3, 2, 4)
    layer.initialise(torch.Generator().manual_seed(0))
    weight, logs = layer.weight()
    assert torch.allclose(weight.norm(dim=1), layer._diag_weight.exp()[:, 0])
    blocks = weight.view(3, 4, 3, 2)
    for c in range(3):
        assert torch.allclose(logs[c].exp(), blocks[c, :, c])
        assert not blocks[c, :, c + 1 :].any() and blocks[c, :, :c].all()


def test_the_start_of_the_weights():
    layer = BlockLinear(40, 2, 5)
    layer.initialise(torch.Generator().manual_seed(0))
    raw = layer._weight.detach().view(40, 5, 80)
    for c in (0, 39):  # of 5 rows and the blocks up to c
        bound = math.sqrt(6 / (5 + 2 * (c + 1)))
        used = raw[c, :, : 2 * (c + 1)]
        assert used.abs().max() <= bound and used.abs().max() > 0.8 * bound
        assert not raw[c, :, 2 * (c + 1) :].any()
    share = layer._diag_weight.exp()
    assert share.min() > 0 and share.max() <= 1 and 0.4 < share.mean() < 0.6
    bound = 200**-0.5
    assert 0.9 * bound < layer.bias.abs().max() <= bound and abs(layer.bias.mean()) < bound / 5


def test_parameters_at_the_published_widths():
    channels = [3, 128, 256, 256, 256]
    with torch.device("meta"):
        assert count_parameters(LayerDensities(channels, 1, 10)) == 4_279_798


def test_the_second_moment_is_compared_uncorrected():
    p = torch.nn.Parameter(torch.tensor([1.0], dtype=torch.double))
    adam = UncorrectedAmsgrad([p], lr=0.1, betas=(0.5, 0.75), eps=0.25)
    w, m, v, largest = 1.0, 0.0, 0.0, 0.0
    for t, g in enumerate([2.0, 0.1, -1.0], start=1):
        p.grad = torch.tensor([g], dtype=torch.double)
        adam.step()
        m, v = 0.5 * m + 0.5 * g, 0.75 * v + 0.25 * g**2
        largest = max(largest, v)
        w -= 0.1 * math.sqrt(1 - 0.75**t) / (1 - 0.5**t) * m / (math.sqrt(largest) + 0.25)
        assert p.item() == pytest.approx(w, rel=1e-12)
    assert largest > v, "the second step compares"


def test_the_average_starts_at_zero_or_is_corrected():
    live, average, corrected = (torch.nn.Linear(1, 1, bias=False) for _ in range(3))
    for net in (average, corrected):
        net.weight.data.zero_()
    for step, value in enumerate([1.0, 3.0], start=1):
        live.weight.data.fill_(value)
        follow(average, live, 0.9)
        follow(corrected, live, 0.9, step)
    assert average.weight.item() == pytest.approx(0.9 * 0.1 * 1 + 0.1 * 3)
    assert corrected.weight.item() == pytest.approx((0.9 * 1 + 3) / 1.9)


@pytest.mark.parametrize(("correct", "share"), [(False, 0.002), (True, 1.0)])
def test_the_generator_sees_the_average(correct, share):
    # With every position drawn, a likelihood does not depend on their order.
    layers, source = [4, 12], batch().source
    method = build("decent", correct_average=correct, density_layers=layers, n_patches=1024)
    assert not any(p.any() for p in method.average.parameters())
    features = [f.detach() for f in method.G.encode(source, layers)]
    losses = method.step(batch())
    live, average = method.F_A, method.average["F_A"]
    pairs = zip(average.parameters(), live.parameters(), strict=True)
    assert all(torch.allclose(mean, share * p, atol=1e-7) for mean, p in pairs)
    everywhere = [torch.arange(f[0, 0].numel()) for f in features]
    want = -sum(x.mean() for x in average(features, everywhere))
    assert float(losses["average_nll_A"]) == pytest.approx(float(want), rel=1e-5)


def test_equal_changes_have_no_variance():
    method = build("decent", density_layers=[0, 4], var_all=False)
    rng = torch.Generator().manual_seed(0)
    changes = [torch.randn(2, 5, dtype=torch.double, generator=rng) for _ in range(2)]
    shifted = [c + torch.tensor([[1.0], [9.0]]) for c in changes]
    assert float(method.variance([torch.ones(2, 5)] * 2)) == 0
    assert torch.allclose(method.variance(changes), method.variance(shifted))
    channels = 3, 2 * method.options.ngf
    bits = [c / (n * math.log(2)) for c, n in zip(changes, channels, strict=True)]
    want = [sum(image.var() for image in layer) / 2 for layer in bits]
    assert float(method.variance(changes)) == pytest.approx(float(sum(want)) / 2)
    together = build("decent", density_layers=[0, 4], var_all=True)
    want = [layer.flatten().var() for layer in bits]
    assert float(together.variance(changes)) == pytest.approx(float(sum(want)) / 2)
    assert together.variance(shifted) > 2 * together.variance(changes)


def test_each_estimators_gradient_is_clipped():
    method = build("decent", flow_clip=0.01)
    method.step(batch())
    for name in ("F_A", "F_B"):
        gradients = [p.grad.flatten() for p in method.networks[name].parameters()]
        assert float(torch.cat(gradients).norm()) == pytest.approx(0.01, rel=1e-3)
    assert all(p.grad is None for p in method.average.parameters())


def test_without_the_variance_the_densities_rest():
    method = build("decent", lambda_var=0)
    before, state = weights(method), method.rng.get_state()
    losses = method.step(batch())
    assert set(losses) == {"D_real", "D_fake", "G_GAN", "identity", "G"}
    assert torch.equal(method.rng.get_state(), state)
    after = weights(method)
    changed = {name[:3] for name, value in after.items() if not torch.equal(value, before[name])}
    assert changed == {name[:3] for name in before if name[:2] in ("G.", "D.")}


def test_layers_outside_the_generator_are_refused():
    cls = discover()["decent"]
    with pytest.raises(UserError, match=r"density_layers.*99"):
        cls.check(cls.Options(density_layers=[99]), (64, 64))
