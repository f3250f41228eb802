"""The pool of earlier translations that CycleGAN and later methods show to their discriminators."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ImagePool(nn.Module):
    """Earlier translations that a discriminator sees again (Shrivastava et al., CVPR 2017).

    Its images are part of the state of the method that it is an attribute of.

    Args:
        size: images kept; 0 passes every image on.
        rng: the stream of the exchanges, the method's own.
    """

    def __init__(self, size: int, rng: torch.Generator) -> None:
        super().__init__()
        self.size, self.rng = size, rng
        self.images: list[Tensor] = []

    def exchange(self, images: Tensor) -> Tensor:
        """Return (N, C, H, W) `images`, each replaced by an earlier one half of the time."""
        out = []
        for image in images.detach():
            if len(self.images) < self.size:
                self.images.append(image.clone())
            elif self.size and torch.rand((), generator=self.rng) > 0.5:
                index = int(torch.randint(self.size, (), generator=self.rng))
                image, self.images[index] = self.images[index], image.clone()
            out.append(image)
        return torch.stack(out)

    def get_extra_state(self) -> list[Tensor]:
        """Return the images, as a part of `state_dict`."""
        return list(self.images)

    def set_extra_state(self, state: list[Tensor]) -> None:
        """Restore what `get_extra_state` returned."""
        self.images = list(state)
