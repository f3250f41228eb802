"""CycleGAN's own: its pool, its identity term, its state."""

from __future__ import annotations

import io

import torch
from small_methods import batch, build

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


def test_the_pool_is_part_of_the_state():
    method = build("cyclegan", pool_size=2)
    for step in range(3):
        method.step(batch(step))
    file = io.BytesIO()
    torch.save(method.state_dict(), file)
    file.seek(0)
    other = build("cyclegan", pool_size=2)
    other.load_state_dict(torch.load(file, weights_only=True))
    for mine, its in zip(method.pools["A"].images, other.pools["A"].images, strict=True):
        assert torch.equal(mine, its)


def test_identity_is_a_term_where_its_weight_is_positive():
    assert "idt_A" in build("cyclegan", lambda_identity=0.5).step(batch())
    assert "idt_A" not in build("cyclegan").step(batch())
