"""The pool of earlier translations."""

from __future__ import annotations

import torch

from cut.nets.image_pool import ImagePool


def test_the_pool_fills_then_exchanges_half_of_the_time():
    pool = ImagePool(3, torch.Generator().manual_seed(0))
    images = torch.arange(200.0).reshape(200, 1, 1, 1).expand(200, 3, 2, 2)
    out = pool.exchange(images)
    assert torch.equal(out[:3], images[:3]), "the first ones are kept and passed on"
    earlier = (out[:, 0, 0, 0] != images[:, 0, 0, 0]).sum()
    assert 70 < earlier < 130
    assert (out[:, 0, 0, 0] <= images[:, 0, 0, 0]).all(), "never one that is yet to come"
    assert len(pool.images) == 3


def test_a_pool_of_none_passes_images_on():
    images = torch.rand(5, 3, 2, 2)
    assert torch.equal(ImagePool(0, torch.Generator()).exchange(images), images)


def test_the_images_are_part_of_the_state():
    pool = ImagePool(3, torch.Generator().manual_seed(0))
    pool.exchange(torch.rand(2, 3, 2, 2))
    other = ImagePool(3, torch.Generator())
    other.load_state_dict(pool.state_dict())
    assert len(other.images) == 2 and all(map(torch.equal, other.images, pool.images))
