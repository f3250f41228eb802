"""EnCo: positions guided by the discriminator, the pairs of layers, the epochs with identity."""

from __future__ import annotations

import pytest
import torch
from small_methods import batch, build

from baselines.enco import guided, pick
from cut.base.errors import UserError
from cut.methods.registry import discover


def test_half_of_the_positions_have_the_lowest_scores_of_those_drawn():
    scores = torch.arange(100.0).flip(0)  # the lowest are the last
    ids = guided(scores, 10, oversample=10, rng=torch.Generator().manual_seed(0))
    assert sorted(ids[:5].tolist()) == [95, 96, 97, 98, 99]
    assert len(ids) == 10 and len(set(ids[5:].tolist())) == 5


def test_vectors_are_picked_per_image():
    maps = torch.arange(12.0).reshape(2, 1, 2, 3)
    assert pick(maps, torch.tensor([[0, 5], [1, 1]])).flatten().tolist() == [0, 5, 7, 7]


def test_the_default_pairs_are_the_authors_with_nine_blocks_and_fit_others():
    cls = discover()["enco"]
    assert cls.Options().pairs() == [(3, 28), (7, 24), (13, 18)]
    cls.check(cls.Options(n_blocks=5), (32, 32))
    for wrong in ([(3, -8)], [(4, -4)], [(3, -99)]):
        with pytest.raises(UserError, match="layer_pairs"):
            cls.check(cls.Options(layer_pairs=wrong), (32, 32))


def test_the_identity_term_and_the_halves_end_together():
    method = build("enco", identity_epochs=1)
    first = method.step(batch())
    want = first["G_GAN"] + (first["NCE"] + first["identity"]) / 2
    assert float(first["G"]) == pytest.approx(float(want), rel=1e-5)
    method.epoch = 2
    later = method.step(batch())
    assert "identity" not in later
    assert float(later["G"]) == pytest.approx(float(later["G_GAN"] + later["NCE"]), rel=1e-5)


def test_the_rates_rise_in_the_first_epochs():
    method = build("enco", warmup_epochs=20)
    for epoch, factor in ((1, 0.05), (10, 0.5), (20, 1.0), (30, 1.0)):
        method.epoch = epoch
        method.set_lr_factor(1.0)
        assert method.optimizers["G"].param_groups[0]["lr"] == pytest.approx(0.00005 * factor)
        assert method.optimizers["D"].param_groups[0]["lr"] == pytest.approx(0.0002 * factor)
