"""What sets CUT and FastCUT apart, and their options."""

from __future__ import annotations

import math

import pytest
import torch
from small_methods import batch, build

from cut.base.errors import UserError
from cut.methods.contract import Schedule
from cut.nets.losses import lsgan


def test_defaults_are_the_papers():
    cut, fast = build("cut").options, build("fastcut").options
    assert (cut.lambda_nce, cut.identity, cut.flip_equivariance) == (1, True, False)
    assert (fast.lambda_nce, fast.identity, fast.flip_equivariance) == (10, False, True)
    assert cut.nce_layers == [0, 4, 8, 12, 16] and cut.tau == 0.07 and cut.lr == 0.0002
    assert build("cut").schedule == Schedule(200, 200, batch_size=1)
    assert build("fastcut").schedule == Schedule(150, 50, batch_size=1)


def test_losses_are_named_as_in_the_authors_code():
    assert set(build("cut").step(batch())) == {"D_real", "D_fake", "G_GAN", "NCE", "NCE_Y", "G"}
    assert set(build("fastcut").step(batch())) == {"D_real", "D_fake", "G_GAN", "NCE", "G"}


def test_without_nce_only_the_gan_trains():
    method = build("cut", lambda_nce=0)
    heads = [p.clone() for p in method.F.parameters()]
    losses = method.step(batch())
    assert set(losses) == {"D_real", "D_fake", "G_GAN", "G"}
    assert losses["G"] == losses["G_GAN"]
    assert all(torch.equal(a, b) for a, b in zip(heads, method.F.parameters(), strict=True))


def test_the_generator_meets_the_updated_discriminator():
    """D steps first, as in the authors' code: the GAN term is of its new weights."""
    method = build("fastcut", flip_equivariance=False)
    given = batch()
    fake = method.translate(given.source)
    before = lsgan(method.D(fake), real=True)
    reported = method.step(given)["G_GAN"]
    after = lsgan(method.D(fake), real=True)
    assert torch.allclose(reported, after.detach(), rtol=1e-5)
    assert not torch.allclose(reported, before.detach(), rtol=1e-5)


def test_flips_fall_half_of_the_time_and_never_without_the_option():
    method = build("fastcut")
    flips = [method._draw_flip() for _ in range(400)]
    assert 150 < sum(flips) < 250
    assert not any(build("cut")._draw_flip() for _ in range(50))


def test_no_projection_head_and_strided_networks_train_too():
    bare = build("cut", projection="none")
    assert bare.parameter_counts()["F"] == 0
    assert torch.isfinite(bare.step(batch())["NCE"])
    strided = build("cut", antialias=False, antialias_up=False, nce_layers=[0, 4, 7, 10])
    assert torch.isfinite(strided.step(batch())["NCE"])


def test_layers_outside_the_generator_are_refused():
    cls = type(build("cut"))
    with pytest.raises(UserError, match="nce_layers.* 99"):
        cls.check(cls.Options(nce_layers=[0, 99]), (32, 32))


@pytest.mark.parametrize("layers", [[], [4, 4], [0, 99], [-1], "all"])
def test_wrong_layers_are_refused(layers):
    with pytest.raises(UserError, match="layer"):
        build("cut", nce_layers=layers)


def test_a_query_encoder_of_its_own_is_trained_and_both_sides_learn():
    method = build("cut", query_encoder="separate", key_gradient=True)
    assert method.networks.keys() == {"G", "D", "F", "E", "F_q"}
    before = {
        f"{n}.{k}": p.clone()
        for n, net in method.networks.items()
        for k, p in net.named_parameters()
    }
    method.step(batch())
    for name, net in method.networks.items():
        assert any(not torch.equal(p, before[f"{name}.{k}"]) for k, p in net.named_parameters())
    with pytest.raises(UserError, match="key_gradient"):
        build("cut", query_encoder="separate")


@pytest.mark.parametrize("flip", [False, True])
def test_trained_keys_add_to_the_encoders_gradient(flip):
    plain, both = (
        build("cut", lambda_gan=0, flip_equivariance=flip, key_gradient=k) for k in (False, True)
    )
    for method in (plain, both):
        method.step(batch())
    gradients = [next(m.G.parameters()).grad for m in (plain, both)]
    assert not torch.allclose(*gradients)
    # Nothing in front of the encoder's last layer reaches the decoder through the keys.
    decoders = [list(m.G.parameters())[-2].grad for m in (plain, both)]
    assert torch.allclose(*decoders, atol=1e-6)


def test_the_chance_level_is_the_logarithm_of_the_patches():
    records = build("cut").loss_records()
    assert records["NCE"].chance == pytest.approx(math.log(8))
    assert records["D_real"].chance == 0.25 and records["G"].total
    assert build("cut", negatives_across_batch=True).loss_records()["NCE"].chance is None
