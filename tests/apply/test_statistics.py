"""The statistics of norms: kept from one image, used for others."""

from __future__ import annotations

import pytest
import torch
from small_methods import build
from torch.nn import functional as F

from cut.apply.statistics import Statistics
from cut.nets.networks import InstanceNorm


def maps(seed, groups=3, size=8):
    rng = torch.Generator().manual_seed(seed)
    return torch.randn(1, groups, size, size, generator=rng) * 3 + 2


@pytest.mark.parametrize("guard", [True, False])  # group norm and instance norm of torch
def test_a_norm_uses_the_statistics_of_the_first_pass(guard):
    norm, statistics, first, second = InstanceNorm(3), Statistics(), maps(0), maps(1, size=5)
    norm.guard = guard
    with statistics:
        torch.testing.assert_close(norm(first), F.instance_norm(first))
    with statistics:
        found = norm(second)
    mean = first.mean((2, 3), keepdim=True)
    variance = first.var((2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(found, (second - mean) / (variance + 1e-5).sqrt())
    torch.testing.assert_close(norm(second), F.instance_norm(second))  # outside of the blocks


def test_scale_and_shift_of_a_norm_are_kept():
    norm, x = torch.nn.GroupNorm(2, 4, eps=0.1), maps(0, groups=4)
    with torch.no_grad():
        norm.weight.copy_(torch.arange(4.0))
        norm.bias.copy_(torch.arange(4.0) - 1)
    with Statistics():
        found = norm(x)
    torch.testing.assert_close(found, norm(x))
    affine = torch.nn.InstanceNorm2d(4, affine=True)
    with Statistics():
        found = affine(x)
    torch.testing.assert_close(found, affine(x))


@pytest.mark.parametrize("method", ["cut", "santa", "cyclegan"])
def test_every_norm_of_a_generator_is_kept(method):
    built, statistics = build(method), Statistics()
    x, y = (torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(i)) for i in (0, 1))
    for image in (x, x, y):
        with statistics:
            found = built.translate(image)
        same = torch.allclose(found, built.translate(image), atol=1e-4)
        assert same == (image is x)
    norms = [m for m in built.get_submodule(built.generator[0]).modules()]
    assert len(statistics.kept) == sum(isinstance(m, InstanceNorm) for m in norms) > 10
