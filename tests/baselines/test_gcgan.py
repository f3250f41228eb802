"""GcGAN's own: its transformations, the geometry term, its options, its state."""

from __future__ import annotations

import io

import pytest
import torch
from small_methods import batch, build, weights

from baselines.gcgan import geometry_loss, transform, untransform
from cut.methods.contract import Batch

GEOMETRIES = ["rot90", "vflip"]


def moved(image, geometry):
    """The transformation pixel by pixel: where (row, column) of a nested list goes."""
    h, w = len(image), len(image[0])
    if geometry == "vflip":
        return [[image[h - 1 - y][x] for x in range(w)] for y in range(h)]
    # Clockwise: the first row becomes the last column.
    return [[image[h - 1 - x][y] for x in range(h)] for y in range(w)]


def double(*shape, seed=0):
    return torch.randn(*shape, dtype=torch.double, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_the_transformation_moves_every_pixel_where_it_should(geometry):
    x = torch.arange(6.0).reshape(1, 1, 2, 3).repeat(2, 3, 1, 1)
    y = transform(x, geometry)
    assert y[1, 2].tolist() == moved(x[1, 2].tolist(), geometry)


def test_a_turn_is_clockwise():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])[None, None]
    assert transform(x, "rot90")[0, 0].tolist() == [[3.0, 1.0], [4.0, 2.0]]


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_the_transformation_is_undone_on_images_that_are_not_square(geometry):
    x = double(2, 3, 4, 6)
    y = transform(x, geometry)
    assert not torch.equal(x, y.reshape(x.shape))
    assert torch.equal(untransform(y, geometry), x)
    assert torch.equal(transform(untransform(x, geometry), geometry), x)


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_the_geometry_term_is_twice_the_mean_absolute_difference(geometry):
    fake = double(1, 1, 2, 3)
    fake_gc = double(1, 1, 3, 2, seed=1) if geometry == "rot90" else double(1, 1, 2, 3, seed=1)
    want, got = moved(fake[0, 0].tolist(), geometry), fake_gc[0, 0].tolist()
    mean = (
        sum(abs(a - b) for p, q in zip(want, got, strict=True) for a, b in zip(p, q, strict=True))
        / 6
    )
    assert float(geometry_loss(fake, fake_gc, geometry)) == pytest.approx(2 * mean, rel=1e-12)
    assert float(geometry_loss(fake, transform(fake, geometry), geometry)) == 0


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_each_side_of_the_geometry_term_gets_the_gradient_of_one_difference(geometry):
    fake = double(1, 3, 4, 4).requires_grad_()
    fake_gc = double(1, 3, 4, 4, seed=1).requires_grad_()
    geometry_loss(fake, fake_gc, geometry).backward()
    for x, other in [(fake, untransform(fake_gc, geometry)), (fake_gc, transform(fake, geometry))]:
        assert torch.allclose(x.grad, torch.sign(x - other).detach() / x.numel())


@pytest.mark.parametrize("geometry", GEOMETRIES)
def test_a_step_takes_images_that_are_not_square(geometry):
    method = build("gcgan", geometry=geometry)
    images = Batch(*(torch.rand(2, 3, 32, 48) * 2 - 1 for _ in range(2)))
    for _ in range(2):
        losses = method.step(images)
    assert all(torch.isfinite(value) for value in losses.values())
    assert method.pools["D"].images[0].shape == (3, 32, 48)
    turned = (3, 48, 32) if geometry == "rot90" else (3, 32, 48)
    assert method.pools["D_gc"].images[0].shape == turned


def test_the_losses_of_a_step_are_those_of_its_networks():
    # A large gain: with the usual one, D is next to 0 for any image before it has learned.
    method, images = build("gcgan", init_gain=1), batch(n=2)
    x, y = images
    with torch.no_grad():
        f = method.G(x), method.G(x.rot90(-1, (2, 3)))
        want = {
            "gc": 20 * 2 * (f[0].rot90(-1, (2, 3)) - f[1]).abs().mean(),
            "idt": 5 * (method.G(y) - y).abs().mean(),
            "idt_gc": 5 * (method.G(y.rot90(-1, (2, 3))) - y.rot90(-1, (2, 3))).abs().mean(),
            "G_GAN": ((method.networks["D"](f[0]) - 1) ** 2).mean(),
            "G_GAN_gc": ((method.networks["D_gc"](f[1]) - 1) ** 2).mean(),
        }
        for name, real in {"D": y, "D_gc": y.rot90(-1, (2, 3))}.items():
            D, fake = method.networks[name], f[name == "D_gc"]
            want[name] = (((D(real) - 1) ** 2).mean() + (D(fake) ** 2).mean()) / 2
    got = method.step(images)
    assert got.keys() == want.keys()
    for name, value in want.items():
        assert float(got[name]) == pytest.approx(float(value), rel=1e-4), name


def test_weights_scale_their_terms():
    plain, other = (
        build("gcgan", **options).step(batch())
        for options in ({}, {"lambda_gan": 3, "lambda_gc": 10, "lambda_identity": 1})
    )
    ratios = {"G_GAN": 3, "G_GAN_gc": 3, "gc": 0.5, "idt": 0.2, "idt_gc": 0.2, "D": 1, "D_gc": 1}
    assert {k: pytest.approx(float(other[k] / plain[k])) for k in plain} == ratios


def test_identity_is_two_terms_where_its_weight_is_positive():
    assert {"idt", "idt_gc"} <= build("gcgan").step(batch()).keys()
    assert not {"idt", "idt_gc"} & build("gcgan", lambda_identity=0).step(batch()).keys()


def test_the_geometry_decides_the_weights():
    methods = [build("gcgan", geometry=geometry) for geometry in GEOMETRIES]
    for method in methods:
        method.step(batch())
    pairs = weights(methods[1])
    assert not all(torch.equal(value, pairs[key]) for key, value in weights(methods[0]).items())


def test_the_pools_are_part_of_the_state():
    method = build("gcgan", pool_size=2)
    for step in range(3):
        method.step(batch(step))
    file = io.BytesIO()
    torch.save(method.training_state(), file)
    file.seek(0)
    other = build("gcgan", pool_size=2)
    other.load_training_state(torch.load(file, weights_only=True))
    for name, pool in method.pools.items():
        assert len(pool.images) == 2
        for mine, its in zip(pool.images, other.pools[name].images, strict=True):
            assert torch.equal(mine, its)
