"""DRN-D-22 for segmentation (Yu, Koltun and Funkhouser, CVPR 2017).

Modules have the names of DRNSeg in the authors' repository fyu/drn, so that its checkpoints load
unchanged. A first convolution is followed by eight levels. Strides halve the resolution three
times; after that, dilation widens the receptive field. The last two levels have no skips and remove
the gridding artefacts of dilation.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

CLASSES = 19
STRIDE = 8
CHANNELS = (16, 16, 32, 64, 128, 256, 512, 512, 512)  # first convolution, then the 8 levels


def _conv(before: int, after: int, stride: int = 1, dilation: int = 1) -> nn.Conv2d:
    """Return a 3x3 convolution that changes the size by its stride only."""
    return nn.Conv2d(before, after, 3, stride, dilation, dilation, bias=False)


class Residual(nn.Module):
    """Two 3x3 convolutions with a skip, which is projected if the shape changes."""

    def __init__(self, before: int, after: int, stride: int, dilation: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = _conv(before, after, stride, dilation), nn.BatchNorm2d(after)
        self.conv2, self.bn2 = _conv(after, after, 1, dilation), nn.BatchNorm2d(after)
        self.downsample = None
        if stride != 1 or before != after:
            project = nn.Conv2d(before, after, 1, stride, bias=False)
            self.downsample = nn.Sequential(project, nn.BatchNorm2d(after))

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, after, H/stride, W/stride)."""
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


def _plain(before: int, after: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Return a level of one convolution."""
    norm = nn.BatchNorm2d(after)
    return nn.Sequential(_conv(before, after, stride, dilation), norm, nn.ReLU())


def _residual(before: int, after: int, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """Return a level of two residual blocks."""
    first = Residual(before, after, stride, dilation)
    return nn.Sequential(first, Residual(after, after, 1, dilation))


class DRN(nn.Module):
    """DRN-D-22 with a classifier of positions: images (B, 3, H, W) to scores (B, 19, H, W)."""

    def __init__(self, classes: int = CLASSES) -> None:
        super().__init__()
        first = nn.Conv2d(3, CHANNELS[0], 7, padding=3, bias=False)
        levels = [  # kind, stride, dilation
            (_plain, 1, 1),
            (_plain, 2, 1),
            (_residual, 2, 1),
            (_residual, 2, 1),
            (_residual, 1, 2),
            (_residual, 1, 4),
            (_plain, 1, 2),
            (_plain, 1, 1),
        ]
        self.base = nn.Sequential(
            nn.Sequential(first, nn.BatchNorm2d(CHANNELS[0]), nn.ReLU()),
            *(
                kind(before, after, stride, dilation)
                for (before, after), (kind, stride, dilation) in zip(
                    pairwise(CHANNELS), levels, strict=True
                )
            ),
        )
        self.seg = nn.Conv2d(CHANNELS[-1], classes, 1)
        # Bilinear interpolation; the checkpoints hold its weights too.
        self.up = nn.ConvTranspose2d(
            classes, classes, 2 * STRIDE, STRIDE, STRIDE // 2, groups=classes, bias=False
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return the class scores (B, 19, H, W) of normalised images (B, 3, H, W)."""
        h, w = x.shape[-2:]
        return self.up(self.seg(self.base(x)))[..., :h, :w]  # cropped if 8 does not divide a side
