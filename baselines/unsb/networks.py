"""UNSB's networks: a generator and discriminators that know the step of the bridge.

Names, layers and widths are those of the authors' release (github.com/cyclomon/UNSB). The step is
its index, counted from 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cut.base import random_streams
from cut.nets import networks

SLOPE = 0.2  # of the leaky ReLUs


def step_code(index: int, dim: int, like: Tensor) -> Tensor:
    """Return sines, then cosines, of a step's index at geometric frequencies: (1, dim)."""
    half = dim // 2
    rates = torch.arange(half, device=like.device, dtype=like.dtype)
    angles = index * torch.exp(rates * (-math.log(10_000) / max(half - 1, 1)))
    code = torch.cat([angles.sin(), angles.cos()])
    return F.pad(code, (0, dim - 2 * half))[None]


def leaky(*widths: int) -> list[nn.Module]:
    """Return linear layers between the given widths, each with a leaky ReLU."""
    pairs = zip(widths, widths[1:], strict=False)
    layers = [[nn.Linear(n_in, n_out), nn.LeakyReLU(SLOPE)] for n_in, n_out in pairs]
    return [module for layer in layers for module in layer]


class PixelNorm(nn.Module):
    """Scale vectors (N, C) to a root mean square of 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape."""
        return x * torch.rsqrt(x.square().mean(dim=1, keepdim=True) + 1e-8)


class Modulation(nn.Module):
    """Scale and shift channels by a style."""

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.style_net = nn.Linear(style_dim, 2 * channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Return (N, C, H, W) from the same and styles (N, S)."""
        gamma, beta = self.style_net(style)[:, :, None, None].chunk(2, dim=1)
        return gamma * x + beta


class BridgeBlock(nn.Module):
    """A residual block with a style between its convolutions.

    In the release, each layer before the modulation is given the block's input, and the result of
    the last one counts. So the block is x + IN(conv(ReLU(gamma * IN(x) + beta))): the first
    convolution, the step's layer and a second layer of the style reach nothing and never change.

    Args:
        channels: of the maps.
        code: length of the codes of step and style.
        repaired: the first convolution acts, and the step's code shifts the modulated maps. Where
            the release adds the step, before a convolution with norm, the norm would remove it.
    """

    def __init__(self, channels: int, code: int, repaired: bool) -> None:
        super().__init__()
        self.repaired = repaired

        def convolution() -> list[nn.Module]:
            conv = nn.Conv2d(channels, channels, 3)
            return [nn.ReflectionPad2d(1), conv, networks.InstanceNorm(channels)]

        self.conv_block = nn.Sequential(*convolution())
        self.adaptive = Modulation(channels, code)
        self.conv_fin = nn.Sequential(nn.ReLU(), *convolution())
        self.Dense_time = nn.Linear(code, channels)
        if not repaired:
            self.style = nn.Linear(code, 2 * channels)

    def forward(self, x: Tensor, step: Tensor, style: Tensor) -> Tensor:
        """Return (N, C, H, W) from the same, the step's code (1, S) and styles (N, S)."""
        if not self.repaired:
            return x + self.conv_fin(self.adaptive(self.conv_block[-1](x), style))
        shift = self.Dense_time(step)[:, :, None, None]
        return x + self.conv_fin(self.adaptive(self.conv_block(x), style) + shift)


class BridgeGenerator(nn.Module):
    """CUT's generator with conditional residual blocks; its layers have the same numbers.

    Args:
        ngf: channels after the first convolution.
        n_blocks: residual blocks.
        antialias: blur before down-sampling.
        antialias_up: blur after up-sampling.
        repaired: of the blocks.
        images: channels of the images, and of their translations.
        n_downsampling: stages that halve height and width.
    """

    stride = networks.Generator.stride

    def __init__(
        self,
        ngf: int,
        n_blocks: int,
        antialias: bool,
        antialias_up: bool,
        repaired: bool,
        images: int = 3,
        n_downsampling: int = 2,
    ) -> None:
        super().__init__()
        self.n_in = images
        shape = (antialias, antialias_up, images, images, n_downsampling)
        layers = networks.Generator(ngf, 0, *shape).model
        down, _ = networks.Generator.ends(antialias, antialias_up, n_downsampling)
        self.code = code = ngf * 2**n_downsampling  # of step and style; the width of the blocks
        self.model = layers[:down]
        self.model_res = nn.ModuleList(BridgeBlock(code, code, repaired) for _ in range(n_blocks))
        self.model_upsample = nn.Sequential(*layers[down:])
        self.z_transform = nn.Sequential(PixelNorm(), *leaky(*[code] * 5))
        self.time_embed = nn.Sequential(*leaky(ngf, code, code))

    @property
    def layers(self) -> list[nn.Module]:
        """Return the layers in their order."""
        return [*self.model, *self.model_res, *self.model_upsample]

    def forward(self, x: Tensor, index: int, z: Tensor) -> Tensor:
        """Return what the bridge would end in, (N, 3, H, W) in [-1, 1], from its state at a step.

        Args:
            x: the state, (N, 3, H, W).
            index: of the step.
            z: (N, 4*ngf) normal numbers.
        """
        return self._outputs(x, [len(self.layers) - 1], index, z)[0]

    def encode(self, x: Tensor, layers: Sequence[int], z: Tensor | None = None) -> list[Tensor]:
        """Return the outputs of `layers` at the first step; later layers are not computed.

        Without `z`, every image has the same normal numbers.
        """
        if z is None:
            rng = random_streams.generator(0, "encoding")
            z = torch.randn(1, self.code, generator=rng).to(x).expand(len(x), -1)
        return self._outputs(x, layers, 0, z)

    def channels(self, layers: Sequence[int]) -> list[int]:
        """Return the number of output channels of each of `layers`.

        Raises:
            UserError: a layer lies outside the network.
        """
        return networks.output_channels(self.layers, layers, self.n_in)

    def start_scales_at_one(self) -> None:
        """Let the blocks' scales start at 1, as the release means them to, and not at 0."""
        with torch.no_grad():
            for block in self.model_res:
                block.adaptive.style_net.bias[: self.code] = 1

    def _outputs(self, x: Tensor, layers: Sequence[int], index: int, z: Tensor) -> list[Tensor]:
        style = self.z_transform(z)
        first = self.time_embed[0]
        step = self.time_embed(step_code(index, first.in_features, first.weight))
        found = {}
        for number, layer in enumerate(self.layers[: max(layers) + 1]):
            x = layer(x, step, style) if isinstance(layer, BridgeBlock) else layer(x)
            found[number] = x
        return [found[layer] for layer in layers]


class StepBlock(nn.Module):
    """A convolution whose output is shifted by a step's code, then norm, leaky ReLU and blur.

    The norm removes the shift, which is constant per channel; so it acts in a block without norm.
    """

    def __init__(
        self, n_in: int, n_out: int, code: int, *, norm: bool, halve: bool, antialias: bool
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 4, 2 if halve and not antialias else 1, 1)
        self.dense = nn.Linear(code, n_out)
        rest: list[nn.Module] = [networks.InstanceNorm(n_out)] if norm else []
        rest.append(nn.LeakyReLU(SLOPE))
        if halve and antialias:
            rest.append(networks.BlurDown(n_out))
        self.rest = nn.Sequential(*rest)

    def forward(self, x: Tensor, step: Tensor) -> Tensor:
        """Return (N, n_out, h, w) from (N, n_in, H, W) and the step's code (1, S)."""
        return self.rest(self.conv1(x) + self.dense(step)[:, :, None, None])


class StepCode(nn.Module):
    """The code of a step's index, (1, dim)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.main = nn.Sequential(*leaky(dim, dim, dim))

    def forward(self, index: int) -> Tensor:
        """Return (1, dim)."""
        return self.main(step_code(index, self.dim, self.main[0].weight))


class StepDiscriminator(nn.Module):
    """CUT's PatchGAN, which also sees the step.

    Args:
        ndf: channels of the first layer; the step's code has four times as many.
        n_layers: down-sampling stages.
        antialias: blur before down-sampling.
        n_in: channels of the input.
    """

    def __init__(self, ndf: int, n_layers: int, antialias: bool, n_in: int = 3) -> None:
        super().__init__()
        code = 4 * ndf
        self.model_main, width = nn.ModuleList(), n_in
        for depth in range(n_layers + 1):
            out, halve = ndf * min(2**depth, 8), depth < n_layers
            block = StepBlock(width, out, code, norm=depth > 0, halve=halve, antialias=antialias)
            self.model_main.append(block)
            width = out
        self.final_conv = nn.Conv2d(width, 1, 4, 1, 1)
        self.t_embed = StepCode(code)

    def forward(self, x: Tensor, index: int) -> Tensor:
        """Return a map (N, 1, h, w) of (N, n_in, H, W) at the step `index`."""
        step = self.t_embed(index)
        for block in self.model_main:
            x = block(x, step)
        return self.final_conv(x)
