"""Distances between the inner maps of an input and of its translation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cut.metrics.input_distance import perceptual, self_similarity


def maps(seed: int, sizes=((2, 3, 4, 5), (2, 7, 2, 3))) -> list[torch.Tensor]:
    """Return two maps such as a ReLU leaves, in float64."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(s, generator=generator, dtype=torch.float64).relu() for s in sizes]


def test_content_distance_is_its_definition():
    a, b = maps(0), maps(1)
    layers = []
    for x, y in zip(a, b, strict=True):
        n, c, h, w = x.shape
        each = np.zeros((n, h, w))
        for i, row, column in np.ndindex(n, h, w):
            u, v = x[i, :, row, column].numpy(), y[i, :, row, column].numpy()
            unit = [t / max(np.sqrt((t**2).sum()), 1e-12) for t in (u, v)]
            each[i, row, column] = ((unit[0] - unit[1]) ** 2).sum()
        layers.append(each.mean(axis=(1, 2)))
    assert perceptual(a, b).numpy() == pytest.approx(np.mean(layers, axis=0), rel=1e-12)


def test_self_similarity_is_its_definition():
    a, b = maps(2)[0], maps(3)[0]
    n, c, h, w = a.shape
    found = np.zeros(n)
    for i in range(n):
        for p in range(h * w):
            for q in range(h * w):
                cosines = []
                for x in (a[i], b[i]):
                    u, v = (x[:, k // w, k % w].numpy() for k in (p, q))
                    lengths = [max(np.linalg.norm(t), 1e-12) for t in (u, v)]
                    cosines.append(u @ v / (lengths[0] * lengths[1]))
                found[i] += abs(cosines[0] - cosines[1]) / (h * w) ** 2
    assert self_similarity(a, b).numpy() == pytest.approx(found, rel=1e-9)


def test_both_are_exactly_zero_for_equal_maps_and_symmetric():
    a, b = maps(4), maps(5)
    assert perceptual(a, a).eq(0).all() and self_similarity(a[0], a[0]).eq(0).all()
    assert torch.equal(perceptual(a, b), perceptual(b, a))
    assert torch.equal(self_similarity(a[0], b[0]), self_similarity(b[0], a[0]))


def test_the_ends_of_their_ranges():
    """Features that share no channel: 2. One that is alike everywhere against one nowhere: 1."""
    x, y = torch.zeros(1, 2, 3, 3), torch.zeros(1, 2, 3, 3)
    x[:, 0], y[:, 1] = 0.7, 2.0
    assert perceptual([x], [y]).item() == pytest.approx(2)
    n = 16
    alike, unlike = torch.ones(1, n, 4, 4), torch.eye(n).view(1, n, 4, 4)
    assert self_similarity(alike, unlike).item() == pytest.approx(1 - 1 / n)


def test_self_similarity_sees_layout_and_not_appearance():
    """Channels exchanged: another look, the same layout. Positions exchanged: the reverse."""
    x = maps(6, [(1, 8, 6, 6)])[0]
    other_look = x[:, torch.randperm(8, generator=torch.Generator().manual_seed(0))] * 3
    moved = x.roll(2, dims=3)
    assert self_similarity(x, other_look).item() == pytest.approx(0, abs=1e-12)
    assert perceptual([x], [other_look]).item() > 0.1
    assert self_similarity(x, moved).item() > 0.05
