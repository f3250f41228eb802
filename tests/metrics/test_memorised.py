"""Translations that repeat an image of the training set."""

from __future__ import annotations

import numpy as np
import pytest

from cut.base.errors import UserError
from cut.metrics import memorised as module
from cut.metrics.memorised import memorised

TRAINING = np.array([[0.0], [10.0], [30.0]])  # their nearest neighbours are 10, 10 and 20 away


@pytest.mark.parametrize("at_once", [1000, 2])
def test_a_translation_is_held_against_its_nearest_images_own_neighbour(monkeypatch, at_once):
    monkeypatch.setattr(module, "AT_ONCE", at_once)
    found = memorised(TRAINING, np.array([[4.0], [-9.9], [-10.1], [15.0], [45.0], [51.0]]))
    assert found.tolist() == [True, True, False, True, True, False]


def test_training_images_repeat_themselves_and_far_ones_repeat_none():
    x = np.random.default_rng(0).normal(size=(40, 8))
    assert memorised(x, x).all() and not memorised(x, x + 50).any()
    assert not memorised(np.repeat(x, 2, axis=0), x).any(), "doubles have no distance to be below"


def test_fresh_images_repeat_by_chance():
    """On a line of uniform points the spacing s has an exponential distribution of mean 1.

    A fresh point falls into a gap g (of density g exp(-g)) and is d from the nearer end, uniform on
    (0, g/2); the end's neighbours are the gap's other end and a point at an independent spacing s.
    So it repeats if d < min(g, s), and s > d has the probability exp(-d): the integral over g and d
    is that of 2 exp(-d) exp(-g) over d < g/2, 2/3.
    """
    rng = np.random.default_rng(0)
    training, fresh = rng.uniform(0, 1, (4000, 1)), rng.uniform(0, 1, (4000, 1))
    assert memorised(training, fresh).mean() == pytest.approx(2 / 3, abs=0.02)


def test_one_image_has_no_neighbour():
    with pytest.raises(UserError, match="at least 2 images"):
        memorised(TRAINING[:1], TRAINING)
