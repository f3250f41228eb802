"""MoNCE: the transport, and its closed forms."""

from __future__ import annotations

import math

import pytest
import torch

from baselines.monce import transport
from cut.methods.registry import build_method

SMALL = {"ngf": 4, "ndf": 4, "n_blocks": 1, "nce_layers": [0, 4], "n_patches": 8, "width": 8}


def build(**options):
    return build_method("monce", {**SMALL, **options}, 0)


def unit(*shape, seed=0):
    x = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)
    return x / x.norm(dim=-1, keepdim=True)


def test_the_columns_of_a_plan_sum_to_one_and_after_many_rounds_the_rows_too():
    affinity = unit(2, 5, 3) @ unit(2, 5, 3, seed=1).transpose(1, 2)
    plan = transport(affinity, epsilon=0.5, rounds=200)
    assert torch.allclose(plan.sum(1), torch.ones(2, 5).double())
    assert torch.allclose(plan.sum(2), torch.ones(2, 5).double())


def test_equal_affinities_give_equal_weights():
    assert torch.allclose(transport(torch.zeros(1, 4, 4), 1.0, 50), torch.full((1, 4, 4), 0.25))


@pytest.mark.parametrize("cost", ["hard", "easy"])
def test_the_loss_of_equal_cosines_has_a_closed_form(cost):
    method = build(cost=cost, negative_weight=2.0)
    q = torch.ones(1, 8, 1, dtype=torch.double)
    # Each of the 7 negatives has the weight (8 - 1) * 2 / 7, and the diagonal nearly none.
    want = math.log(1 + 7 * 2)
    assert float(method.patch_loss(q, q)) == pytest.approx(want, rel=1e-4)


def test_hard_costs_give_similar_negatives_more_weight():
    q = torch.tensor([[[1.0, 0.0], [0.8, 0.6], [-1.0, 0.0]]]).double()
    hard, easy = (float(build(cost=c).patch_loss(q, q.roll(1, 1))) for c in ("hard", "easy"))
    assert hard > easy


def test_the_gradient_runs_through_the_transport():
    q, k = unit(1, 6, 3).requires_grad_(), unit(1, 6, 3, seed=1)
    method = build()
    assert torch.autograd.gradcheck(lambda x: method.patch_loss(x, k), q)
