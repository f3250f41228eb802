"""FID's network against pytorch-fid's own."""

from __future__ import annotations

import pytest
import torch
import torchvision
from pytorch_fid import inception as theirs
from standin import pytorch_fids, random_state

from cut.metrics.inception.network import build, template
from cut.metrics.inception.package_network import PackageNetwork
from cut.metrics.inception.weights import (
    FID_WEIGHTS_URL,
    WeightsUnavailable,
    find_inception,
    load_inception_state,
)

BLOCKS = (0, 1, 2, 3)
SHAPES = [(64, 73, 73), (192, 35, 35), (768, 17, 17), (2048, 1, 1)]


def images(seed: int = 0) -> torch.Tensor:
    """Return four images with edges, (4, 3, 40, 56) in [0, 1]."""
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.rand(4, 3, 5, 7, generator=rng)
    return coarse.repeat_interleave(8, dim=2).repeat_interleave(8, dim=3)


def agree(state) -> None:
    with torch.inference_mode():
        ours = build(state)(images(), BLOCKS)
        want = pytorch_fids(state, BLOCKS)(images())
    assert [tuple(x.shape[1:]) for x in ours] == SHAPES
    for x, y in zip(ours, want, strict=True):
        assert y.std() > 0.01 * y.max()  # they vary, so the test can fail
        torch.testing.assert_close(x, y, rtol=0, atol=2e-5 * float(y.max()))


def test_every_block_puts_out_what_pytorch_fids_does():
    agree(random_state())


def test_the_inner_layer_is_the_same_in_both_networks():
    state, found = random_state(), []
    for network in (build(state), PackageNetwork(state)):
        network.inner.register_forward_hook(lambda *given: found.append(given[-1].contiguous()))
        with torch.inference_mode():
            network(images())
    assert found[0].shape == (4, 768, 17, 17)
    torch.testing.assert_close(*found, rtol=0, atol=2e-5 * float(found[1].max()))


def test_so_it_does_with_the_real_weights():
    try:
        found = find_inception()
    except WeightsUnavailable as error:
        pytest.skip(str(error))
    agree(load_inception_state(found.path))


def test_names_order_and_shapes_are_those_of_torchvision():
    with torch.device("meta"):
        want = torchvision.models.inception_v3(
            weights=None, num_classes=1008, aux_logits=False, init_weights=False
        ).state_dict()
    have = template().state_dict()
    assert list(have) == list(want)
    assert all(have[name].shape == want[name].shape for name in want)


def test_only_the_blocks_asked_for_are_given():
    network = build(random_state())
    with torch.inference_mode():
        every = network(images(), BLOCKS)
        for blocks in ((0, 1), (3,), (0, 1, 3)):
            found = network(images(), blocks)
            assert len(found) == len(blocks)
            assert all(torch.equal(x, every[i]) for x, i in zip(found, blocks, strict=True))


def test_weights_of_another_network_are_refused():
    state = random_state()
    state.pop("Mixed_7c.branch_pool.conv.weight")
    with pytest.raises(RuntimeError, match="Mixed_7c.branch_pool.conv.weight"):
        build(state)


def test_the_weights_are_fetched_from_where_pytorch_fid_fetches_them():
    assert FID_WEIGHTS_URL == theirs.FID_WEIGHTS_URL
