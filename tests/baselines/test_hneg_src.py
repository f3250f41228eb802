"""Hneg-SRC: hDCE and SRC in closed form, and the schedule of the hardness."""

from __future__ import annotations

import math

import pytest
import torch

from baselines.hneg_src import semantic_relation
from cut.methods.contract import Batch
from cut.methods.registry import build_method

SMALL = {"ngf": 4, "ndf": 4, "n_blocks": 1, "nce_layers": [0, 4], "n_patches": 8, "width": 8}


def build(**options):
    return build_method("hneg-src", {**SMALL, **options}, 0)


def unit(*shape, seed=0):
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)
    return x / x.norm(dim=-1, keepdim=True)


def test_equal_similarities_cost_nothing_and_others_are_bounded():
    q = unit(1, 6, 3)
    assert float(semantic_relation(q, q)) == pytest.approx(0)
    divergence = float(semantic_relation(q, unit(1, 6, 3, seed=1)))
    assert 0 < divergence < 6 * math.log(2)  # each of the six columns at most ln 2


def test_the_value_is_the_cross_entropy_and_the_gradient_has_no_positive_in_the_denominator():
    # With equal vectors all weights are 1 and all cosines are equal.
    v = torch.ones(1, 8, 1, dtype=torch.double)
    assert float(build().patch_loss(v, v)) == pytest.approx(math.log(8))
    q, k = unit(1, 2, 3).requires_grad_(), unit(1, 2, 3, seed=1)
    build(tau=0.5).patch_loss(q, k).backward()
    # With two patches there is one negative, of weight 1: the loss is (negative - positive) / tau.
    want = (k.roll(1, 1) - k) / 0.5 / 2
    assert torch.allclose(q.grad, want, atol=1e-6)


@pytest.mark.parametrize(
    "options, epoch, gamma",
    [({}, 1, 49.9), ({}, 400, 10.0), ({"gamma_one_after": 200}, 201, 1.0)],
)
def test_the_hardness_follows_the_epoch(options, epoch, gamma):
    method = build(**options)
    method.epoch = epoch
    assert method.hardness == pytest.approx(gamma)


def test_one_draw_of_positions_serves_both_terms():
    method = build()
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    first, second = [], []
    embed = method.embed_pairs
    method.embed_pairs = lambda term, q, k, ids: first.append(ids) or embed(term, q, k, ids)
    losses = method.step(Batch(images[:1], images[1:]))
    assert first[0] is first[1]
    method.embed_pairs = lambda term, q, k, ids: second.append(ids) or embed(term, q, k, ids)
    method.step(Batch(images[:1], images[1:]))
    assert not torch.equal(first[0][0], second[0][0])
    assert float(losses["SRC"]) > 0
