"""MUNIT's networks: an auto-encoder of content and style, and discriminators at several scales.

Layers, widths and initialisation as in the authors' release (github.com/NVlabs/MUNIT).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cut.base import random_streams
from cut.base.errors import UserError
from cut.nets.networks import InstanceNorm


class LayerNorm(nn.Module):
    """Layer norm over channels, height and width, as in the release.

    It divides by the unbiased standard deviation plus `eps`. torch's layer and group norm divide by
    the root of the biased variance plus `eps`.
    """

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.eps = eps
        self.weight, self.bias = (nn.Parameter(f(channels)) for f in (torch.ones, torch.zeros))

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape of (N, C, H, W)."""
        # Under autocast the input is bfloat16, in which a deviation is coarse.
        x = x.to(torch.promote_types(x.dtype, torch.float32))
        mean, std = (f(dim=(1, 2, 3), keepdim=True) for f in (x.mean, x.std))
        weight, bias = (p[:, None, None] for p in (self.weight, self.bias))
        return (x - mean) / (std + self.eps) * weight + bias


class Conv(nn.Sequential):
    """A reflect-padded convolution, a norm ("in", "ln" or "") and an activation."""

    def __init__(
        self,
        n_in: int,
        n_out: int,
        kernel: int,
        stride: int = 1,
        norm: str = "",
        activation: nn.Module | None = None,
    ) -> None:
        padding = (kernel - 1) // 2
        layers = [nn.ReflectionPad2d(padding), nn.Conv2d(n_in, n_out, kernel, stride)]
        if norm:
            layers.append(InstanceNorm(n_out) if norm == "in" else LayerNorm(n_out))
        super().__init__(*layers, *([activation] if activation else []))


class ResidualBlock(nn.Module):
    """Two convolutions with instance norm, added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            Conv(channels, channels, 3, norm="in", activation=nn.ReLU()),
            Conv(channels, channels, 3, norm="in"),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape of (N, C, H, W)."""
        return x + self.model(x)


def adain(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return (N, C, H, W) `x` with mean `bias` and deviation `weight`, (N, C)."""
    y = InstanceNorm(x.shape[1])(x)  # whose gradient can be trusted
    return y * weight[:, :, None, None] + bias[:, :, None, None]


class AdaInBlock(nn.Module):
    """Two convolutions with adaptive instance norm, added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = Conv(channels, channels, 3), Conv(channels, channels, 3)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Style is (N, 4*C): bias and weight of the first norm, then of the second."""
        bias1, weight1, bias2, weight2 = style.chunk(4, dim=1)
        y = F.relu(adain(self.conv1(x), weight1, bias1))
        return x + adain(self.conv2(y), weight2, bias2)


class AutoEncoder(nn.Module):
    """One domain's content encoder, style encoder and decoder.

    Args:
        ngf: channels of the first layer.
        n_downsample: halvings of the content's height and width.
        n_blocks: residual blocks of the content encoder, and of the decoder.
        style_dim: length of a style code.
        mlp_dim: width of the perceptron from style to the norms' parameters.
        n_out: channels of the decoder's output.
        n_in: channels of the images.
    """

    def __init__(
        self,
        ngf: int,
        n_downsample: int,
        n_blocks: int,
        style_dim: int,
        mlp_dim: int,
        n_out: int = 3,
        n_in: int = 3,
    ) -> None:
        super().__init__()
        relu, width = nn.ReLU(), ngf
        content = [Conv(n_in, width, 7, norm="in", activation=relu)]
        for _ in range(n_downsample):
            content.append(Conv(width, 2 * width, 4, 2, norm="in", activation=relu))
            width *= 2
        content += [ResidualBlock(width) for _ in range(n_blocks)]
        self.content = nn.Sequential(*content)
        self.style = self._style_encoder(ngf, style_dim, n_in)
        self.blocks = nn.ModuleList(AdaInBlock(width) for _ in range(n_blocks))
        self.mlp = nn.Sequential(
            nn.Linear(style_dim, mlp_dim),
            nn.ReLU(),
            nn.Linear(mlp_dim, mlp_dim),
            nn.ReLU(),
            nn.Linear(mlp_dim, n_blocks * 4 * width),
        )
        up: list[nn.Module] = []
        for _ in range(n_downsample):
            up += [
                nn.Upsample(scale_factor=2),
                Conv(width, width // 2, 5, norm="ln", activation=relu),
            ]
            width //= 2
        self.up = nn.Sequential(*up, Conv(width, n_out, 7, activation=nn.Tanh()))

    @staticmethod
    def _style_encoder(width: int, style_dim: int, n_in: int) -> nn.Sequential:
        """Return an encoder without norm, which would remove the style's mean and deviation."""
        relu = nn.ReLU()
        layers = [Conv(n_in, width, 7, activation=relu)]
        for depth in range(4):
            out = 2 * width if depth < 2 else width
            layers.append(Conv(width, out, 4, 2, activation=relu))
            width = out
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Conv2d(width, style_dim, 1))

    def encode(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (N, 4*ngf, H/4, W/4) content and (N, style_dim) style of (N, C, H, W) images."""
        return self.content(x), self.style(x).flatten(1)

    def decode(self, content: Tensor, style: Tensor) -> Tensor:
        """Return (N, n_out, H, W) images in [-1, 1] of a content and a style."""
        parameters = self.mlp(style).chunk(len(self.blocks), dim=1)
        for block, given in zip(self.blocks, parameters, strict=True):
            content = block(content, given)
        return self.up(content)


def check_size(size: tuple[int, int], n_layers: int) -> None:
    """Refuse images, of `size` (height, width), that `n_layers` halve to under a pixel.

    Raises:
        UserError: the size, and the least one.
    """
    if min(size) < 2**n_layers:
        raise UserError(
            f"images of {size[0]}x{size[1]} are too small for the discriminator, which halves them"
            f" to under a pixel: use {2**n_layers} or more, or a smaller n_layers"
        )


class MultiScaleDiscriminator(nn.Module):
    """Discriminators of an image at full, half, quarter, … resolution; without norm.

    A scale needs 2**n_layers pixels per side; smaller ones are left out.
    """

    def __init__(
        self, ndf: int, n_layers: int, n_scales: int, slope: float = 0.2, n_in: int = 3
    ) -> None:
        super().__init__()
        self.n_layers, self.least = n_layers, 2**n_layers
        self.scales = nn.ModuleList()
        for _ in range(n_scales):
            layers, width = [Conv(n_in, ndf, 4, 2, activation=nn.LeakyReLU(slope))], ndf
            for _ in range(n_layers - 1):
                layers.append(Conv(width, 2 * width, 4, 2, activation=nn.LeakyReLU(slope)))
                width *= 2
            self.scales.append(nn.Sequential(*layers, nn.Conv2d(width, 1, 1)))

    def forward(self, x: Tensor) -> list[Tensor]:
        """Return a map of real/fake values for each scale that (N, n_in, H, W) images reach.

        Raises:
            UserError: the images are too small for any.
        """
        check_size((x.shape[2], x.shape[3]), self.n_layers)
        out = []
        for scale in self.scales:
            if min(x.shape[2:]) < self.least:
                break
            out.append(scale(x))
            x = F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
        return out


def initialise(network: nn.Module, rng: torch.Generator, kind: str) -> nn.Module:
    """Draw weights from Kaiming's normal or from N(0, 0.02); biases zero, norms' scales in [0, 1].

    The norms' scales are those of the authors' layer norm, which start uniform.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            if kind == "kaiming":
                nn.init.kaiming_normal_(module.weight, generator=rng)
            else:
                nn.init.normal_(module.weight, 0.0, 0.02, generator=rng)
            nn.init.zeros_(module.bias)
        elif isinstance(module, LayerNorm):
            nn.init.uniform_(module.weight, generator=rng)
    return network


def latent_for(images: Tensor, dim: int) -> Tensor:
    """Return a code (N, dim) from N(0, 1) for each of (N, 3, H, W) images.

    It derives from the image's 8-bit pixels: it differs between images and does not depend on the
    batch, the run or the machine.
    """
    streams = random_streams.of_images(images, "latent")
    return torch.stack([torch.randn(dim, generator=rng) for rng in streams]).to(images)
