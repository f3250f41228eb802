"""The image pool that CycleGAN and methods after it show to their discriminators."""

from __future__ import annotations

import torch
from torch import Tensor


class ImagePool:
    """Earlier translations for the discriminator to see again (Shrivastava et al., CVPR 2017)."""

    def __init__(self, size: int, rng: torch.Generator) -> None:
        self.size, self.rng = size, rng
        self.images: list[Tensor] = []

    def exchange(self, images: Tensor) -> Tensor:
        """Return each of (N,3,H,W) `images`, or half of the time an earlier one in its place."""
        out = []
        for image in images.detach():
            if len(self.images) < self.size:
                self.images.append(image.clone())
            elif self.size and torch.rand((), generator=self.rng) > 0.5:
                index = int(torch.randint(self.size, (), generator=self.rng))
                image, self.images[index] = self.images[index], image.clone()
            out.append(image)
        return torch.stack(out)
