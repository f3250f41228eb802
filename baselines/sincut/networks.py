"""StyleGAN2's layers, and SinCUT's generator and discriminator of them.

Karras, Laine, Aittala, Hellsten, Lehtinen and Aila, CVPR 2020. Weights are drawn from N(0, 1) and
scaled by 1/sqrt(fan in) when they are used, so that Adam moves all layers alike; `initialise` draws
them. Every activation is a leaky ReLU times sqrt(2), which keeps the variance. Names and widths are
those of CUT's code.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BLOCKS = 3  # residual blocks at the generator's low resolution, on each side
GENERATOR_MOST, DISCRIMINATOR_MOST = 512, 384  # channels at most
EPSILON = 1e-8  # in the norm of a demodulated kernel


def activate(x: Tensor) -> Tensor:
    """Return the leaky ReLU times sqrt(2)."""
    return F.leaky_relu(x, 0.2) * math.sqrt(2)


class Activation(nn.Module):
    """Add a bias per channel, then activate."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, H, W) from the same."""
        return activate(x + self.bias)


class Blur(nn.Module):
    """Filter by (1,3,3,1)x(1,3,3,1)/64, times `gain`, after zero padding on all four sides."""

    def __init__(self, padding: int, gain: float = 1.0) -> None:
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
        self.padding = padding
        self.register_buffer("kernel", torch.outer(taps, taps) / 64 * gain)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C, H + 2p - 3, W + 2p - 3) from (N, C, H, W), p the padding."""
        channels = x.shape[1]
        kernel = self.kernel.expand(channels, 1, 4, 4)
        return F.conv2d(x, kernel, padding=self.padding, groups=channels)


class EqualConv(nn.Module):
    """A convolution without bias whose weights are scaled when they are used."""

    def __init__(self, n_in: int, n_out: int, kernel: int, stride: int, padding: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_out, n_in, kernel, kernel))
        self.scale = 1 / math.sqrt(n_in * kernel**2)
        self.stride, self.padding = stride, padding

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', H', W') from (N, C, H, W)."""
        return F.conv2d(x, self.weight * self.scale, stride=self.stride, padding=self.padding)


class EqualLinear(nn.Module):
    """A linear layer whose weights are scaled when they are used, perhaps activated."""

    def __init__(self, n_in: int, n_out: int, activated: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(n_out, n_in))
        self.bias = nn.Parameter(torch.zeros(n_out))
        self.scale, self.activated = 1 / math.sqrt(n_in), activated

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C') from (N, C)."""
        y = F.linear(x, self.weight * self.scale, self.bias)
        return activate(y) if self.activated else y


def conv(n_in: int, n_out: int, kernel: int, down: bool = False, act: bool = True) -> nn.Sequential:
    """Return a convolution, with a blur and stride 2 if `down`, and activated unless not `act`."""
    layers: list[nn.Module] = [Blur((kernel + 1) // 2)] if down else []
    padding = 0 if down else kernel // 2
    layers.append(EqualConv(n_in, n_out, kernel, 1 + down, padding))
    return nn.Sequential(*layers, *([Activation(n_out)] if act else []))


class ResidualBlock(nn.Module):
    """Two convolutions of 3x3 beside a skip connection; the sum is divided by sqrt(2)."""

    def __init__(self, n_in: int, n_out: int, down: bool) -> None:
        super().__init__()
        self.conv1 = conv(n_in, n_in, 3)
        self.conv2 = conv(n_in, n_out, 3, down)
        same = n_in == n_out and not down
        self.skip = nn.Identity() if same else conv(n_in, n_out, 1, down, act=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', H', W') from (N, C, H, W); half the height and width if `down`."""
        return (self.conv2(self.conv1(x)) + self.skip(x)) / math.sqrt(2)


class UpConv(nn.Module):
    """A transposed convolution of 3x3 that doubles height and width, its kernels of unit norm."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1, n_out, n_in, 3, 3))
        self.scale = 1 / math.sqrt(9 * n_in)
        self.blur = Blur(1, gain=4)

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, C', 2H, 2W) from (N, C, H, W)."""
        w = self.weight[0] * self.scale  # C',C,3,3
        w = w * torch.rsqrt(w.square().sum((1, 2, 3), keepdim=True) + EPSILON)
        return self.blur(F.conv_transpose2d(x, w.transpose(0, 1), stride=2))


class Noise(nn.Module):
    """Add noise, equal in all channels, with one learned weight that starts at zero."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return (N, C, H, W) from the same and noise (N, 1, H, W)."""
        return x + self.weight * noise


class UpBlock(nn.Module):
    """Double height and width, add noise, activate."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.conv, self.noise, self.activate = UpConv(n_in, n_out), Noise(), Activation(n_out)

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return (N, C', 2H, 2W) from (N, C, H, W) and noise (N, 1, 2H, 2W)."""
        return self.activate(self.noise(self.conv(x), noise))


class Encoder(nn.Module):
    """The image itself, a 1x1 convolution, one block that halves, and three that do not."""

    def __init__(self, full: int, half: int, n_in: int = 3) -> None:
        super().__init__()
        blocks = [ResidualBlock(half, half, down=False) for _ in range(BLOCKS)]
        down = ResidualBlock(full, half, down=True)
        self.convs = nn.Sequential(nn.Identity(), conv(n_in, full, 1), down, *blocks)

    def forward(self, x: Tensor) -> Tensor:
        """Return features (N, C, H/2, W/2) of images (N, n_in, H, W)."""
        return self.convs(x)


class Decoder(nn.Module):
    """Three blocks, one that doubles and adds noise, and a 1x1 convolution to an image."""

    def __init__(self, full: int, half: int, n_out: int = 3) -> None:
        super().__init__()
        blocks = [ResidualBlock(half, half, down=False) for _ in range(BLOCKS)]
        self.convs = nn.ModuleList([*blocks, UpBlock(half, full), conv(full, n_out, 1)])

    def forward(self, x: Tensor, noise: Tensor) -> Tensor:
        """Return images (N, n_out, H, W) of features (N, C, H/2, W/2) and noise (N, 1, H, W)."""
        for layer in self.convs:
            x = layer(x, noise) if isinstance(layer, UpBlock) else layer(x)
        return x


class Generator(nn.Module):
    """The translator; its encoder's layers are numbered from 0, which is the image."""

    stride = 2
    layers = 3 + BLOCKS

    def __init__(self, ngf: int, images: int = 3) -> None:
        super().__init__()
        self.n_in = images
        self.widths = 8 * ngf, min(GENERATOR_MOST, 16 * ngf)
        self.encoder, self.decoder = Encoder(*self.widths, images), Decoder(*self.widths, images)

    def forward(self, images: Tensor, noise: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1] with noise (N, 1, H, W).

        The result has the same shape, and no bound: the last layer is a leaky ReLU.
        """
        return self.decoder(self.encoder(images), noise)

    def with_features(
        self, images: Tensor, noise: Tensor, layers: Sequence[int]
    ) -> tuple[Tensor, list[Tensor]]:
        """Return the translations and the outputs of encoder layers, from one pass."""
        found = self._outputs(images, self.layers)
        return self.decoder(found[-1], noise), [found[layer] for layer in layers]

    def encode(self, images: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """Return the outputs of encoder layers; later layers are not computed."""
        found = self._outputs(images, max(layers) + 1)
        return [found[layer] for layer in layers]

    def channels(self, layers: Sequence[int]) -> list[int]:
        """Return the number of channels of each of the encoder's layers."""
        widths = [self.n_in, self.widths[0], *[self.widths[1]] * (1 + BLOCKS)]
        return [widths[layer] for layer in layers]

    def _outputs(self, images: Tensor, n: int) -> list[Tensor]:
        """Return the outputs of the encoder's first `n` layers."""
        x, found = images, []
        for layer in self.encoder.convs[:n]:
            x = layer(x)
            found.append(x)
        return found


class Discriminator(nn.Module):
    """One logit per tile: blocks that halve it down to 4x4 pixels, then two linear layers.

    Args:
        ndf: 256/side of it are the channels at a resolution of `side` pixels, at most 384 below 64.
        tile: side of the square tiles that images are cut into, a power of two.
        n_in: channels of the images.
    """

    def __init__(self, ndf: int, tile: int, n_in: int = 3) -> None:
        super().__init__()
        self.tile = tile
        sides = [tile >> k for k in range(int(math.log2(tile)) - 1)]  # down to 4
        widths = [max(1, 256 * ndf // side) for side in sides]
        widths = [
            min(DISCRIMINATOR_MOST, n) if side < 64 else n
            for n, side in zip(widths, sides, strict=True)
        ]
        blocks = [ResidualBlock(a, b, down=True) for a, b in itertools.pairwise(widths)]
        last = widths[-1]
        self.convs = nn.Sequential(conv(n_in, widths[0], 1), *blocks)
        self.final_conv = conv(last, last, 3)
        self.final_linear = nn.Sequential(
            EqualLinear(16 * last, last, activated=True), EqualLinear(last, 1)
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return the logits (N * tiles, 1) of images (N, 3, H, W)."""
        (n, c, h, w), t = images.shape, self.tile
        x = images.reshape(n, c, h // t, t, w // t, t)
        x = x.permute(0, 2, 4, 1, 3, 5).reshape(-1, c, t, t)  # N*tiles,3,t,t
        return self.final_linear(self.final_conv(self.convs(x)).flatten(1))


def initialise(network: nn.Module, rng: torch.Generator) -> None:
    """Draw all weights from N(0, 1); biases, and the weights of noise, are zero."""
    for name, parameter in network.named_parameters():
        if parameter.ndim > 1 and not name.endswith("bias"):
            nn.init.normal_(parameter, generator=rng)
        else:
            nn.init.zeros_(parameter)
