"""SANTA: the coordinate between the domains, and the length of the path."""

from __future__ import annotations

import pytest
import torch
from small_methods import batch, build

from cut.base.errors import UserError
from cut.methods.registry import discover


def test_the_domains_are_the_ends_of_the_path():
    method = build("santa", init_gain=0.5)
    latents = method.G.encoder(batch().source)
    ends = [method.G.decode(latents, torch.full((1,), d)) for d in (0.0, 0.5, 1.0)]
    assert (ends[0] - ends[2]).abs().max() > 1e-4
    assert (ends[0] - ends[1]).abs().mean() < (ends[0] - ends[2]).abs().mean()
    assert torch.equal(method.translate(batch().source), ends[2].detach())


def test_equal_codes_of_the_domains_make_the_path_short():
    method = build("santa", init_gain=0.5)
    with torch.no_grad():
        latents = method.G.encoder(batch(n=2).source)
        assert float(method._path(latents)) > 0
        codes = method.G.domain_embedding.weight
        codes[1] = codes[0]
        assert float(method._path(latents)) == 0


def test_layers_count_from_either_end_and_others_are_refused():
    cls = discover()["santa"]
    assert cls.Options().layers() == [0, 3, 6, 10, 14]
    assert cls.Options(path_layers=[0, 3, 6, 10, 14]).layers() == [0, 3, 6, 10, 14]
    with pytest.raises(UserError, match="path_layers"):
        cls.check(cls.Options(path_layers=[16]), (32, 32))
