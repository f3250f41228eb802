"""NEGCUT: the generated negatives and the moving average of the heads."""

from __future__ import annotations

import math

import pytest
import torch
from small_methods import batch, build, unit


def test_equal_cosines_cost_the_logarithm_of_the_negatives_and_the_positive():
    v = torch.ones(2, 8, 1, dtype=torch.double)
    assert float(build("negcut").patch_loss(v, v, v)) == pytest.approx(math.log(9))


def test_negatives_are_unit_vectors_that_noise_tells_apart():
    method = build("negcut", n_patches=6)
    layers = len(method.options.nce_layers)
    means = [unit(2, 8, seed=i).float() for i in range(layers)]
    noise = [torch.randn(2, 6, 64) for _ in range(layers)]
    negatives = method.N(means, noise)
    # The first weights are small, and the norm is increased by 1e-7. With few channels a vector may
    # be zero, where no channel is above zero: with these draws none is.
    assert all(n.shape == (2, 6, 8) for n in negatives)
    assert torch.allclose(negatives[0].norm(dim=2), torch.ones(2, 6), atol=1e-2)
    assert (negatives[0][:, 0] - negatives[0][:, 1]).abs().max() > 1e-3


def test_the_average_moves_by_a_tenth_towards_the_heads():
    method = build("negcut")
    before = [p.clone() for p in method.F_.parameters()]
    method.step(batch())
    for old, new, live in zip(before, method.F_.parameters(), method.F.parameters(), strict=True):
        assert torch.allclose(new, 0.9 * old + 0.1 * live.detach(), atol=1e-7)


def test_the_generator_of_negatives_climbs_and_keeps_its_negatives_apart():
    losses = build("negcut", lambda_diversity=3.0).step(batch())
    want = losses["diversity"] - (losses["N_NCE"] + losses["N_NCE_Y"]) / 2
    assert float(losses["N"]) == pytest.approx(float(want), rel=1e-5)
    assert float(losses["diversity"]) < 0
