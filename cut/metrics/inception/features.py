"""Features of a folder of images, and the file that keeps them.

The file holds `features` (N, 2048) and `spatial` (N, 2023) float32, `names` (N,), `protocol` (a
JSON object with every choice that the numbers depend on) and `translated` (the run that made the
images, or null). Without weights it has no rows, and the protocol says why.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from cut.base.errors import UserError, explain
from cut.base.files import replacing
from cut.base.tensor_files import check_archive
from cut.metrics.image_folder import ImageFolder
from cut.metrics.inception.weights import InceptionWeights, WeightsUnavailable
from cut.records.images import Translated
from cut.records.scores import Side

DIMS = 2048
CHANNELS = 7  # of the inner map, as Nash et al. 2021 take them
SPATIAL_DIMS = CHANNELS * 17 * 17
NO_MAPPING = (
    "the network sees three channels of 8 bits, and the data set says no rgb to make them of"
)


@dataclass(frozen=True)
class Features:
    """The features of a folder.

    Attributes:
        values: (N, 2048) float32; no rows when there were no weights.
        names: the N file names, in the order of the rows.
        protocol: what the values depend on; with `reason` when there are none.
        translated: the run that made the images, if a manifest names it.
        spatial: (N, 2023) float32, the first 7 channels of an inner map; None in a file from
            before they were kept.
    """

    values: np.ndarray
    names: list[str]
    protocol: Side
    translated: Translated | None = None
    spatial: np.ndarray | None = None

    @property
    def reason(self) -> str | None:
        """Return why there are no values, or None."""
        return self.protocol.reason


def save(features: Features, path: Path) -> None:
    """Write the features as npz, atomically."""
    translated = features.translated.model_dump_json() if features.translated else "null"
    spatial = {} if features.spatial is None else {"spatial": features.spatial}
    with replacing(path) as temporary, open(temporary, "wb") as file:
        np.savez(
            file,
            **spatial,
            features=features.values,
            names=np.array(features.names),
            protocol=np.array(features.protocol.model_dump_json()),
            translated=np.array(translated),
        )


def load(path: Path) -> Features:
    """Return the features in a file that `save` wrote.

    Raises:
        UserError: the file is missing, damaged, or of another kind.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}; expected features or a folder of images")
    try:
        features = _read(path)
    except ValidationError as error:
        reason = explain(error, Side, "key", "its protocol")
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - numpy raises almost anything for another kind
        reason = " ".join(str(error).split())
    else:
        rows = 0 if features.reason else len(features.names)
        for values, dims in ((features.values, DIMS), (features.spatial, SPATIAL_DIMS)):
            if values is None or (values.shape == (rows, dims) and np.isfinite(values).all()):
                continue
            raise UserError(
                f"{path} has features of shape {values.shape}, expected finite ({rows}, {dims});"
                " compute them again with python -m cut features"
            )
        return features
    raise UserError(
        f"{path} holds no features ({reason}); expected a file written by python -m cut features"
    )


def load_reference(path: Path) -> Features:
    """Return features of real images, as `load`.

    Where the images are beside the file, in a folder of its name, the features must be theirs.

    Raises:
        UserError: as `load`, or the images have changed since.
    """
    features, images = load(path), path.with_suffix("")
    if images.is_dir() and features.protocol.images_sha256 != ImageFolder(images).digest:
        raise UserError(
            f"{path} is of other images than those in {images}; compute it again with"
            " python -m cut features"
        )
    return features


def _read(path: Path) -> Features:
    check_archive(path)  # numpy does not read every part to its end, where the checksum is compared
    with np.load(path, allow_pickle=False) as file:
        if {"mu", "sigma"} <= set(file):
            raise UserError(
                f"{path} holds pytorch-fid's means and covariances, which are not enough for these"
                " scores; give the folder of images instead"
            )
        side = Side.model_validate_json(file["protocol"].item())
        if side.weights is None and side.reason is None:
            raise ValueError("its protocol names no weights")
        return Features(
            values=file["features"].astype(np.float32),
            spatial=file["spatial"].astype(np.float32) if "spatial" in file else None,
            names=file["names"].tolist(),
            protocol=side,
            translated=TypeAdapter(Translated | None).validate_json(file["translated"].item()),
        )


def check_reference(
    path: Path,
    reference: Features,
    weights: InceptionWeights | WeightsUnavailable,
    network: str = "fast",
) -> None:
    """Refuse features of another network or other weights; a distance to them means nothing.

    Raises:
        UserError: `reference`, from `path`, has no features although there are weights, or was
            computed with other weights or by another network.
    """
    if isinstance(weights, WeightsUnavailable) or reference.reason == NO_MAPPING:
        return
    if reference.reason:
        raise UserError(
            f"{path} has no features ({reference.reason}), but there are weights now; compute it"
            " again with python -m cut features, or give the folder of images"
        )
    side = reference.protocol
    theirs, ours = side.weights, weights.record
    if theirs.name != ours.name:
        raise UserError(
            f"{path} was computed with the weights {theirs.tensors_sha256[:12]}… "
            f"({theirs.source}), but these are {ours.tensors_sha256[:12]}… "
            f"({ours.source}); compute it again with these"
        )
    if side.network != network:
        raise UserError(
            f"{path} was computed by the network {side.network!r}, but these features are by"
            f" {network!r}; compute it again with --network {network}, or give the folder of images"
        )
