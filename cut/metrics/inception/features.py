"""Inception features of a folder of images, as pytorch-fid takes them, and a file to keep them.

The file holds `features` (N, 2048) float32, `names` (N,), and `protocol`, a JSON object with every
choice that the numbers depend on. Without weights it holds no rows, and the reason.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import zipfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from cut.base.errors import UserError
from cut.base.files import read_json, replacing, sha256_file
from cut.base.images import list_images, read_image
from cut.metrics.inception.network import build
from cut.metrics.inception.weights import (
    InceptionWeights,
    WeightsUnavailable,
    load_inception_state,
    network_of,
)
from cut.metrics.input_distance import MAPS, ContentDistance

DIMS = 2048
POOLED = 3  # the block whose features FID compares
BATCH_SIZE = 8  # on a CPU faster than 16, by a tenth
EXTRACTOR = "pytorch-fid InceptionV3, pool3"
RESIZE = "bilinear to 299x299, align_corners=False, no antialias"


@dataclass(frozen=True)
class Features:
    """The features of a folder.

    Attributes:
        values: (N, 2048) float32; no rows when there were no weights.
        names: the N file names, in the order of the rows.
        protocol: what the values depend on; with "reason" when there are none.
    """

    values: np.ndarray
    names: list[str]
    protocol: dict[str, Any]

    @property
    def reason(self) -> str | None:
        """Return why there are no values, or None."""
        return self.protocol.get("reason")


def extract(
    folder: Path,
    weights: InceptionWeights | WeightsUnavailable,
    device: torch.device | str = "cpu",
    batch_size: int = BATCH_SIZE,
    meta: dict[str, str] | None = None,
    content: ContentDistance | None = None,
) -> Features:
    """Return the features of all images in `folder`, in the order of their names.

    `meta` (such as data set and split) joins the protocol. Given the reason why there are no
    weights, all is recorded but the values. `content` sees the inner maps of the same pass.

    Raises:
        UserError: the folder (or that of the inputs) has no images, a damaged one, or images of
            more than one size.
    """
    paths = list_images(folder)
    h, w = one_size(paths)
    if content:
        one_size(sorted(content.inputs.values()))
    protocol: dict[str, Any] = {**(meta or {}), "images": len(paths), "size": [h, w]}
    protocol |= {"formats": _formats(paths), "images_sha256": images_digest(paths)}
    protocol |= {"extractor": EXTRACTOR, "resize": RESIZE, "dims": DIMS}
    names = [path.name for path in paths]
    if isinstance(weights, WeightsUnavailable):
        protocol["reason"] = str(weights)
        return Features(np.zeros((0, DIMS), np.float32), names, protocol)
    network = build(load_inception_state(weights.path)).to(device)
    blocks = (*MAPS, POOLED) if content else (POOLED,)
    protocol["weights"] = weights_record(weights)
    batches = [paths[i : i + batch_size] for i in range(0, len(paths), batch_size)]
    rows = []
    for batch in tqdm(batches, desc=f"features of {folder.name}", unit="batch", disable=None):
        with torch.inference_mode(), full_precision():
            *maps, pooled = network(_batch(batch, device), blocks)
            rows.append(pooled.flatten(1).cpu().numpy())  # (B, 2048)
            if content:
                inputs = content.inputs_of(batch)
                # Of the inputs only the inner maps are wanted, a fraction of the work.
                content.add(network(_batch(inputs, device), MAPS) if inputs else [], maps)
    return Features(np.concatenate(rows), names, protocol)


def _formats(paths: Sequence[Path]) -> list[str]:
    """Return the kinds of files, by their names: JPEG changes a FID that PNG does not."""
    kinds = {path.suffix[1:].upper() for path in paths}
    return sorted({{"JPG": "JPEG", "TIF": "TIFF"}.get(kind, kind) for kind in kinds})


def _batch(paths: Sequence[Path], device: torch.device | str) -> Tensor:
    """Return the images as one float32 tensor (B, 3, H, W) in [0, 1]."""
    x = torch.stack([_tensor(path) for path in paths]).to(device)
    return x.contiguous(memory_format=torch.channels_last)


def full_precision() -> AbstractContextManager[None]:
    """Keep a GPU from rounding convolutions to TF32: a score must not depend on the device."""
    return torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)


def weights_record(weights: InceptionWeights) -> dict[str, str]:
    """Return what a protocol says of the weights: not where they lay."""
    return {"source": weights.source, "tensors_sha256": weights.tensors_sha256}


def _pixels(path: Path) -> Image.Image:
    """Return the image as pytorch-fid reads it: transparency dropped, no turning upright.

    Only 16-bit greyscale differs: pytorch-fid clips it to white, here it is scaled.
    """
    with contextlib.suppress(Exception), Image.open(path) as image:
        if image.mode[0] not in "IF":
            return image.convert("RGB")
    return read_image(path)  # scales 16 bits, and raises the sentence for a damaged file


def _size(path: Path) -> tuple[int, int]:
    """Return (width, height) as the file's head gives it."""
    with contextlib.suppress(Exception), Image.open(path) as image:
        return image.size
    return read_image(path).size


def _tensor(path: Path) -> Tensor:
    """Return the image as float32 (3, H, W) in [0, 1]."""
    levels = torch.from_numpy(np.array(_pixels(path)))  # (H, W, 3)
    return levels.permute(2, 0, 1).float().div(255)


def one_size(paths: list[Path]) -> tuple[int, int]:
    """Return (height, width) of all the images.

    Raises:
        UserError: they differ, so no protocol says how to batch them.
    """
    first = _size(paths[0])
    for path in paths[1:]:
        size = _size(path)
        if size != first:
            raise UserError(
                f"{path} is {size[0]}x{size[1]} but {paths[0].name} is {first[0]}x{first[1]}; "
                "the images of a folder must have one size to be scored, so resize them first"
            )
    return first[1], first[0]


def images_digest(paths: list[Path]) -> str:
    """Return the sha256 over the names and contents of the files, in order."""
    lines = "".join(f"{path.name} {sha256_file(path)}\n" for path in paths)
    return hashlib.sha256(lines.encode()).hexdigest()


def save(features: Features, path: Path) -> None:
    """Write the features as npz, atomically."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            features=features.values,
            names=np.array(features.names),
            protocol=np.array(json.dumps(features.protocol)),
        )


def load(path: Path) -> Features:
    """Return the features in a file that `save` wrote.

    Raises:
        UserError: it is missing, damaged, or no such file.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}; expected features or a folder of images")
    try:
        with np.load(path, allow_pickle=False) as file:
            if {"mu", "sigma"} <= set(file):
                raise UserError(
                    f"{path} holds pytorch-fid's means and covariances, which are not enough for"
                    " these scores; give the folder of images instead"
                )
            values, names = file["features"].astype(np.float32), file["names"].tolist()
            protocol = dict(json.loads(file["protocol"].item()))
            if "reason" not in protocol and {"source", "tensors_sha256"} - set(protocol["weights"]):
                raise ValueError("it does not say of which weights")
    # A file of another kind raises any of these.
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path} holds no features ({' '.join(str(error).split())}); expected a file written "
            "by python -m cut features"
        ) from None
    rows = 0 if "reason" in protocol else len(names)
    if values.shape != (rows, DIMS) or not np.isfinite(values).all():
        raise UserError(
            f"{path} has features of shape {values.shape}, expected finite ({rows}, {DIMS}); "
            "compute them again with python -m cut features"
        )
    return Features(values, names, protocol)


def check_reference(
    path: Path, reference: Features, weights: InceptionWeights | WeightsUnavailable
) -> None:
    """Refuse features of a network other than `weights`: their distances would mean nothing.

    Raises:
        UserError: `reference`, from `path`, has no features though there are weights, or has those
            of other weights.
    """
    if isinstance(weights, WeightsUnavailable):
        return
    if reference.reason:
        raise UserError(
            f"{path} has no features ({reference.reason}), though there are weights now; compute "
            "it again with python -m cut features, or give the folder of images"
        )
    theirs, ours = reference.protocol["weights"], weights_record(weights)
    if network_of(theirs) != network_of(ours):
        raise UserError(
            f"{path} was computed with the weights {theirs['tensors_sha256'][:12]}… "
            f"({theirs['source']}), but these are {ours['tensors_sha256'][:12]}… "
            f"({ours['source']}); compute it again with these"
        )


def read_weights_json(path: Path) -> InceptionWeights | WeightsUnavailable:
    """Return what `python -m cut inception` found, or its reason for finding nothing.

    Raises:
        UserError: the record is unreadable, or the weights are gone.
    """
    record = read_json(path)
    if isinstance(record, dict) and set(record) == {"reason"}:
        return WeightsUnavailable(record["reason"])
    try:
        found = InceptionWeights(Path(record["path"]), record["source"], record["tensors_sha256"])
    except (KeyError, TypeError):
        raise UserError(
            f"{path} doesn't say where weights are; write it with python -m cut inception"
        ) from None
    if not found.path.is_file():
        raise UserError(
            f"the weights {found.path} that {path} names are gone; "
            "run python -m cut inception again"
        )
    return found
