"""Small methods and batches, for the tests of every method."""

from __future__ import annotations

import torch

from cut.base.image_form import DEFAULT
from cut.methods.contract import Batch
from cut.methods.options import parse_options
from cut.methods.registry import discover

# Small networks, for the methods that have them: what is tested doesn't depend on the width.
SMALL = {"ngf": 4, "ndf": 4, "n_blocks": 5, "n_patches": 8, "width": 8, "tile": 16}


def build(name, seed=0, images=DEFAULT, **options):
    cls = discover()[name]
    small = {k: v for k, v in SMALL.items() if k in cls.Options.model_fields}
    return cls(parse_options(cls.Options, {**small, **options}, name).of_images(images), seed)


def batch(seed=0, n=1, size=32, kind=Batch):
    rng = torch.Generator().manual_seed(seed)
    return kind(*(torch.rand(n, 3, size, size, generator=rng) * 2 - 1 for _ in kind._fields))


def weights(method):
    return {
        f"{name}.{key}": value.clone()
        for name, network in method.networks.items()
        for key, value in network.named_parameters()
    }


def unit(*shape, seed=0):
    x = torch.randn(*shape, dtype=torch.double, generator=torch.Generator().manual_seed(seed))
    return x / x.norm(dim=-1, keepdim=True)
