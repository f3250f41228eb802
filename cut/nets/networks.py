"""Generator, discriminator and projection heads, with the layout of the authors' code.

Layers have the authors' sequence indices (`model.12.conv_block.1.weight`), so that their
checkpoints load unchanged and a feature layer has the number that the paper's code uses.
Facts and parameter counts: CUT (Park et al., ECCV 2020), appendix C, and the authors' release.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cut.base.errors import UserError


class InstanceNorm(nn.InstanceNorm2d):
    """Instance norm without affine weights (eps 1e-5) and with a correct backward pass.

    On a CPU, torch (at least 2.12) returns a wrong gradient for a single image if the incoming
    gradient is channels-last, as it is after picking patches from a permuted feature map; see
    docs/parity.md. There, `guard` computes group norm with one channel a group, which is the same
    function, takes a fifth to a half of the time and is right in any layout (docs/speed.md).
    """

    guard = True

    def forward(self, x: Tensor) -> Tensor:  # N,C,H,W -> same
        # Group norm would accept a map of one pixel and return zero; instance norm refuses it.
        if self.guard and x.device.type == "cpu" and x.shape[2:].numel() > 1:
            return F.group_norm(x.contiguous(), x.shape[1], eps=self.eps)
        return super().forward(x)


class BlurDown(nn.Module):
    """Halve height and width after the 3-tap binomial filter (1,2,1)x(1,2,1)/16, reflect-padded."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        taps = torch.tensor([1.0, 2.0, 1.0])
        kernel = torch.outer(taps, taps) / 16
        self.register_buffer("filt", kernel.expand(channels, 1, 3, 3).clone())

    def forward(self, x: Tensor) -> Tensor:  # N,C,H,W -> N,C,H/2,W/2
        x = F.pad(x, (1, 1, 1, 1), mode="reflect")
        return F.conv2d(x, self.filt, stride=2, groups=x.shape[1])


class BlurUp(nn.Module):
    """Double height and width, then the 4-tap filter (1,3,3,1)x(1,3,3,1)/16, edge-padded."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
        kernel = torch.outer(taps, taps) / 64 * 4
        self.register_buffer("filt", kernel.expand(channels, 1, 4, 4).clone())

    def forward(self, x: Tensor) -> Tensor:  # N,C,H,W -> N,C,2H,2W
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        x = F.conv_transpose2d(x, self.filt, stride=2, padding=2, groups=x.shape[1])
        return x[:, :, 1:-1, 1:-1]


class ResidualBlock(nn.Module):
    """Two reflect-padded 3x3 convolutions with instance norm, added to the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            InstanceNorm(channels),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
            InstanceNorm(channels),
        )

    def forward(self, x: Tensor) -> Tensor:  # N,C,H,W -> same
        return x + self.conv_block(x)


class Generator(nn.Module):
    """The CycleGAN ResNet generator, anti-aliased by default; its first half is the encoder.

    Args:
        ngf: channels after the first convolution (64 in the paper).
        n_blocks: residual blocks (9 in the paper).
        antialias: blur before each down-sampling; `False` is CycleGAN's strided convolution.
        antialias_up: blurred up-sampling; `False` is CycleGAN's transposed convolution.
        n_in: channels of the images.
        n_out: channels of their translations.
        n_downsampling: stages that halve height and width, and that double them again; 1 or 2 (2 in
            the paper). Small images stay sharper with 1.

    Images are (N, n_in, H, W) in [-1, 1], H and W multiples of `stride`.
    """

    stride = 4

    def __init__(
        self,
        ngf: int = 64,
        n_blocks: int = 9,
        antialias: bool = True,
        antialias_up: bool = True,
        n_in: int = 3,
        n_out: int = 3,
        n_downsampling: int = 2,
    ) -> None:
        super().__init__()
        self.n_in = n_in
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), *_conv_norm_relu(n_in, ngf, kernel=7)]
        width = ngf
        for _ in range(n_downsampling):
            stride = 1 if antialias else 2
            layers += _conv_norm_relu(width, 2 * width, stride=stride, padding=1)
            width *= 2
            if antialias:
                layers.append(BlurDown(width))
        layers += [ResidualBlock(width) for _ in range(n_blocks)]
        for _ in range(n_downsampling):
            if antialias_up:
                layers.append(BlurUp(width))
                layers += _conv_norm_relu(width, width // 2, padding=1)
            else:
                up = nn.ConvTranspose2d(width, width // 2, 3, 2, padding=1, output_padding=1)
                layers += [up, InstanceNorm(width // 2), nn.ReLU()]
            width //= 2
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(width, n_out, 7), nn.Tanh()]
        self.model = nn.Sequential(*layers)

    @staticmethod
    def ends(
        antialias: bool = True, antialias_up: bool = True, n_downsampling: int = 2
    ) -> tuple[int, int]:
        """Return the numbers of layers before and after the residual blocks."""
        # Before: padding, convolution, norm, ReLU. After: padding, convolution, tanh.
        return 4 + n_downsampling * (3 + antialias), n_downsampling * (3 + antialias_up) + 3

    def forward(self, x: Tensor) -> Tensor:
        """Translate (N, n_in, H, W) in [-1, 1] to (N, n_out, H, W) in [-1, 1]."""
        return self.model(x)

    def with_features(self, x: Tensor, layers: Sequence[int]) -> tuple[Tensor, list[Tensor]]:
        """Return the translation and the outputs of `layers`, from one pass."""
        wanted, features = set(layers), {}
        for index, layer in enumerate(self.model):
            x = layer(x)
            if index in wanted:
                features[index] = x
        return x, [features[index] for index in layers]

    def encode(self, x: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """Return the outputs of `layers`; later layers are not computed."""
        wanted, features = set(layers), {}
        for index, layer in enumerate(self.model[: max(layers) + 1]):
            x = layer(x)
            if index in wanted:
                features[index] = x
        return [features[index] for index in layers]

    def encoder(self, last: int) -> Generator:
        """Return a copy of the layers up to `last`, which encodes but does not translate."""
        copied = copy.deepcopy(self)
        copied.model = copied.model[: last + 1]
        return copied

    def channels(self, layers: Sequence[int]) -> list[int]:
        """Return the number of output channels of each of `layers`.

        Raises:
            UserError: a layer lies outside the network.
        """
        return output_channels(self.model, layers, self.n_in)


class Discriminator(nn.Module):
    """The PatchGAN discriminator: (N, n_in, H, W) to a map of real/fake values (N, 1, h, w).

    Its receptive field is 84x84 with `antialias`, and CycleGAN's 70x70 without.
    """

    def __init__(
        self, ndf: int = 64, n_layers: int = 3, antialias: bool = True, n_in: int = 3
    ) -> None:
        super().__init__()
        stride = 1 if antialias else 2
        layers: list[nn.Module] = [nn.Conv2d(n_in, ndf, 4, stride, 1), nn.LeakyReLU(0.2)]
        width = ndf
        if antialias:
            layers.append(BlurDown(width))
        for depth in range(1, n_layers + 1):
            out = ndf * min(2**depth, 8)
            last = depth == n_layers  # the last stage keeps the resolution
            layers += [
                nn.Conv2d(width, out, 4, 1 if last else stride, 1),
                InstanceNorm(out),
                nn.LeakyReLU(0.2),
            ]
            width = out
            if antialias and not last:
                layers.append(BlurDown(width))
        layers.append(nn.Conv2d(width, 1, 4, 1, 1))
        self.model = nn.Sequential(*layers)

    @staticmethod
    def fits(size: tuple[int, int], n_layers: int = 3, antialias: bool = True) -> bool:
        """Return whether images of `size` (height, width) pass, without building the network.

        Each layer has to leave a pixel, and each norm two: one pixel has no deviation.
        """

        def halve(
            side: int,
        ) -> int:  # a convolution, then a blur that needs two pixels; or stride 2
            return side // 2 if side >= (3 if antialias else 2) else 0

        h, w = map(halve, size)
        for depth in range(1, n_layers + 1):
            last = depth == n_layers
            shrunk = (h - 1, w - 1) if last or antialias else (h // 2, w // 2)
            if min(shrunk) < 1 or shrunk[0] * shrunk[1] < 2:
                return False
            h, w = shrunk if last or not antialias else map(halve, (h, w))
        return min(h, w) > 1

    def forward(self, x: Tensor) -> Tensor:
        return self.model(x)


class ProjectionHeads(nn.Module):
    """One two-layer perceptron per feature layer, then unit length (the paper's H_l, `netF`).

    Args:
        channels: input width of each layer's head, from `Generator.channels`.
        width: output width (256 in the paper).
        mlp: `False` only scales the features to unit length (an ablation).
    """

    def __init__(self, channels: Sequence[int], width: int = 256, mlp: bool = True) -> None:
        super().__init__()
        self.n_layers, self.mlp = len(channels), mlp
        for index, n_in in enumerate(channels if mlp else ()):
            head = nn.Sequential(nn.Linear(n_in, width), nn.ReLU(), nn.Linear(width, width))
            self.add_module(f"mlp_{index}", head)

    def forward(self, features: Sequence[Tensor], patch_ids: Sequence[Tensor]) -> list[Tensor]:
        """Embed the patches at `patch_ids` of each layer.

        Args:
            features: one (N, C_l, H_l, W_l) map per layer.
            patch_ids: (P,) flat positions y*W + x per layer, shared by the images of a batch.

        Returns:
            One (N, P, width) tensor of unit vectors per layer.
        """
        pairs = enumerate(zip(features, patch_ids, strict=True))
        return [self.embed(index, self.gather(feature, ids)) for index, (feature, ids) in pairs]

    def embed(self, index: int, v: Tensor) -> Tensor:
        """Return the unit vectors, (…, width), of (…, C_l) vectors of the layer `index`."""
        if self.mlp:
            v = getattr(self, f"mlp_{index}")(v)
        return unit(v)

    @staticmethod
    def gather(feature: Tensor, ids: Tensor) -> Tensor:
        """Return the (N, P, C) vectors at the flat positions `ids` of (N, C, H, W)."""
        return feature.flatten(2)[:, :, ids].transpose(1, 2)


def output_channels(
    modules: Iterable[nn.Module], layers: Sequence[int], n_in: int = 3
) -> list[int]:
    """Return the number of output channels of each of `layers`, indices into a generator's modules.

    `n_in` is the number of channels of its images.

    Raises:
        UserError: a layer lies outside the generator.
    """
    widths, width = [], n_in
    for module in modules:
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            width = module.out_channels
        widths.append(width)
    for layer in layers:
        if not 0 <= layer < len(widths):
            raise UserError(
                f"feature layer {layer} is outside the generator, whose layers are numbered"
                f" 0 to {len(widths) - 1}; choose layers in that range"
            )
    return [widths[layer] for layer in layers]


def _conv_norm_relu(
    n_in: int, n_out: int, kernel: int = 3, stride: int = 1, padding: int = 0
) -> list[nn.Module]:
    conv = nn.Conv2d(n_in, n_out, kernel, stride, padding)
    return [conv, InstanceNorm(n_out), nn.ReLU()]


def unit(v: Tensor) -> Tensor:
    """Return (…, C) vectors at unit length.

    As in the published code, 1e-7 is added to the norm and is not its lower bound.
    """
    return v / (v.norm(dim=-1, keepdim=True) + 1e-7)


def initialise(network: nn.Module, rng: torch.Generator, gain: float = 0.02) -> nn.Module:
    """Draw all convolution and linear weights from Xavier's normal; set biases to zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.xavier_normal_(module.weight, gain=gain, generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    return network


def count_parameters(network: nn.Module) -> int:
    """Return how many trainable numbers `network` has."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
