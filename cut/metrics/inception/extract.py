"""Compute Inception features of a folder of images, as pytorch-fid does.

python -m cut features FOLDER OUT.npz --weights-json FILE.json [--meta dataset=NAME]
    [--network pytorch-fid]
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from tqdm import tqdm

from cut.base.image_form import RGB, Form
from cut.base.images import read_image, shown
from cut.metrics.image_folder import ImageFolder, one_size
from cut.metrics.inception.features import CHANNELS, DIMS, NO_MAPPING, SPATIAL_DIMS, Features
from cut.metrics.inception.network import build
from cut.metrics.inception.package_network import PackageNetwork
from cut.metrics.inception.weights import InceptionWeights, WeightsUnavailable
from cut.metrics.input_distance import MAPS, ContentDistance
from cut.records.images import fit_of
from cut.records.scores import Side

POOLED = 3  # the block whose features FID compares
BATCH_SIZE = 8  # on a CPU a tenth faster than 16
EXTRACTOR = "pytorch-fid InceptionV3, pool3"
RESIZE = "bilinear to 299x299, align_corners=False, no antialias"

Network = Literal["fast", "pytorch-fid"]
NETWORKS: dict[str, Callable[[dict[str, Tensor]], nn.Module]] = {
    "fast": build,
    "pytorch-fid": PackageNetwork,
}


class Extractor:
    """Computes features with one network and one set of weights; the network is loaded once."""

    def __init__(
        self,
        weights: InceptionWeights | WeightsUnavailable,
        device: torch.device | str = "cpu",
        batch_size: int = BATCH_SIZE,
        network: Network = "fast",
    ) -> None:
        self.weights, self.batch_size = weights, batch_size
        self.device = torch.device(device)
        self.network = network

    @cached_property
    def _network(self) -> nn.Module:
        network = NETWORKS[self.network](self.weights.state()).to(self.device)
        network.inner.register_forward_hook(self._keep_spatial)
        return network

    def _keep_spatial(self, _: nn.Module, __: object, inner: Tensor) -> None:
        # A copy: what the hook is given may be overwritten by the next layer.
        self._spatial = inner[:, :CHANNELS].contiguous().flatten(1).cpu().numpy()  # B,2023

    def features(
        self,
        images: ImageFolder,
        meta: dict[str, str] | None = None,
        content: ContentDistance | None = None,
    ) -> Features:
        """Return the features of all images, in the order of their names.

        Args:
            images: the folder.
            meta: `dataset` and `split` for the protocol.
            content: takes the inner maps of the same pass, and those of its inputs.

        Raises:
            UserError: an image is damaged, or the images (or the inputs) have several sizes.
        """
        protocol = self._protocol(images, meta or {})
        if content:
            one_size(sorted(content.inputs.values()), content.form)
        if protocol.reason is not None:
            none = {n: np.zeros((0, n), np.float32) for n in (DIMS, SPATIAL_DIMS)}
            return Features(none[DIMS], images.names, protocol, spatial=none[SPATIAL_DIMS])
        blocks = (*MAPS, POOLED) if content else (POOLED,)
        rows, spatial = [], []
        for batch in self._batches(images):
            with torch.inference_mode(), full_precision():
                *maps, pooled = self._network(self._tensor(batch, images.form), blocks)
                rows.append(pooled.flatten(1).cpu().numpy())  # (B, 2048)
                spatial.append(self._spatial)
                if content:
                    inputs = content.inputs_of(batch)
                    # The inputs need only the inner maps, a fraction of the work.
                    given = self._tensor(inputs, content.form) if inputs else None
                    content.add([] if given is None else self._network(given, MAPS), maps)
        inner = np.concatenate(spatial)
        return Features(np.concatenate(rows), images.names, protocol, spatial=inner)

    def _protocol(self, images: ImageFolder, meta: dict[str, str]) -> Side:
        missing = isinstance(self.weights, WeightsUnavailable)
        reason = str(self.weights) if missing else None
        if images.form.rgb is None:
            missing, reason = True, NO_MAPPING
        return Side(
            **meta,
            images=len(images),
            size=images.size,
            formats=images.formats,
            images_sha256=images.digest,
            extractor=EXTRACTOR,
            network=self.network,
            fit=fit_of(images.path),
            mapping=images.form.mapping,
            resize=RESIZE,
            dims=DIMS,
            weights=None if missing else self.weights.record,
            reason=reason,
        )

    def _batches(self, images: ImageFolder) -> tqdm[list[Path]]:
        paths, n = images.paths, self.batch_size
        batches = [paths[i : i + n] for i in range(0, len(paths), n)]
        title = f"features of {images.path.name}"
        return tqdm(batches, desc=title, unit="batch", disable=None)

    def _tensor(self, paths: Sequence[Path], form: Form = RGB) -> Tensor:
        """Return the images as one float32 tensor (B, 3, H, W) in [0, 1]."""
        x = torch.stack([unit_tensor(path, form) for path in paths]).to(self.device)
        return x.contiguous(memory_format=torch.channels_last)


def full_precision() -> AbstractContextManager[None]:
    """Keep a GPU from rounding convolutions to TF32: a score must not depend on the device."""
    return torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)


def unit_tensor(path: Path, form: Form = RGB) -> Tensor:
    """Return the image as float32 (3, H, W) in [0, 1]; one of another form by its mapping."""
    levels = torch.from_numpy(
        np.array(_pixels(path) if form == RGB else shown(path, form))
    )  # (H, W, 3)
    return levels.permute(2, 0, 1).float().div(255)


def _pixels(path: Path) -> Image.Image:
    """Return the image as pytorch-fid reads it: transparency dropped, EXIF rotation ignored.

    Only 16-bit greyscale differs: pytorch-fid clips it to white, here it is scaled.
    """
    with contextlib.suppress(Exception), Image.open(path) as image:
        if image.mode[0] not in "IF":
            return image.convert("RGB")
    return read_image(path)  # scales 16 bits, and raises a UserError for a damaged file
