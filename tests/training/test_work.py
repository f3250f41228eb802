"""Counting floating-point operations."""

from __future__ import annotations

import torch
from small_methods import batch, build, weights

from cut.training.work import Operations


def test_a_product_and_a_convolution_have_their_operations():
    with Operations() as work:
        torch.ones(3, 5) @ torch.ones(5, 7)
    assert work.count == 2 * 3 * 5 * 7
    convolution = torch.nn.Conv2d(2, 4, 3, padding=1, bias=False)
    with Operations() as work:
        y = convolution(torch.ones(1, 2, 8, 8, requires_grad=True))
    forward = 2 * (8 * 8) * (2 * 3 * 3) * 4
    assert work.count == forward
    with work:
        y.sum().backward()  # two products of the same size: by the input and by the weight
    assert work.count == 3 * forward


def test_counting_changes_no_number():
    counted, plain = build("cut"), build("cut")
    with Operations() as work:
        counted.step(batch())
    plain.step(batch())
    assert work.count > 0
    theirs = weights(plain)
    assert all(torch.equal(value, theirs[name]) for name, value in weights(counted).items())
