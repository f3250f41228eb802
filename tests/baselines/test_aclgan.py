"""ACL-GAN's terms in closed form, and what its options do."""

from __future__ import annotations

import pytest
import torch
from small_methods import batch, build, weights

from cut.base.errors import UserError
from cut.methods.contract import Batch


def styles(n=2):
    rng = torch.Generator().manual_seed(1)
    return [torch.randn(n, 8, generator=rng, dtype=torch.double) for _ in range(3)]


def images(n=2):
    return Batch(*(x.double() for x in batch(n=n)))


@pytest.fixture(scope="module")
def method():
    return build("acl-gan", lambda_gan=2.0, lambda_rec=3.0).to(torch.double)


@pytest.mark.parametrize(("value", "share"), [(-20.0, 0.0), (0.0, 0.5), (20.0, 1.0)])
def test_the_mask_chooses_between_new_and_old(value, share):
    coder = build("acl-gan").to(torch.double).G_AB
    last = coder.up[-1][1]
    with torch.no_grad():
        last.weight[3], last.bias[3] = 0.0, value
    x, (z, *_) = images().source, styles()
    out, mask = coder(x, z)
    new = coder.decode(coder.content(x), z)[:, :3]
    assert mask.shape == (2, 1, 32, 32) and torch.allclose(mask, torch.full_like(mask, share))
    assert torch.allclose(out, share * new + (1 - share) * x)
    assert torch.equal(coder.reconstruct(x), coder.decode(coder.content(x), own(coder, x))[:, :3])


def own(coder, x):
    return coder.style(x).flatten(1)


def score(judge, x, label):
    return sum(((p - label) ** 2).mean() for p in judge(x))


def test_the_three_translations(method):
    x, (z1, z2, z3) = images().source, styles()
    (there, same, back), masks = method.translations_of(x, (z1, z2, z3))
    made = [method.G_AB(x, z1), method.G_BA(x, z2), method.G_BA(method.G_AB(x, z1)[0], z3)]
    for got, mask, (want, want_mask) in zip((there, same, back), masks, made, strict=True):
        assert torch.equal(got, want) and torch.equal(mask, want_mask)


def test_every_term_of_the_generators(method):
    (a, b), given = images(), styles()
    (there, same, back), masks = method.translations_of(a, given)
    D_A, D_B, D_pair = method.D_A, method.D_B, method.D_pair
    new = [
        G.decode(G.content(x), own(G, x))[:, :3] for G, x in ((method.G_BA, a), (method.G_AB, b))
    ]
    want = {
        "G_GAN": 2 * (score(D_A, same, 1) / 2 + score(D_A, back, 1) / 2 + score(D_B, there, 1)),
        "pair": 0.2
        * (score(D_pair, torch.cat([a, same], 1), 0) + score(D_pair, torch.cat([a, back], 1), 1)),
        "rec": 3 * ((new[0] - a).abs().mean() + (new[1] - b).abs().mean()),
        "mask": 0.025 * method.mask_terms(masks),
    }
    got = method.generator_losses(Batch(a, b), given)
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert torch.allclose(got[name], value, rtol=1e-10), name


def test_every_term_of_the_discriminators(method):
    a, b = images()
    rng = torch.Generator().manual_seed(3)
    there, same, back = (torch.rand(a.shape, generator=rng, dtype=a.dtype) for _ in range(3))
    D_A, D_B, D_pair = method.D_A, method.D_B, method.D_pair
    want = {
        "D_A": 2 * (score(D_A, a, 1) + score(D_A, same, 0) / 2 + score(D_A, back, 0) / 2),
        "D_B": 2 * (score(D_B, b, 1) + score(D_B, there, 0)),
        "D_pair": 0.2
        * (score(D_pair, torch.cat([a, same], 1), 1) + score(D_pair, torch.cat([a, back], 1), 0)),
    }
    got = method.discriminator_losses(Batch(a, b), (there, same, back))
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert torch.allclose(got[name], value, rtol=1e-10), name


@pytest.mark.parametrize(
    ("value", "area"),
    [(0.4, 0.0), (0.9, (0.4 * 64) ** 2), (0.1, (0.2 * 64) ** 2), (0.5, 0.0)],
)
def test_a_mask_costs_by_area_and_by_indecision(method, value, area):
    mask = torch.full((1, 1, 8, 8), value, dtype=torch.double)
    want = 0.001 * area / 64 + 1 / (abs(value - 0.5) + 0.01)
    assert float(method.mask_terms([mask])) == pytest.approx(want)
    # The area is that of each image's mask, not of the batch.
    free = torch.full_like(mask, 0.4)
    both = float(method.mask_terms([torch.cat([mask, free])]))
    assert both == pytest.approx((want + 1 / 0.11) / 2)
    assert float(method.mask_terms([mask, free, free])) == pytest.approx((want + 2 / 0.11) / 3)


def test_the_area_of_half_a_mask_is_free(method):
    mask = torch.zeros(1, 1, 8, 8, dtype=torch.double)
    mask[..., :4] = 1  # a mean of 1/2, and every value decided
    assert float(method.mask_terms([mask])) == pytest.approx(1 / 0.51)


def test_each_update_of_the_discriminators_sees_a_part(monkeypatch):
    method, seen = build("acl-gan", d_iter=2), []
    for name in ("discriminator_losses", "generator_losses"):
        plain = getattr(method, name)
        monkeypatch.setattr(
            method, name, lambda part, x, plain=plain: (seen.append(part), plain(part, x))[1]
        )
    given = batch(n=4)
    method.step(given)
    for part, rows in zip(seen, [slice(2), slice(2, 4), slice(2, 4)], strict=True):
        assert all(torch.equal(x, y[rows]) for x, y in zip(part, given, strict=True))
    seen.clear()
    method.step(batch(n=1))
    assert [len(part.source) for part in seen] == [1, 1, 1]


def test_styles_within_the_source_have_their_scale():
    plain, still = build("acl-gan"), build("acl-gan", same_style=0.0)
    z, z_still = (m._styles(batch(n=2).source, "G") for m in (plain, still))
    assert all(x.shape == (2, 8) and x.any() for x in z)
    assert torch.equal(z_still[0], z[0]) and torch.equal(z_still[2], z[2])
    assert not z_still[1].any()


def test_a_least_mask_above_the_most_is_refused():
    with pytest.raises(UserError, match=r"least_mask 0\.6 is above most_mask 0\.5"):
        build("acl-gan", least_mask=0.6)


@pytest.mark.parametrize(
    "options", [{"lambda_pair": 1}, {"lambda_mask": 1}, {"lambda_area": 1}, {"weight_decay": 0.1}]
)
def test_each_option_changes_the_weights(options):
    plain, other = build("acl-gan"), build("acl-gan", **options)
    for method in (plain, other):
        method.step(batch())
        method.step(batch(1))
    pairs = weights(plain)
    assert any(not torch.equal(v, pairs[k]) for k, v in weights(other).items())
