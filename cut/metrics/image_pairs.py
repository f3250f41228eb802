"""Scores of pairs of images by networks of their own: ST-LPIPS and the agreement of edges.

A translation is compared with its input and, by ST-LPIPS, with the true counterpart of the input.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm import tqdm

from cut.base.errors import UserError
from cut.base.image_files import counterparts
from cut.base.image_form import RGB, Form
from cut.metrics import hed, st_lpips
from cut.metrics.hed import Hed
from cut.metrics.image_folder import one_size
from cut.metrics.inception.extract import full_precision, unit_tensor
from cut.metrics.inception.features import NO_MAPPING
from cut.metrics.per_image import mean_scores
from cut.metrics.score_group import Scores
from cut.metrics.st_lpips import StLpips
from cut.metrics.wheels import WeightsUnavailable, WheelFile
from cut.records.networks import NetworksRecord

NAMES = ("st_lpips_input", "edges", "st_lpips_truth")
PIXELS = 8 * 256 * 256  # of the images of a batch, which bounds the memory for any size


@dataclass(frozen=True)
class Kind:
    """A network of its own.

    Attributes:
        file: where its weights are from.
        load: returns the network of a file.
        protocol: what its scores depend on.
        least: pixels of the shorter side that its images need.
    """

    file: WheelFile
    load: Callable[[Path], nn.Module]
    protocol: str
    least: int = 1

    def too_small(self, size: tuple[int, int]) -> str:
        """Return why images of a size (height, width) have no score, or ""."""
        return f"needs images of at least {self.least} pixels" if min(size) < self.least else ""


# By the name that `python -m cut networks` and a config's `extra_scores` give it.
KINDS = {
    "st_lpips": Kind(st_lpips.FILE, StLpips.load, st_lpips.PROTOCOL, st_lpips.LEAST),
    "edges": Kind(hed.FILE, Hed.load, hed.PROTOCOL),
}


def find_networks(names: Sequence[str]) -> NetworksRecord:
    """Return where the weights of the networks are, after fetching what is missing."""
    paths, missing = {}, {}
    for name in names:
        try:
            paths[name] = str(KINDS[name].file.find().resolve())
        except WeightsUnavailable as error:
            missing[name] = str(error)
    return NetworksRecord(paths=paths, missing=missing)


@dataclass(frozen=True)
class PairNetworks:
    """The networks that are there, and why another one is not, by name."""

    networks: Mapping[str, nn.Module]
    missing: Mapping[str, str]

    @classmethod
    def load(
        cls, record: NetworksRecord | None = None, device: torch.device | str = "cpu"
    ) -> PairNetworks:
        """Return the networks of a record on `device`; none without one.

        Raises:
            UserError: a file is gone, or another one.
        """
        record = record or NetworksRecord(paths={}, missing={})
        found = {
            name: kind.load(Path(record.paths[name])).to(device)
            for name, kind in KINDS.items()
            if name in record.paths
        }
        missing = {
            name: record.missing.get(name, f"not asked for (--networks, with {name})")
            for name in KINDS
            if name not in found
        }
        return cls(found, missing)


def score(
    translations: Sequence[Path],
    inputs: Mapping[Path, Path] | None,
    truths: Sequence[Path] | None,
    given: PairNetworks,
    device: torch.device | str = "cpu",
    forms: tuple[Form, Form] = (RGB, RGB),
) -> Scores:
    """Return the scores `NAMES` of translations.

    Args:
        translations: the images.
        inputs: the input of each translation, or of some.
        truths: the true counterparts of the inputs, which are those of the translations' names.
        given: the networks.
        device: where they are.
        forms: of the translations, which is that of the truths, and of the inputs.

    Raises:
        UserError: images of a pair differ in size, or a translation has no counterpart.
    """
    true = dict(counterparts(translations, truths)) if truths else None
    groups = []
    mine, of_inputs = forms
    for name, other, form, reason in (
        ("st_lpips_input", inputs, of_inputs, "no folder of inputs (--source, or --test)"),
        ("edges", inputs, of_inputs, "no folder of inputs (--source, or --test)"),
        ("st_lpips_truth", true, mine, "no true counterparts"),
    ):
        kind = name if name in KINDS else "st_lpips"
        if kind in given.missing:
            groups.append(Scores.none([name], given.missing[kind]))
        elif None in (mine.rgb, form.rgb):
            groups.append(Scores.none([name], NO_MAPPING))
        elif not other:
            groups.append(Scores.none([name], reason))
        elif small := KINDS[kind].too_small(one_size(list(other), mine)):
            groups.append(Scores.none([name], small))
        else:
            values = _over_pairs(name, given.networks[kind], other, device, (mine, form))
            groups.append(mean_scores({name: values.numpy()}, {kind: KINDS[kind].protocol}))
    return reduce(Scores.joined, groups)


def compare(network: nn.Module, a: Tensor, b: Tensor) -> Tensor:
    """Return what a network says of pairs (B,) of images (B, 3, H, W) in [0, 1]."""
    if isinstance(network, Hed):
        return hed.agreement(*(network(hed.enlarged(side)) for side in (a, b)))
    return network(a, b)


def _over_pairs(
    name: str,
    network: nn.Module,
    others: Mapping[Path, Path],
    device: torch.device | str,
    forms: tuple[Form, Form],
) -> Tensor:
    """Return what a network says of each pair, (pairs,) in float64."""
    both = (list(others), list(others.values()))
    size, theirs = (one_size(side, form) for side, form in zip(both, forms, strict=True))
    if size != theirs:
        raise UserError(
            f"the translations are {size[1]}x{size[0]} but the images to compare them with are"
            f" {theirs[1]}x{theirs[0]}; resize one to the other"
        )
    found = []
    for batch in tqdm(list(_batches(list(others.items()), size)), desc=name, disable=None):
        sides = [
            torch.stack([unit_tensor(path, form) for path in side]).to(device)
            for side, form in zip(zip(*batch, strict=True), forms, strict=True)
        ]
        with torch.inference_mode(), full_precision():
            found.append(compare(network, *sides).double().cpu())
    return torch.cat(found)


def _batches(
    pairs: Sequence[tuple[Path, Path]], size: tuple[int, int]
) -> Iterator[Sequence[tuple[Path, Path]]]:
    count = max(1, PIXELS // max(size[0] * size[1], hed.SIZE**2))
    for start in range(0, len(pairs), count):
        yield pairs[start : start + count]
