"""ST-LPIPS, the shift-tolerant perceptual distance of Ghildyal and Liu (ECCV 2022).

It is not LPIPS: its network blurs before each subsampling and was trained as a whole for human
judgements. Moving an image by a pixel changes it little.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, max_pool2d, pad

from cut.base.errors import UserError
from cut.base.tensor_files import read_tensors
from cut.metrics.wheels import WheelFile

FILE = WheelFile(
    requirement="stlpips_pytorch==0.0.2",
    wheel_sha256="a412bf901a97c942b37af57c7c63b6e5d1aebfe8d1dfc17853d4b2f878630645",
    member="stlpips_pytorch/weights/vST0.0/alex_shift_tolerant.pth",
    sha256="b356b382f96010f77d085ee8343ecd9fd322d0a56e8de2b2d0549fafcad8b9ee",
    name="stlpips-0.0.2-alex-shift-tolerant.pth",
)
PROTOCOL = f"ST-LPIPS of {FILE.requirement}, AlexNet form, weights {FILE.sha256[:12]}"
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of images in [-1, 1]
EPS = 1e-10
LEAST = 21  # pixels of a side: below, a map is too small for the reflections of the blur

# In and out channels, kernel and padding of each convolution, and its name in the file.
LAYERS = {
    "net.slice1.0": (3, 64, 11, 2),
    "net.slice2.5": (64, 192, 5, 2),
    "net.slice3.9": (192, 384, 3, 1),
    "net.slice4.11": (384, 256, 3, 1),
    "net.slice5.13": (256, 256, 3, 1),
}


class StLpips(nn.Module):
    """The distance of two images, in [0, ...), in the network's AlexNet form."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(n, m, kernel, padding=padding) for n, m, kernel, padding in LAYERS.values()
        )
        # One weight per channel: the share of a channel in the distance.
        self.heads = nn.ParameterList(
            nn.Parameter(torch.zeros(m), requires_grad=False) for _, m, _, _ in LAYERS.values()
        )
        row = torch.tensor([1.0, 2.0, 1.0]) / 4
        self.register_buffer("blur", row[:, None] * row)  # 3,3
        for name, values in (("shift", SHIFT), ("scale", SCALE)):
            self.register_buffer(name, torch.tensor(values)[:, None, None])
        self.eval().requires_grad_(False)

    @classmethod
    def load(cls, path: Path) -> StLpips:
        """Return the network with the weights of `FILE`, from a file with its sha256.

        Raises:
            UserError: it is another file.
        """
        FILE.check(path)
        return cls.of(read_tensors(path, f"the weights of {FILE.requirement}"))

    @classmethod
    def of(cls, state: dict[str, Tensor]) -> StLpips:
        """Return the network with the tensors of the wheel's file, by the names there."""
        network = cls()
        for i, name in enumerate(LAYERS):
            network.convolutions[i].weight.copy_(state[f"{name}.weight"])
            network.convolutions[i].bias.copy_(state[f"{name}.bias"])
            network.heads[i].copy_(state[f"lin{i}.model.1.weight"].flatten())
        return network

    def maps(self, images: Tensor) -> list[Tensor]:
        """Return five maps (B, C, h, w) of images (B, 3, H, W) in [0, 1]; vectors have length 1.

        Raises:
            UserError: a side has fewer than 21 pixels.
        """
        if min(images.shape[2:]) < LEAST:
            h, w = images.shape[2:]
            raise UserError(f"ST-LPIPS needs images of at least {LEAST} pixels, not {h}x{w}")
        x, found = (2 * images - 1 - self.shift) / self.scale, []
        for i, convolution in enumerate(self.convolutions):
            if i in (1, 2):
                x = self._blurred(max_pool2d(x, 3, stride=1))
            x = convolution(x)
            x = (self._blurred(x) if i == 0 else x).relu()
            length = x.square().sum(dim=1, keepdim=True).sqrt()
            found.append(x / (length + EPS))
        return found

    def between(self, a: list[Tensor], b: list[Tensor]) -> Tensor:
        """Return the distance (B,) of images with the maps `a` and `b`.

        At each position of each map the squared difference of two vectors is weighted by channel;
        the mean over positions is summed over the maps.
        """
        each = [
            ((x - y).square() * head[:, None, None]).sum(dim=1).mean(dim=(1, 2))
            for x, y, head in zip(a, b, self.heads, strict=True)
        ]
        return torch.stack(each).sum(dim=0)

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Return the distance (B,) of images (B, 3, H, W) in [0, 1] of one size."""
        return self.between(self.maps(a), self.maps(b))

    def _blurred(self, x: Tensor) -> Tensor:
        """Return `x` blurred by the binomial of 3 positions, at every second position."""
        channels = x.shape[1]
        kernel = self.blur.expand(channels, 1, 3, 3)
        return conv2d(pad(x, (2, 2, 2, 2), mode="reflect"), kernel, stride=2, groups=channels)
