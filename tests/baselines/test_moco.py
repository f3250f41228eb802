"""External negatives: the bank's ring, the loss against the formula, averages, state."""

from __future__ import annotations

import io
import math

import pytest
import torch
from small_methods import batch, build, unit, weights

from baselines.moco import Bank
from cut.base.errors import UserError
from cut.nets.losses import external_nce, patch_nce

SMALL_BANK = {"bank_size": 40, "n_external": 16, "n_enqueued": 8}


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def numbered(first, last):
    """Vectors that say which they are."""
    return torch.arange(first, last, dtype=torch.float32)[:, None].expand(-1, 2).clone()


# -- the loss ------------------------------------------------------------------------------------


def direct(q, k, external, tau, internal):
    """The formula, one query at a time in float64, with the self-negative of cosine -10."""
    terms = []
    for n in range(q.shape[0]):
        for i in range(q.shape[1]):
            positive = math.exp(float(q[n, i] @ k[n, i]) / tau)
            total = positive + sum(math.exp(float(q[n, i] @ e) / tau) for e in external)
            if internal:
                total += math.exp(-10 / tau)
                total += sum(
                    math.exp(float(q[n, i] @ k[n, j]) / tau) for j in range(k.shape[1]) if j != i
                )
            terms.append(-math.log(positive / total))
    return sum(terms) / len(terms)


@pytest.mark.parametrize("tau", [0.07, 1.0])
def test_external_nce_is_the_formula(tau):
    q, k, external = unit(2, 5, 4), unit(2, 5, 4, seed=1), unit(7, 4, seed=2)
    got = float(external_nce(q, k, external, tau))
    assert got == pytest.approx(direct(q, k, external, tau, internal=False), rel=1e-12)


@pytest.mark.parametrize("tau", [0.07, 1.0])
def test_both_kinds_share_one_softmax(tau):
    q, k, external = unit(2, 5, 4), unit(2, 5, 4, seed=1), unit(7, 4, seed=2)
    got = float(patch_nce(q, k, tau, external=external))
    assert got == pytest.approx(direct(q, k, external, tau, internal=True), rel=1e-12)


def test_equal_cosines_cost_the_logarithm_of_the_number_of_candidates():
    q = torch.ones(1, 8, 1, dtype=torch.double)
    external = torch.ones(255, 1, dtype=torch.double)
    assert float(external_nce(q, q, external)) == pytest.approx(math.log(256))
    assert float(patch_nce(q, q, external=external)) == pytest.approx(math.log(8 + 255))


@pytest.mark.parametrize("key_gradient", [False, True])
def test_negatives_never_carry_a_gradient_and_keys_where_asked(key_gradient):
    for loss in (external_nce, lambda q, k, e, **x: patch_nce(q, k, external=e, **x)):
        q, k = unit(1, 4, 3).requires_grad_(), unit(1, 4, 3, seed=1).requires_grad_()
        external = unit(5, 3, seed=2).requires_grad_()
        loss(q, k, external, key_gradient=key_gradient).backward()
        assert q.grad.abs().sum() > 0
        assert (k.grad is not None) == key_gradient
        assert external.grad is None


# -- the bank ------------------------------------------------------------------------------------


def test_the_bank_starts_with_random_unit_vectors():
    bank = Bank(100, [3, 5], rng())
    assert bank.vectors(0).shape == (100, 3) and bank.vectors(1).shape == (100, 5)
    assert torch.allclose(bank.vectors(1).norm(dim=1), torch.ones(100))
    assert bank.vectors(0).mean(0).norm() < 0.3


def test_the_newest_replace_the_oldest_in_order():
    bank = Bank(5, [2], rng())
    bank.enqueue(0, numbered(0, 3))
    assert bank.vectors(0)[:3, 0].tolist() == [0, 1, 2]
    bank.enqueue(0, numbered(3, 7))  # 3 and 4 end the ring, 5 and 6 go over 0 and 1
    assert bank.vectors(0)[:, 0].tolist() == [5, 6, 2, 3, 4]
    assert bank.pointer == [2]


def test_more_than_the_bank_holds_leaves_the_last_of_them():
    bank = Bank(4, [2], rng())
    bank.enqueue(0, numbered(0, 1))
    bank.enqueue(0, numbered(1, 11))
    assert sorted(bank.vectors(0)[:, 0].tolist()) == [7, 8, 9, 10]
    bank.enqueue(0, numbered(11, 12))
    assert sorted(bank.vectors(0)[:, 0].tolist()) == [8, 9, 10, 11], "7 was the oldest"


def drawn(bank, n, seed=0):
    (positions,) = bank.positions(n, rng(seed))
    return bank.take(0, positions)


def test_an_empty_bank_gives_only_what_was_added():
    bank = Bank(6, [2], rng(), filled=False)
    assert len(drawn(bank, 3)) == 0
    bank.enqueue(0, numbered(0, 2))
    assert sorted(drawn(bank, 3)[:, 0].tolist()) == [0, 1]
    bank.enqueue(0, numbered(2, 9))
    assert len(drawn(bank, 0)) == 6


def test_a_sample_is_distinct_and_follows_its_stream():
    bank = Bank(50, [2], rng())
    bank.enqueue(0, numbered(0, 50))
    sample = drawn(bank, 20, 1)[:, 0].tolist()
    assert len(set(sample)) == 20
    assert sample == drawn(bank, 20, 1)[:, 0].tolist()
    assert sample != drawn(bank, 20, 2)[:, 0].tolist()


def test_what_is_taken_does_not_change_with_the_bank():
    bank = Bank(3, [2], rng())
    bank.enqueue(0, numbered(0, 3))
    taken = drawn(bank, 0)
    bank.enqueue(0, numbered(7, 10))
    assert taken[:, 0].tolist() == [0, 1, 2]


def test_a_bank_of_each_term_is_filled_with_its_own_domain():
    method = build("moco", **SMALL_BANK, momentum=1.0)
    method.step(batch())
    assert method.banks.keys() == {"NCE", "NCE_Y"}
    with torch.no_grad():
        for term, images in zip(method.banks, batch(), strict=True):
            bank = method.banks[term]
            assert bank.pointer == [8] * 5
            for layer, feature in enumerate(build("moco").G.encode(images, [0, 4, 8, 12, 16])):
                # With momentum 1 the averages are still the first weights: all that may be there.
                ids = [torch.arange(feature.shape[2] * feature.shape[3])]
                head = getattr(method.F_average, f"mlp_{layer}")
                z = head(method.F_average.gather(feature, ids[0]))[0]
                z = z / (z.norm(dim=-1, keepdim=True) + 1e-7)
                for vector in bank.vectors(layer)[:8]:
                    assert (z - vector).norm(dim=1).min() < 1e-5


# -- the method ----------------------------------------------------------------------------------


def test_internal_negatives_make_it_cut_to_the_bit():
    ours, cut = build("moco", negatives="internal"), build("cut")
    for step in range(2):
        ours.step(batch(step))
        cut.step(batch(step))
    want = weights(cut)
    assert all(torch.equal(value, want[key]) for key, value in weights(ours).items())
    assert ours.state_dict().keys() == cut.state_dict().keys()


def test_the_averages_start_equal_and_follow_by_one_less_the_momentum():
    method = build("moco", **SMALL_BANK, momentum=0.9)
    first = {k: v.clone() for k, v in method.F.named_parameters()}
    assert all(torch.equal(v, first[k]) for k, v in method.F_average.named_parameters())
    method.step(batch())
    after = {k: v.clone() for k, v in method.F.named_parameters()}
    assert all(torch.equal(v, first[k]) for k, v in method.F_average.named_parameters())
    method.step(batch(1))
    for name, value in method.F_average.named_parameters():
        assert torch.allclose(value, 0.9 * first[name] + 0.1 * after[name], atol=1e-7)
        assert not value.requires_grad and value.grad is None
    assert all(p.grad is None for p in method.G_average.parameters())


def test_the_loss_uses_the_bank_from_before_the_step():
    method = build("moco", **{**SMALL_BANK, "n_external": 0}, warm_up="filled")
    first = method.step(batch())
    assert float(first["NCE"]) == 0, "an empty bank leaves the positive alone"
    assert float(method.step(batch(1))["NCE"]) > 0
    assert method.banks["NCE"].filled == [16] * 5


@pytest.mark.parametrize(
    "options",
    [
        {"negatives": "both"},
        {"negatives": "both", "combine": "sum"},
        {"keys": "momentum"},
        {"n_external": 0},
        {"warm_up": "filled"},
        {"identity_bank": False},
        {"n_enqueued": 4},
        {"momentum": 0.5},
        {"bank_size": 20},
        {"tau": 0.2},
    ],
)
def test_each_option_changes_the_weights(options):
    plain, other = build("moco", **SMALL_BANK), build("moco", **{**SMALL_BANK, **options})
    for method in (plain, other):
        for step in range(3):
            losses = method.step(batch(step))
            assert all(torch.isfinite(value) for value in losses.values())
    pairs = weights(plain)
    assert any(not torch.equal(value, pairs[key]) for key, value in weights(other).items())


@pytest.mark.parametrize(
    "options",
    [
        {"identity": False},
        {"projection": "none"},
        {"flip_equivariance": True},
        {"lambda_nce": 0},
        {"nce_layers": [16]},
        {"keys": "momentum", "negatives": "internal"},
        {"query_encoder": "separate", "key_gradient": True},
    ],
)
def test_goes_with_cuts_options(options):
    method = build("moco", **SMALL_BANK, **options)
    for step in range(2):
        assert all(torch.isfinite(value) for value in method.step(batch(step)).values())


@pytest.mark.parametrize("options", [{}, {"warm_up": "filled", "n_external": 0}])
def test_bank_pointers_and_averages_are_part_of_the_state(options):
    method = build("moco", **{**SMALL_BANK, **options})
    for step in range(3):
        method.step(batch(step))
    file = io.BytesIO()
    torch.save(method.training_state(), file)
    file.seek(0)
    other = build("moco", 1, **{**SMALL_BANK, **options})
    other.load_training_state(torch.load(file, weights_only=True))
    assert other.banks["NCE"].pointer == method.banks["NCE"].pointer == [24] * 5
    want = method.state_dict()
    for key, value in other.state_dict().items():
        same = value == want[key] if isinstance(value, dict) else torch.equal(value, want[key])
        assert same, key
    other.seed = method.seed
    for resumed in (method, other):
        resumed.step(batch(3))
    want = weights(method)
    assert all(torch.equal(value, want[key]) for key, value in weights(other).items())


def test_more_negatives_than_the_bank_holds_are_refused():
    with pytest.raises(UserError, match="n_external 300 exceeds bank_size 256"):
        build("moco", n_external=300, bank_size=256)


@pytest.mark.parametrize(
    ("options", "levels"),
    [
        ({}, (17, 17)),
        ({"identity_bank": False}, (17, 8)),
        ({"n_external": 0}, (41, 41)),
        ({"negatives": "both"}, (24, 24)),
        ({"negatives": "both", "combine": "sum"}, (8 * 17, 8 * 17)),
        ({"negatives": "internal"}, (8, 8)),
    ],
)
def test_the_chance_level_counts_the_candidates(options, levels):
    records = build("moco", **{**SMALL_BANK, **options}).loss_records()
    found = [records[term].chance for term in ("NCE", "NCE_Y")]
    assert found == pytest.approx([math.log(level) for level in levels])
