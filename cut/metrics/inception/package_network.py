"""FID's Inception network as the pytorch-fid package builds and runs it."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from types import ModuleType
from unittest import mock

import torch
from torch import Tensor, nn

from cut.base.errors import UserError

PACKAGE = "pytorch-fid==0.3.0"


class PackageNetwork(nn.Module):
    """The package's `InceptionV3`, called as `cut.metrics.inception.network.Inception` is.

    Raises:
        UserError: the package is not installed.
    """

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        package = _package()
        # The constructor downloads its weights; `state` takes the place of the download.
        with mock.patch.object(package, "load_state_dict_from_url", lambda *_, **__: state):
            self.inception = package.InceptionV3(range(4))
        self.eval().requires_grad_(False)

    @property
    def inner(self) -> nn.Module:
        """Return the layer whose output (B, 768, 17, 17) sFID takes its channels from."""
        return self.inception.blocks[2][6]  # Mixed_6d

    def forward(self, images: Tensor, blocks: Sequence[int] = (3,)) -> list[Tensor]:
        """Return the outputs of `blocks` for images (B, 3, H, W) in [0, 1] of any size."""
        self.inception.output_blocks = sorted(blocks)
        self.inception.last_needed_block = max(blocks)
        return self.inception(images.contiguous(memory_format=torch.contiguous_format))


def _package() -> ModuleType:
    """Import the package. No job of the workflow needs it, so an environment may lack it."""
    try:
        # Imports torchvision, which takes a second.
        return importlib.import_module("pytorch_fid.inception")
    except ModuleNotFoundError as error:
        raise UserError(
            f"--network pytorch-fid needs the package {error.name}, which is not installed; run"
            f" pip install {PACKAGE}, or leave the option out"
        ) from None
