"""The pool of earlier translations that CycleGAN and later methods show to their discriminators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Draw = Callable[[str, Callable[[torch.Generator], Any]], Any]


class ImagePool(nn.Module):
    """Earlier translations that a discriminator sees again (Shrivastava et al., CVPR 2017).

    Its images are part of the state of the method that it is an attribute of.

    Args:
        size: images kept; 0 passes every image on.
        draw: makes the random draws of the exchanges, the method's `draw`.
        name: of the images, in the names of the draws.
    """

    def __init__(self, size: int, draw: Draw, name: str = "fake_B") -> None:
        super().__init__()
        self.size, self.draw, self.name = size, draw, name
        self.images: list[Tensor] = []

    def exchange(self, images: Tensor) -> Tensor:
        """Return (N, C, H, W) `images`, each replaced by an earlier one half of the time."""
        out = []
        for i, image in enumerate(images.detach()):
            if len(self.images) < self.size:
                self.images.append(image.clone())
            elif self.size and self._exchanges(i):
                index = self._slot(i)
                image, self.images[index] = self.images[index], image.clone()
            out.append(image)
        return torch.stack(out)

    def _exchanges(self, i: int) -> bool:
        name = f"pool/{self.name}/image{i}/coin"
        return bool(self.draw(name, lambda rng: torch.rand((), generator=rng)) > 0.5)

    def _slot(self, i: int) -> int:
        name = f"pool/{self.name}/image{i}/slot"
        return int(self.draw(name, lambda rng: torch.randint(self.size, (), generator=rng)))

    def get_extra_state(self) -> list[Tensor]:
        """Return the images, as a part of `state_dict`."""
        return list(self.images)

    def set_extra_state(self, state: list[Tensor]) -> None:
        """Restore what `get_extra_state` returned."""
        self.images = list(state)
