"""The smallest size that a method's check accepts is one that it trains and translates with."""

from __future__ import annotations

import itertools

import pytest
from small_methods import batch, build

from cut.base.errors import UserError
from cut.methods.registry import discover

TRAINED = [name for name, cls in discover().methods.items() if cls.trained]


def accepted(method, size):
    try:
        type(method).check(method.options, (size, size))
    except UserError:
        return False
    return True


@pytest.mark.parametrize("name", TRAINED)
def test_the_smallest_accepted_size_works(name):
    method = build(name)
    size = next(n for n in itertools.count(4, 4) if accepted(method, n))
    assert not accepted(method, size - 4)
    method.step(batch(size=size, kind=method.Batch))
    assert method.translate(batch(size=size).source).shape == (1, 3, size, size)
