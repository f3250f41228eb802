"""Recordings of any size and options, and of every method here, are replayed."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest
import torch
from small_methods import batch, build, weights

from cut.methods import parity
from cut.methods.recording import INPUTS
from cut.nets.image_pool import ImagePool

BANK = {"bank_size": 40, "n_external": 16, "n_enqueued": 8}
CASES = [
    ("cut", 1, {"flip_equivariance": True, "nce_layers": [4, 12], "negatives_across_batch": True}),
    ("cut", 1, {"query_encoder": "separate", "key_gradient": True}),
    ("cyclegan", 2, {"pool_size": 1, "lambda_identity": 0.5}),
    ("gcgan", 1, {"pool_size": 1, "geometry": "vflip", "lambda_identity": 0}),
    ("distancegan", 3, {"standardise": False, "pool_size": 2}),
    ("selfdistance", 2, {"halves": "left_right", "standardise": False}),
    ("munit", 2, {"lambda_cycle": 0, "n_scales": 2}),
    ("drit", 4, {"d_iter": 2, "mode_seeking": False, "nz": 3}),
    ("drit", 1, {"d_iter": 1}),
    ("moco", 1, {**BANK, "keys": "momentum", "negatives": "both", "combine": "sum"}),
    ("moco", 2, {**BANK, "n_external": 0, "identity_bank": False}),
    ("moco", 1, {"negatives": "internal"}),
    ("acl-gan", 3, {"n_scales": 1, "same_style": 0.5}),
    ("decent", 2, {"n_flows": 2, "var_all": True, "correct_average": True, "hidden_factor": 3}),
    ("unsb", 2, {"lambda_nce": 2.0, "lambda_sb": 0.1, "flip_equivariance": True}),
    ("unsb", 1, {"identity": False, "time_steps": 2, "block": "repaired"}),
]


def recorded_weights(method, group):
    """Return the trained weights as a recording has them."""
    names = {key.replace(".", "/", 1): value for key, value in weights(method).items()}
    return {
        f"{group}/{name}": (v.transpose(0, 1) if name in method.authors.transposed else v)
        for name, v in names.items()
    }


def record(name, n, options, steps=2):
    """Return a recording of `steps` steps of our own, with every draw that they make."""
    method = build(name, **options).to(torch.double)
    rng = torch.Generator().manual_seed(5)
    for parameter in (p for network in method.networks.values() for p in network.parameters()):
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=rng)
    if method.authors.prepare:
        method.authors.prepare(method, {})
    recorded = recorded_weights(method, "before")
    for term, bank in getattr(method, "banks", torch.nn.ModuleDict()).items():
        named = bank.named_buffers()
        recorded |= {f"before/banks.{term}/{key}": value.clone() for key, value in named}
    own, calls = method.draw, Counter()

    def draw(draw_name, sample):
        value = own(draw_name, sample)
        key = f"step{step}/{draw_name}/call{calls[draw_name]}"
        calls[draw_name] += 1
        layers = enumerate(value) if isinstance(value, list) else ()
        recorded.update({f"{key}/layer{i}": v for i, v in layers} or {key: value})
        return value

    method.draw = draw
    for pool in (module for module in method.modules() if isinstance(module, ImagePool)):
        pool.draw = draw
    for step in range(steps):
        calls.clear()
        images = method.Batch(*(x.double() for x in batch(step, n, kind=method.Batch)))
        given = images._asdict().items()
        recorded |= {f"step{step}/{INPUTS[field]}": x for field, x in given}
        method.step(images)
    recorded |= recorded_weights(method, "after")
    arrays = {key: torch.as_tensor(value).detach().numpy() for key, value in recorded.items()}
    given = json.dumps({"method": name}), method.options.model_dump_json()
    return arrays | dict(zip(("meta", "options"), map(np.array, given), strict=True))


@pytest.mark.parametrize(("name", "n", "options"), CASES, ids=lambda v: str(v)[:40])
def test_a_recording_of_other_sizes_and_options_is_replayed(name, n, options):
    found = parity.replay(record(name, n, options))
    assert found.method == name and found.unused == []
    assert found.errors.keys() == {"weights"} and found.within(1e-12)


def test_the_draws_are_those_of_the_recording():
    arrays = record("munit", 1, {}, steps=1)
    arrays["step0/style/G_a/call0"] = arrays["step0/style/G_a/call0"] + 1
    assert not parity.replay(arrays).within(1e-8)
