"""Networks: parameter counts, receptive fields, blurs, projection heads."""

from __future__ import annotations

import pytest
import torch

from cut.base.errors import UserError
from cut.methods.options import NetworkOptions
from cut.nets.networks import (
    BlurDown,
    BlurUp,
    Discriminator,
    Generator,
    InstanceNorm,
    ProjectionHeads,
    ResidualBlock,
    count_parameters,
    initialise,
)

LAYERS = [0, 4, 8, 12, 16]


def test_parameter_counts_are_the_papers():
    generator = Generator()
    heads = ProjectionHeads(generator.channels(LAYERS))
    counts = [count_parameters(n) for n in (generator, Discriminator(), heads)]
    assert counts == [11_378_179, 2_764_737, 560_384]


def test_feature_layers_have_the_papers_shapes():
    generator = Generator()
    assert generator.channels(LAYERS) == [3, 128, 256, 256, 256]
    with torch.no_grad():
        features = generator.encode(torch.zeros(1, 3, 256, 256), LAYERS)
    shapes = [tuple(f.shape[1:]) for f in features]
    assert shapes == [
        (3, 262, 262),
        (128, 256, 256),
        (256, 128, 128),
        (256, 64, 64),
        (256, 64, 64),
    ]


@pytest.mark.parametrize(
    "antialias, layers, sizes",
    [(True, LAYERS, [1, 9, 15, 35, 99]), (False, [0, 4, 7, 10, 14], [1, 9, 13, 29, 93])],
)
def test_receptive_fields_are_the_papers(antialias, layers, sizes):
    """The pixels that one feature's gradient reaches, counted along the width."""
    generator = Generator(ngf=2, antialias=antialias, antialias_up=antialias).double()
    for module in generator.modules():  # instance norm sees the whole image: leave it out
        if isinstance(module, torch.nn.Conv2d):
            torch.nn.init.uniform_(module.weight, 0.1, 1)
    generator.model = torch.nn.Sequential(*map(without_norm, generator.model))
    x = torch.rand(1, 3, 256, 256, dtype=torch.double, requires_grad=True)
    for layer, size in zip(layers, sizes, strict=True):
        (feature,) = generator.encode(x, [layer])
        middle = feature[0, :, feature.shape[2] // 2, feature.shape[3] // 2].sum()
        (gradient,) = torch.autograd.grad(middle, x)
        assert int((gradient.abs().sum((0, 1, 2)) > 0).sum()) == size


def without_norm(layer):
    """Return `layer` with its instance norms replaced by identities."""
    if isinstance(layer, InstanceNorm):
        return torch.nn.Identity()
    if hasattr(layer, "conv_block"):
        layer.conv_block = torch.nn.Sequential(*map(without_norm, layer.conv_block))
    return layer


@pytest.mark.parametrize("antialias", [True, False])
def test_translation_keeps_shape_and_range(antialias):
    generator = Generator(4, 1, antialias, antialias)
    y = generator(torch.rand(2, 3, 20, 36) * 2 - 1)
    assert y.shape == (2, 3, 20, 36)
    assert y.abs().max() <= 1


def test_one_pass_gives_translation_and_features():
    generator = initialise(Generator(4, 2), torch.Generator().manual_seed(1))
    x = torch.rand(2, 3, 16, 16)
    y, features = generator.with_features(x, [0, 8, 13])
    assert torch.equal(y, generator(x))
    for got, want in zip(features, generator.encode(x, [0, 8, 13]), strict=True):
        assert torch.equal(got, want)


def test_blurs_keep_a_constant_and_halve_or_double_the_size():
    x = torch.full((1, 2, 8, 12), 0.7)
    assert torch.allclose(BlurDown(2)(x), torch.full((1, 2, 4, 6), 0.7))
    assert torch.allclose(BlurUp(2)(x), torch.full((1, 2, 16, 24), 0.7))


def test_blur_up_is_bilinear_interpolation():
    x = torch.rand(1, 2, 5, 7, dtype=torch.double)
    want = torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    assert torch.allclose(BlurUp(2).double()(x), want)


def test_instance_norm_gives_the_gradient_for_any_memory_layout():
    """Torch alone gets it wrong on a CPU for one image and a channels-last gradient."""
    x = torch.randn(1, 4, 6, 6, dtype=torch.double, requires_grad=True)
    g = torch.randn(1, 4, 6, 6, dtype=torch.double)
    y = InstanceNorm(4)(x)
    (want,) = torch.autograd.grad(y, x, g, retain_graph=True)
    (got,) = torch.autograd.grad(y, x, g.contiguous(memory_format=torch.channels_last))
    assert torch.allclose(got, want)
    assert torch.autograd.gradcheck(InstanceNorm(4), x, check_undefined_grad=False)


def test_heads_give_unit_vectors_at_the_positions_asked_for():
    features = [torch.randn(2, 3, 4, 5), torch.randn(2, 6, 2, 2)]
    ids = [torch.tensor([7, 19]), torch.tensor([3])]
    heads = ProjectionHeads([3, 6], width=8)
    out = heads(features, ids)
    assert [tuple(v.shape) for v in out] == [(2, 2, 8), (2, 1, 8)]
    assert torch.allclose(out[0].norm(dim=2), torch.ones(2, 2), atol=1e-4)
    bare = ProjectionHeads([3, 6], mlp=False)(features, ids)
    want = features[0][:, :, 1, 2]  # position 7 = row 1, column 2 of a width of 5
    assert torch.allclose(bare[0][:, 0], want / want.norm(dim=1, keepdim=True))
    assert not list(ProjectionHeads([3, 6], mlp=False).parameters())


def test_initialisation_depends_on_its_stream_alone():
    first, second, other = (
        initialise(Discriminator(4), torch.Generator().manual_seed(seed)) for seed in (5, 5, 6)
    )
    pairs = list(zip(first.parameters(), second.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(a, b) for a, b, _ in pairs)
    assert not all(torch.equal(a, c) for a, _, c in pairs)


def test_a_layer_outside_the_generator_is_refused():
    with pytest.raises(UserError, match=r"feature layer 99 .* 0 to \d+"):
        Generator(4, 1).channels([0, 99])


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("antialias_up", [False, True])
@pytest.mark.parametrize("n_downsampling", [1, 2])
@pytest.mark.parametrize("n_blocks", [1, 6])
def test_the_number_of_layers_is_known_without_a_network(
    n_blocks, n_downsampling, antialias, antialias_up
):
    options = NetworkOptions(
        ngf=1,
        n_blocks=n_blocks,
        n_downsampling=n_downsampling,
        antialias=antialias,
        antialias_up=antialias_up,
    )
    model = options.generator().model
    assert options.depth() == len(model)
    blocks = [i for i, layer in enumerate(model) if isinstance(layer, ResidualBlock)]
    before, after = options.ends()
    assert blocks == list(range(before, before + n_blocks))
    assert after == len(model) - before - n_blocks


def test_one_down_sampling_stage_keeps_half_of_the_resolution():
    generator = Generator(4, 2, n_downsampling=1)
    x = torch.rand(1, 3, 12, 20) * 2 - 1
    assert generator(x).shape == x.shape
    (feature,) = generator.encode(x, [8])  # the first block
    assert feature.shape == (1, 8, 6, 10)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("n_layers", [1, 2, 3, 4, 5])
def test_the_sizes_that_a_discriminator_takes_are_known_without_it(n_layers, antialias):
    built = Discriminator(1, n_layers, antialias)
    sides = [*range(1, 10), 15, 16, 17, 23, 24, 31, 32, 33, 47, 48, 63, 64, 65, 67, 68, 96]
    found = set()
    for size in [(side, side) for side in sides] + [(side, 96) for side in sides]:
        try:
            fits = built(torch.zeros(1, 3, *size)).numel() > 0
        except (ValueError, RuntimeError):
            fits = False
        assert Discriminator.fits(size, n_layers, antialias) == fits, size
        found.add(fits)
    assert found == {False, True}
