"""The pool of earlier translations."""

from __future__ import annotations

import torch

from cut.nets.image_pool import ImagePool


def drawing(seed):
    rng = torch.Generator().manual_seed(seed)
    return lambda name, sample: sample(rng)


def test_the_pool_fills_then_exchanges_half_of_the_time():
    pool = ImagePool(3, drawing(0))
    images = torch.arange(200.0).reshape(200, 1, 1, 1).expand(200, 3, 2, 2)
    out = pool.exchange(images)
    assert torch.equal(out[:3], images[:3]), "the first ones are kept and passed on"
    earlier = (out[:, 0, 0, 0] != images[:, 0, 0, 0]).sum()
    assert 70 < earlier < 130
    assert (out[:, 0, 0, 0] <= images[:, 0, 0, 0]).all(), "never one that is yet to come"
    assert len(pool.images) == 3


def test_a_pool_of_none_passes_images_on():
    images = torch.rand(5, 3, 2, 2)
    assert torch.equal(ImagePool(0, drawing(0)).exchange(images), images)


def test_the_images_are_part_of_the_state():
    pool = ImagePool(3, drawing(0))
    pool.exchange(torch.rand(2, 3, 2, 2))
    other = ImagePool(3, drawing(1))
    other.load_state_dict(pool.state_dict())
    assert len(other.images) == 2 and all(map(torch.equal, other.images, pool.images))


def test_each_exchange_names_its_draws():
    names = []
    recorded = {"pool/fake_A/image1/coin": 0.75, "pool/fake_A/image1/slot": 0}

    def draw(name, sample):
        names.append(name)
        return torch.tensor(recorded.get(name, 0.25))

    pool = ImagePool(1, draw, "fake_A")
    pool.exchange(torch.zeros(1, 3, 2, 2))
    out = pool.exchange(torch.stack([torch.full((3, 2, 2), x) for x in (1.0, 2.0)]))
    assert out[:, 0, 0, 0].tolist() == [1, 0], "the second gives way to the one that was kept"
    assert names == ["pool/fake_A/image0/coin", *recorded]
