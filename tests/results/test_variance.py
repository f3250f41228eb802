"""What one training is worth: shares of the variance, and the order of rows over seeds."""

from __future__ import annotations

import numpy as np
import pytest
from fake_runs import write_best, write_run

from cut.results.rows import rows_of
from cut.results.run import load_run
from cut.results.variance import (
    QUANTILE,
    Variance,
    between,
    deviation_bounds,
    orders,
    variance_of,
)


def write(root, name, fids, **more):
    """Write a run per seed with these FIDs; return the runs."""
    return [
        load_run(write_run(root / f"{name}{seed}", name, seed=seed, scores={"fid": fid, **more}))
        for seed, fid in enumerate(fids)
    ]


@pytest.mark.parametrize(("seed", "rest"), [(3.0, 1.0), (2.0, 0.0)])
def test_the_variances_of_two_seeds_and_epochs_are_known_in_closed_form(seed, rest):
    """Seeds at -a and a, with b added to one and taken from the other: 2 a² - 2 b², and 4 b²."""
    course = np.array([300.0, 100.0])
    values = np.array([[-seed + rest, -seed - rest], [seed - rest, seed + rest]])
    found = between(course + values)
    assert found == pytest.approx((2 * seed**2 - 2 * rest**2, 4 * rest**2))
    assert sum(found) == pytest.approx(np.var(course + values, axis=0, ddof=1).mean())


def test_the_variances_are_those_that_values_are_drawn_with():
    rng = np.random.default_rng(0)
    seeds, rest = rng.normal(0, 3, (20_000, 1)), rng.normal(0, 2, (20_000, 3))
    assert between(seeds + rest + [30, 20, 10]) == pytest.approx((9, 4), rel=0.04)


def test_a_negative_variance_between_seeds_is_none():
    assert between(np.array([[1.0, -1.0], [-1.0, 1.0]])) == (0.0, 4.0)


def test_the_shares_of_a_row_add_up(tmp_path):
    """The last two epochs as above with a = 3, b = 1: 16 and 4; the images' variance is 5."""
    width = QUANTILE * 5**0.5
    courses = {0: (50.0, 108.0, 96.0), 1: (90.0, 112.0, 104.0)}
    runs = []
    for seed, (first, second, third) in courses.items():
        bounds = {"fid": third, "fid_low": third - width, "fid_high": third + width}
        folder = write_run(tmp_path / str(seed), seed=seed, scores=bounds)
        runs.append(load_run(write_best(folder, {1: first, 2: second, 3: third})))
    (row,) = rows_of(runs)
    found = variance_of(row, 2)
    assert vars(found) == pytest.approx({"seeds": 16.0, "epochs": 4.0, "images": 5.0})
    assert found.shares == pytest.approx({"seeds": 0.64, "epochs": 0.16, "images": 0.2})
    assert variance_of(row, 3) != found


def test_without_epochs_and_images_the_seeds_have_all(tmp_path):
    (row,) = rows_of(write(tmp_path, "cut", [60.0, 64.0]))
    assert variance_of(row, 3) == Variance(pytest.approx(8.0), None, None)
    assert variance_of(row, 3).shares == {"seeds": 1.0}
    assert Variance(0.0, None, None).shares == {}
    assert variance_of(rows_of(row.runs[:1])[0], 3) is None


def test_a_deviation_of_few_seeds_is_uncertain():
    assert deviation_bounds(5) == pytest.approx((0.599, 2.874), abs=1e-3)  # tables of chi-square
    low, high = deviation_bounds(10_000)
    assert 0.98 < low < 1 < high < 1.02


def test_the_order_of_two_rows_is_counted_by_seed(tmp_path):
    runs = write(tmp_path, "fastcut", [70.0, 50.0, 80.0, 75.0, None])
    runs += write(tmp_path, "cut", [60.0, 55.0, 60.0, 65.0, 10.0])
    runs += write(tmp_path, "copy", [62.0]) + write(tmp_path, "alone", [1.0])
    found = {
        (order.below.name, order.above.name): (order.holds, order.seeds)
        for order in orders(rows_of(runs), "fid")
    }
    assert found == {
        ("cut", "fastcut"): (3, 4),
        ("cut", "copy"): (4, 5),
        ("copy", "fastcut"): (3, 4),
    }
    assert orders(rows_of(runs), "miou") == []
