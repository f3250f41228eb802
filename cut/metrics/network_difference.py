"""How far the fast Inception network is from that of the pytorch-fid package."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cut.metrics.fid import fid
from cut.metrics.image_folder import ImageFolder
from cut.metrics.inception.extract import Extractor
from cut.metrics.inception.features import Features
from cut.metrics.inception.weights import WeightsUnavailable
from cut.records.scores import NetworkDifference


def fast_network_difference(
    real: Path, images: ImageFolder, reference: Features, given: Features, extractor: Extractor
) -> NetworkDifference | None:
    """Return how far the fast network is from pytorch-fid's; None unless that computed `given`."""
    if extractor.network == "fast" or isinstance(extractor.weights, WeightsUnavailable):
        return None
    fast = Extractor(extractor.weights, extractor.device, extractor.batch_size)
    ours, theirs = [fast.features(images).values], [given.values]
    if real.is_dir():
        ours.append(fast.features(ImageFolder(real)).values)
        theirs.append(reference.values)
    apart = [relative_difference(a, b) for a, b in zip(ours, theirs, strict=True)]
    return NetworkDifference(features=max(apart), fid=_fid_difference(ours, theirs))


def relative_difference(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest |a_i - b_i| / |b_i| over the rows (Euclidean norms) of (N, D) features."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    return float((np.linalg.norm(a - b, axis=1) / np.linalg.norm(b, axis=1)).max())


def _fid_difference(ours: list[np.ndarray], theirs: list[np.ndarray]) -> float | None:
    """Return the relative difference of two FIDs, each of [translated, real] features."""
    if len(ours) < 2 or min(map(len, theirs)) < 2:
        return None
    a, b = fid(ours[1], ours[0]), fid(theirs[1], theirs[0])
    return abs(a - b) / b if b else None
