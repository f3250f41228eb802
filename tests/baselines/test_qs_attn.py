"""QS-Attn: which positions attention chooses."""

from __future__ import annotations

import pytest
import torch

from baselines.qs_attn import (
    attend_windows,
    global_attention,
    local_attention,
    lowest_entropy,
    take,
    vectors,
)
from cut.methods.contract import Batch
from cut.methods.registry import build_method

SMALL = {"ngf": 4, "ndf": 4, "n_blocks": 1, "nce_layers": [0, 4, 8, 12], "n_patches": 8, "width": 8}


def maps(seed=0):
    return torch.randn(2, 3, 4, 5, generator=torch.Generator().manual_seed(seed)).double()


def test_attention_is_a_distribution_over_positions():
    for weights, width in ((global_attention(maps()), 20), (local_attention(maps()), 49)):
        assert weights.shape == (2, 20, width)
        assert torch.allclose(weights.sum(2), torch.ones(2, 20).double())


def test_the_most_certain_positions_are_chosen():
    weights = torch.tensor([[[0.5, 0.5], [1.0, 0.0], [0.75, 0.25]]])
    assert lowest_entropy(weights, 2).tolist() == [[1, 2]]
    assert take(weights, torch.tensor([[2, 1]]))[0].tolist() == [[0.75, 0.25], [1.0, 0.0]]


def test_a_position_that_stands_out_attends_to_itself():
    x = torch.zeros(1, 1, 3, 3).double()
    x[0, 0, 1, 1] = 9.0
    weights = global_attention(x)
    assert lowest_entropy(weights, 1).item() == 4
    assert float((take(weights, torch.tensor([[4]])) @ vectors(x)).detach()) == pytest.approx(9)


def test_constant_maps_stay_constant_in_windows():
    x = torch.ones(1, 2, 9, 9).double()
    inside = torch.tensor([[4 * 9 + 4]])  # its window has no padding
    out = attend_windows(take(local_attention(x), inside), x, inside)
    assert torch.allclose(out, torch.ones(1, 1, 2).double())


@pytest.mark.parametrize("attention", ["global", "local", "local_global"])
def test_the_last_layers_take_no_random_positions_and_reach_the_input_through_attention(attention):
    method = build_method("qs-attn", {**SMALL, "attention": attention}, 0)
    features = [torch.zeros(1, 1, 8, 8)] * 4
    assert len(method.draw_positions(features, 8)) == 3
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    losses = method.step(Batch(images[:1], images[1:]))
    assert all(torch.isfinite(loss) for loss in losses.values())
    q, k = maps(), maps(1).requires_grad_()
    queries, _ = method._attended(q, k)
    queries.sum().backward()
    assert k.grad.abs().sum() > 0
