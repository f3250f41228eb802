"""FID's Inception network as the pytorch-fid package builds and runs it."""

from __future__ import annotations

from collections.abc import Sequence
from unittest import mock

import torch
from torch import Tensor, nn


class PackageNetwork(nn.Module):
    """The package's `InceptionV3`, called as `cut.metrics.inception.network.Inception` is."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        import pytorch_fid.inception as package  # imports torchvision, which takes a second

        # The constructor downloads its weights; `state` takes the place of the download.
        with mock.patch.object(package, "load_state_dict_from_url", lambda *_, **__: state):
            self.inception = package.InceptionV3(range(4))
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor, blocks: Sequence[int] = (3,)) -> list[Tensor]:
        """Return the outputs of `blocks` for images (B, 3, H, W) in [0, 1] of any size."""
        self.inception.output_blocks = sorted(blocks)
        self.inception.last_needed_block = max(blocks)
        return self.inception(images.contiguous(memory_format=torch.contiguous_format))
