"""CycleGAN: its identity term and its state."""

from __future__ import annotations

import io

import torch
from small_methods import batch, build


def test_the_pool_is_part_of_the_state():
    method = build("cyclegan", pool_size=2)
    for step in range(3):
        method.step(batch(step))
    file = io.BytesIO()
    torch.save(method.training_state(), file)
    file.seek(0)
    other = build("cyclegan", pool_size=2)
    other.load_training_state(torch.load(file, weights_only=True))
    for mine, its in zip(method.pools["A"].images, other.pools["A"].images, strict=True):
        assert torch.equal(mine, its)


def test_identity_is_a_term_where_its_weight_is_positive():
    assert "idt_A" in build("cyclegan", lambda_identity=0.5).step(batch())
    assert "idt_A" not in build("cyclegan").step(batch())
