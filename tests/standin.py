"""Random weights shaped as FID's Inception, for tests that need a network and not that one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from unittest import mock

import numpy as np
import pytorch_fid.inception
import torch
from PIL import Image
from pytorch_fid.inception import InceptionV3

from cut.metrics.image_folder import ImageFolder
from cut.metrics.inception.network import template
from cut.records.images import Translated, TranslatedRecord
from cut.records.run import Role


def random_state(seed: int = 0) -> dict[str, torch.Tensor]:
    """Return a state dict whose features vary with the image.

    Kaiming's scale keeps the variance through 94 layers; with PyTorch's default the features would
    be constant, every FID 0, and no test of agreement could fail.
    """
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, like in template().state_dict().items():
        values = torch.zeros(like.shape, dtype=like.dtype)
        if name.endswith("conv.weight"):
            fan_in = like[0].numel()
            values = torch.randn(like.shape, generator=generator) * (2 / fan_in) ** 0.5
        elif name.endswith(("bn.weight", "running_var")):
            values += 1
        elif name.endswith("bn.bias"):
            values = torch.randn(like.shape, generator=generator) * 0.1
        state[name] = values
    return state


def pytorch_fids(state: dict[str, torch.Tensor], blocks: Sequence[int] = (3,)) -> InceptionV3:
    """Return the network of pytorch-fid itself with these weights in the place of its download."""
    with mock.patch.object(
        pytorch_fid.inception, "load_state_dict_from_url", lambda *_, **__: state
    ):
        return InceptionV3(blocks).eval()


def write_weights(path: Path, seed: int = 0) -> Path:
    """Write such weights to `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(random_state(seed), path)
    return path


def write_images(folder: Path, n: int, seed: int = 0, size: int = 32, tint: float = 0.0) -> Path:
    """Write `n` blotchy PNG images of `size` pixels, named 00.png and on."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for i in range(n):
        coarse = rng.uniform(0, 1, (4, 4, 3)) * (1 - tint * np.array([0, 0.5, 1]))
        image = Image.fromarray((coarse * 255).astype(np.uint8))
        image.resize((size, size), Image.Resampling.BICUBIC).save(folder / f"{i:02}.png")
    return folder


def write_manifest(folder: Path, role: Role = "method") -> Translated:
    """Write the manifest of the images in `folder`, as translating does; return its head."""
    images = ImageFolder(folder)
    head = Translated(
        dataset="pets",
        dataset_digest="d",
        method="row",
        algorithm="any",
        role=role,
        seed=0,
        size=images.size,
        epoch=3,
        iteration=30,
    )
    TranslatedRecord(translated=head, images=images.digests).write(folder / "manifest.json")
    return head
