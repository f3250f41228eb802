"""DistanceGAN's own: its distances, their moments, pairs of single images, its state."""

from __future__ import annotations

import io
import math

import pytest
import torch
from small_methods import batch, build, weights

from baselines.distance import STD_FLOOR, Moments, half_distances, pair_distances
from cut.results.published import published_number

BOTH = ["distancegan", "selfdistance"]


def double(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.double, generator=torch.Generator().manual_seed(seed))


def difference(x, y):
    """The mean absolute difference of two lists of numbers."""
    return sum(abs(a - b) for a, b in zip(x, y, strict=True)) / len(x)


def ready(name, **options):
    """A method whose term counts: its moments stand on more pairs than the warm-up asks for."""
    method = build(name, warmup=2, **options)
    for step in range(4):
        method.step(batch(step))
    assert all(m.count >= 2 for m in method.moments.values())
    return method


def reloaded(method):
    file = io.BytesIO()
    torch.save(method.training_state(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)


def test_pair_distances_are_mean_absolute_differences():
    x = double(3, 2, 2, 3)
    flat = [image.flatten().tolist() for image in x]
    want = [difference(flat[i], flat[j]) for i, j in [(0, 1), (0, 2), (1, 2)]]
    assert pair_distances(x).tolist() == pytest.approx(want, rel=1e-12)
    assert pair_distances(x[:1]).shape == (0,)


def test_half_distances_are_of_the_halves_as_they_lie():
    x = torch.tensor([[1.0, 2.0], [4.0, 8.0]], dtype=torch.double)[None, None]
    assert half_distances(x, "top_bottom").tolist() == [(3 + 6) / 2]
    assert half_distances(x, "left_right").tolist() == [(1 + 4) / 2]
    y = double(2, 3, 4, 6)
    want = [difference(i[:, :2].flatten().tolist(), i[:, 2:].flatten().tolist()) for i in y]
    assert half_distances(y, "top_bottom").tolist() == pytest.approx(want, rel=1e-12)


def test_distances_of_half_precision_images_are_single_precision():
    x = double(2, 3, 4, 4).bfloat16()
    assert pair_distances(x).dtype == torch.float32
    assert float(pair_distances(x)) == pytest.approx(float(pair_distances(x.double())), rel=1e-6)


def test_running_moments_are_those_of_all_values_at_once():
    values = double(10) * 3 + 5
    moments = Moments()
    for part in values.split([1, 0, 4, 2, 3]):
        moments.update(part)
    mean = sum(values.tolist()) / 10
    std = math.sqrt(sum((v - mean) ** 2 for v in values.tolist()) / 10)
    assert moments.count == 10
    assert float(moments.mean) == pytest.approx(mean, rel=1e-12)
    assert float(moments.std) == pytest.approx(std, rel=1e-12)
    got = moments.standardise(torch.tensor([mean, mean + 2 * std]))
    assert got.tolist() == pytest.approx([0, 2], abs=1e-6)


def test_equal_distances_leave_a_finite_term():
    moments = Moments()
    moments.update(torch.full((5,), 0.25))
    assert float(moments.std) == STD_FLOOR
    assert moments.standardise(torch.tensor([0.25])).tolist() == [0]


def test_the_term_is_the_mean_change_of_standardised_distances():
    method = build("distancegan", warmup=2, lambda_distance=3)
    method.moments["source"].update(torch.tensor([0.1, 0.3]))  # mean 0.2, std 0.1
    method.moments["target"].update(torch.tensor([0.2, 0.6]))  # mean 0.4, std 0.2
    before, after = torch.tensor([0.3, 0.0]), torch.tensor([0.4, 0.6])
    # 1 and -2 before, 0 and 1 after.
    assert float(method.distance_loss(before, after)) == pytest.approx(3 * (1 + 3) / 2, rel=1e-6)
    plain = build("distancegan", standardise=False)
    assert float(plain.distance_loss(before, after)) == pytest.approx((0.1 + 0.6) / 2, rel=1e-6)


@pytest.mark.parametrize("name", BOTH)
def test_the_term_waits_for_enough_pairs_of_both_domains(name):
    method = build(name, warmup=3)
    values = torch.tensor([0.1, 0.3, 0.4])
    method.moments["source"].update(values)
    method.moments["target"].update(values[:2])
    assert float(method.distance_loss(values, values + 1)) == 0
    method.moments["target"].update(values[2:])
    assert float(method.distance_loss(values, values + 1)) > 1


def test_a_batch_is_paired_within_itself():
    method, images = build("distancegan", standardise=False), batch(n=3)
    method.step(batch(1))  # leaves an image that must not take part
    with torch.no_grad():
        x, y = images.source, method.G(images.source)
    want = sum(
        abs(float((x[i] - x[j]).abs().mean() - (y[i] - y[j]).abs().mean())) / 3
        for i, j in [(0, 1), (0, 2), (1, 2)]
    )
    assert float(method.step(images)["distance"]) == pytest.approx(want, rel=1e-4)
    assert [m.count for m in method.moments.values()] == [3, 3]


def test_a_single_image_is_paired_with_the_one_before():
    method = build("distancegan", standardise=False)
    assert float(method.step(batch(0))["distance"]) == 0
    method.step(batch(1))
    earlier, images = batch(1).source, batch(2).source
    with torch.no_grad():  # the earlier image is translated by the generator of today
        want = (images - earlier).abs().mean() - (method.G(images) - method.G(earlier)).abs().mean()
    assert float(method.step(batch(2))["distance"]) == pytest.approx(abs(float(want)), rel=1e-4)
    assert [m.count for m in method.moments.values()] == [2, 2]
    want = [float((batch(i + 1).target - batch(i).target).abs().mean()) for i in range(2)]
    assert float(method.moments["target"].mean) == pytest.approx(sum(want) / 2, rel=1e-6)


def test_the_image_before_takes_no_part_in_the_gan_terms():
    # A large gain: with the usual one, D is next to 0 for any image before it has learned.
    method, images = build("distancegan", init_gain=1), batch(1)
    method.step(batch(0))
    with torch.no_grad():
        want = float(((method.D(method.G(images.source)) - 1) ** 2).mean())
    assert float(method.step(images)["G_GAN"]) == pytest.approx(want, rel=1e-4)
    assert len(method.pool.images) == 2, "one image a step"


@pytest.mark.parametrize("halves, dim", [("top_bottom", 2), ("left_right", 3)])
def test_self_distance_is_of_the_chosen_halves_of_each_image(halves, dim):
    method, images = build("selfdistance", standardise=False, halves=halves), batch(n=2)
    change = 0.0
    with torch.no_grad():
        for x in images.source.split(1):
            (a, b), (c, d) = x.split(16, dim), method.G(x).split(16, dim)
            change += abs(float((a - b).abs().mean() - (c - d).abs().mean())) / 2
    assert float(method.step(images)["distance"]) == pytest.approx(change, rel=1e-4)
    assert method.previous == {}


@pytest.mark.parametrize("name", BOTH)
def test_a_standardised_step_is_by_the_moments_of_real_images(name):
    method, images = ready(name), batch(7)
    earlier = method.previous.get("source", images.source[:0])
    with torch.no_grad():
        seen = torch.cat([images.source, earlier])
        before, after = method.distances(seen), method.distances(method.G(seen))
    got = method.step(images)["distance"]
    source, target = method.moments["source"], method.moments["target"]
    want = abs((before - source.mean) / source.std - (after - target.mean) / target.std)
    assert float(got) == pytest.approx(float(want), rel=1e-4) and float(got) > 0


@pytest.mark.parametrize("name", BOTH)
def test_the_term_reaches_the_generator(name):
    alone, with_term = (ready(name, lambda_distance=weight) for weight in (0, 1))
    with_term.load_training_state(reloaded(alone))
    for method in (alone, with_term):
        method.step(batch(9))
    pairs = weights(alone)
    changed = {k for k, v in weights(with_term).items() if not torch.equal(v, pairs[k])}
    assert changed and all(key.startswith("G.") for key in changed)


@pytest.mark.parametrize("name", BOTH)
def test_a_state_with_moments_goes_on_to_the_same_weights(name):
    straight = ready(name, pool_size=2)
    resumed = build(name, seed=0, warmup=2, pool_size=2)
    resumed.load_training_state(reloaded(straight))
    for step in range(4, 7):
        losses = [method.step(batch(step)) for method in (straight, resumed)]
        assert losses[0] == losses[1]
    want = weights(straight)
    assert all(torch.equal(value, want[key]) for key, value in weights(resumed).items())


@pytest.mark.parametrize("part", ["moments", "_extra_state", "pool"])
def test_each_part_of_the_state_matters(part):
    straight, resumed = ready("distancegan"), build("distancegan", warmup=2)
    state, first = (reloaded(method) for method in (straight, build("distancegan")))
    for key in [key for key in state["modules"] if key.startswith(part)]:
        state["modules"][key] = first["modules"][key]
    resumed.load_training_state(state)
    for step in range(4, 8):
        losses = [method.step(batch(step)) for method in (straight, resumed)]
    if part == "pool":
        assert len(straight.pool.images) > len(resumed.pool.images)
    else:
        assert losses[0]["distance"] != losses[1]["distance"]


def test_published_numbers_are_found_by_the_methods_names():
    assert published_number("horse2zebra", "distancegan", "fid").value == 72.0
    assert published_number("horse2zebra", "selfdistance", "fid").value == 80.8
    assert published_number("horse2zebra", "distance", "fid") is None
