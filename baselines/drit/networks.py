"""DRIT's networks: encoders of content and attributes, generators, the content discriminator.

Layers and widths as in the authors' release (github.com/HsinYingLee/DRIT, its variant that
concatenates attributes, the default). "A" is the source domain, "B" the target.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from baselines.munit.networks import Conv, ResidualBlock

SLOPE = 0.01  # of the leaky ReLUs where the release leaves torch's default


class ContentEncoder(nn.Module):
    """One encoder per domain and a shared last block: (N, n, H, W) to (N, C, H/4, W/4).

    `channels` are those of the images of A and B.
    """

    def __init__(self, ngf: int, channels: tuple[int, int] = (3, 3)) -> None:
        super().__init__()
        each = zip("AB", channels, strict=True)
        self.own = nn.ModuleDict({x: self._branch(ngf, n) for x, n in each})
        self.shared = ResidualBlock(4 * ngf)

    @staticmethod
    def _branch(width: int, n_in: int) -> nn.Sequential:
        layers: list[nn.Module] = [Conv(n_in, width, 7, activation=nn.LeakyReLU(SLOPE))]
        for _ in range(2):
            layers.append(Conv(width, 2 * width, 3, 2, norm="in", activation=nn.ReLU()))
            width *= 2
        return nn.Sequential(*layers, *(ResidualBlock(width) for _ in range(3)))

    def forward(self, x: Tensor, domain: str) -> Tensor:
        """Return the content, without the noise that a training step adds."""
        return self.shared(self.own[domain](x))


class _MeanPoolBlock(nn.Module):
    """Halve height and width by averages, after two convolutions and beside one."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        act = nn.LeakyReLU(0.2)
        self.model = nn.Sequential(
            act, Conv(n_in, n_in, 3), act, Conv(n_in, n_out, 3), nn.AvgPool2d(2)
        )
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(n_in, n_out, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H/2, W/2)."""
        return self.model(x) + self.shortcut(x)


class AttributeEncoder(nn.Module):
    """One domain's encoder of attributes: (N, n_in, H, W) to mean and log-variance, (N, nz)."""

    def __init__(self, ndf: int, nz: int, n_in: int = 3) -> None:
        super().__init__()
        layers: list[nn.Module] = [Conv(n_in, ndf, 4, 2)]
        layers += [_MeanPoolBlock(n * ndf, (n + 1) * ndf) for n in (1, 2, 3)]
        self.model = nn.Sequential(*layers, nn.LeakyReLU(0.2), nn.AdaptiveAvgPool2d(1))
        self.mean, self.log_variance = nn.Linear(4 * ndf, nz), nn.Linear(4 * ndf, nz)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (mean, log-variance)."""
        flat = self.model(x).flatten(1)
        return self.mean(flat), self.log_variance(flat)


class Generator(nn.Module):
    """Content and attributes to images: a shared first block, then a branch per domain.

    `channels` are those of the images of A and B.
    """

    def __init__(self, ngf: int, nz: int, channels: tuple[int, int] = (3, 3)) -> None:
        super().__init__()
        self.shared = ResidualBlock(4 * ngf)
        each = zip("AB", channels, strict=True)
        self.own = nn.ModuleDict({x: self._branch(4 * ngf, nz, n) for x, n in each})

    @staticmethod
    def _branch(width: int, nz: int, n_out: int) -> nn.ModuleList:
        """Return the stages; attributes are concatenated before each."""
        width += nz
        stages: list[nn.Module] = [nn.Sequential(*(ResidualBlock(width) for _ in range(3)))]
        for _ in range(2):
            up = nn.ConvTranspose2d(width + nz, (width + nz) // 2, 3, 2, 1, output_padding=1)
            width = (width + nz) // 2
            stages.append(nn.Sequential(up, nn.GroupNorm(1, width), nn.ReLU()))
        stages.append(nn.Sequential(nn.Conv2d(width + nz, n_out, 1), nn.Tanh()))
        return nn.ModuleList(stages)

    def forward(self, content: Tensor, attributes: Tensor, domain: str) -> Tensor:
        """Return (N, n, H, W) of (N, C, H/4, W/4) content and (N, nz) attributes."""
        x = self.shared(content)
        for stage in self.own[domain]:
            z = attributes[:, :, None, None].expand(-1, -1, *x.shape[2:])
            x = stage(torch.cat([x, z], dim=1))
        return x


class ContentDiscriminator(nn.Module):
    """Classify the domain of a content, (N, C, h, w) to (N, 1, h', w').

    The release defines instance norm between the layers but by mistake never applies it; nor does
    this. The layers need 53 positions per side (images of 212 pixels); smaller maps are enlarged.
    """

    LEAST = 53

    def __init__(self, channels: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for _ in range(3):
            layers += [nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 7, 2)]
            layers.append(nn.LeakyReLU(SLOPE))
        layers += [nn.Conv2d(channels, channels, 4), nn.LeakyReLU(SLOPE)]
        self.model = nn.Sequential(*layers, nn.Conv2d(channels, 1, 1))

    def forward(self, content: Tensor) -> Tensor:
        """Return values whose sigmoid is the probability that the content is of the target."""
        h, w = content.shape[2:]
        if min(h, w) < self.LEAST:
            content = F.interpolate(content, size=(max(h, self.LEAST), max(w, self.LEAST)))
        return self.model(content)


def initialise(network: nn.Module, rng: torch.Generator) -> nn.Module:
    """Draw convolutions from N(0, 0.02); linear layers and all biases as torch does.

    That is uniform up to one over the root of a layer's inputs. Of a transposed convolution these
    are input channels times kernel, as in the torch 0.4 of the release.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02, generator=rng)
            inputs = module.in_channels * math.prod(module.kernel_size)
        elif isinstance(module, nn.Linear):
            nn.init.kaiming_uniform_(module.weight, a=math.sqrt(5), generator=rng)
            inputs = module.in_features
        else:
            continue
        bound = 1 / math.sqrt(inputs)
        nn.init.uniform_(module.bias, -bound, bound, generator=rng)
    return network
