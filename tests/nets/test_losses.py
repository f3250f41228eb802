"""PatchNCE and the GAN terms against closed forms and direct evaluations."""

from __future__ import annotations

import math

import pytest
import torch
from small_methods import unit

from cut.nets.losses import lsgan, patch_nce


def direct(q, k, tau, across_batch):
    """The formula, one query at a time, with the overwritten self-negative of cosine -10."""
    terms = []
    for n in range(q.shape[0]):
        for i in range(q.shape[1]):
            positive = math.exp(float(q[n, i] @ k[n, i]) / tau)
            total = positive + math.exp(-10 / tau)
            for m in range(q.shape[0]):
                for j in range(q.shape[1]):
                    if (m, j) != (n, i) and (across_batch or m == n):
                        total += math.exp(float(q[n, i] @ k[m, j]) / tau)
            terms.append(-math.log(positive / total))
    return sum(terms) / len(terms)


@pytest.mark.parametrize("tau", [0.07, 1.0])
@pytest.mark.parametrize("across_batch", [False, True])
def test_patch_nce_is_the_formula(tau, across_batch):
    q, k = unit(3, 5, 4), unit(3, 5, 4, seed=1)
    got = float(patch_nce(q, k, tau, across_batch))
    assert got == pytest.approx(direct(q, k, tau, across_batch), rel=1e-12)


def test_equal_cosines_cost_the_logarithm_of_the_number_of_patches():
    q = torch.ones(1, 256, 1, dtype=torch.double)
    assert float(patch_nce(q, q)) == pytest.approx(math.log(256))


def test_keys_carry_no_gradient():
    q, k = unit(1, 4, 3).requires_grad_(), unit(1, 4, 3, seed=1).requires_grad_()
    patch_nce(q, k).backward()
    assert k.grad is None
    assert q.grad.abs().sum() > 0


def test_lsgan_is_the_squared_distance_from_the_label():
    x = torch.tensor([[0.0, 2.0]])
    assert float(lsgan(x, real=True)) == pytest.approx(1.0)
    assert float(lsgan(x, real=False)) == pytest.approx(2.0)
