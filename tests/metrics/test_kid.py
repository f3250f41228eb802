"""The kernel distance against its definition."""

from __future__ import annotations

import numpy as np
import pytest

from cut.base.errors import UserError
from cut.metrics import kid as module
from cut.metrics.kid import kid


def by_loops(x: np.ndarray, y: np.ndarray) -> float:
    """Return the unbiased estimate, pair by pair."""

    def k(a, b):
        return (float(a @ b) / len(a) + 1) ** 3

    n, m = len(x), len(y)
    xx = sum(k(x[i], x[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    yy = sum(k(y[i], y[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    xy = sum(k(a, b) for a in x for b in y) / (n * m)
    return xx + yy - 2 * xy


def test_is_the_double_loop():
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 5)), rng.normal(1, 2, size=(9, 5))
    value, spread = kid(x, y)
    assert value == pytest.approx(by_loops(x, y), rel=1e-12)
    assert spread > 0


def test_is_unbiased_where_the_distributions_are_one():
    rng = np.random.default_rng(1)
    values = [kid(rng.normal(size=(6, 4)), rng.normal(size=(5, 4)))[0] for _ in range(400)]
    error = np.std(values) / 20
    assert abs(np.mean(values)) < 4 * error
    assert min(values) < 0 < max(values)


def test_the_spread_is_about_the_standard_error():
    rng = np.random.default_rng(2)
    pairs = [kid(rng.normal(size=(40, 4)), rng.normal(0.7, 1, (40, 4))) for _ in range(150)]
    values, spreads = np.array(pairs).T
    assert spreads.mean() == pytest.approx(values.std(), rel=0.3)


def test_many_images_are_scored_in_subsets(monkeypatch):
    monkeypatch.setattr(module, "SUBSET_SIZE", 20)
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(60, 4)), rng.normal(1, 1, size=(15, 4))
    value, spread = kid(x, y)
    assert value == pytest.approx(by_loops(x, y), abs=3 * spread)
    assert value != pytest.approx(by_loops(x, y), rel=1e-9)
    assert module.describe(60, 15).subset_size == (20, 15)


def test_the_seed_draws_the_subsets():
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(10, 4)), rng.normal(size=(10, 4))
    assert kid(x, y) == kid(x, y)
    assert kid(x, y)[1] != kid(x, y, seed=1)[1]


def test_few_images_have_no_spread_and_one_has_no_kid():
    assert kid(np.eye(3), np.eye(3))[1] is None
    with pytest.raises(UserError, match="at least 2"):
        kid(np.eye(3), np.eye(3)[:1])
