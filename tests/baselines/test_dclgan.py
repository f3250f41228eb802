"""DCLGAN and SimDCL: which images each network sees, the hinge, and the optimizers."""

from __future__ import annotations

import pytest
import torch
from small_methods import batch, build


def test_the_hinge_stops_where_the_discriminator_is_sure():
    method = build("dclgan")
    sure = torch.tensor([2.0, 1.0, -3.0])
    assert method._gan(sure, real=True).tolist() == pytest.approx(4 / 3)
    assert method._gan(sure, real=False).tolist() == pytest.approx(5 / 3)
    squared = build("dclgan", gan_loss="lsgan")
    assert squared._gan(sure, real=True).tolist() == pytest.approx((1 + 0 + 16) / 3)


def test_each_pair_of_terms_is_halved_and_the_similarity_is_not():
    for name, whole in (("dclgan", ()), ("simdcl", ("Sim",))):
        losses = build(name).step(batch())
        halved = ("G_GAN_A", "G_GAN_B", "NCE_A", "NCE_B", "identity_A", "identity_B")
        want = sum(losses[term] for term in halved) / 2 + sum(losses[term] for term in whole)
        assert float(losses["G"]) == pytest.approx(float(want), rel=1e-5)


def test_negatives_come_from_the_whole_batch():
    method = build("dclgan", tau=1.0)
    v = torch.ones(3, 4, 2)
    assert float(method.patch_losses([v], [v])) == pytest.approx(torch.tensor(12.0).log().item())


@pytest.mark.parametrize("name, rate", [("dclgan", 0.001), ("simdcl", 0.0002)])
def test_the_heads_have_the_rate_of_the_authors_code(name, rate):
    group = build(name).optimizers["F"].param_groups[0]
    assert group["lr"] == rate


def test_the_translation_is_the_generators_from_source_to_target():
    method = build("dclgan")
    images = batch().source
    assert torch.equal(method.translate(images), method.G_A(images).detach())
    assert method.generator_state().keys() == method.G_A.state_dict().keys()
