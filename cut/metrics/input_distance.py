"""Distances between translations and their inputs, in inner maps of FID's Inception network.

`perceptual` has the form of LPIPS (Zhang et al. 2018, equation 1) but is not LPIPS: the network is
a different one, and no weights were fitted to human judgements. `self_similarity` compares the
similarities of positions inside each image (Shechtman and Irani 2007; Kolkin et al. 2019): it
measures whether the layout was kept, whatever the appearance. Both are 0 for an unchanged image.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from cut.base.image_files import counterparts
from cut.base.image_form import RGB, Form
from cut.metrics.per_image import mean_scores
from cut.metrics.score_group import Scores

NAMES = ("perceptual", "self_similarity")
# Blocks of pytorch-fid's Inception: maps of 73x73 and 35x35 positions, after a ReLU. In the next
# block, 17x17, artefacts of a translation weigh more than its layout: translations by trained
# methods are farther from their inputs there than unrelated images.
MAPS = (0, 1)
PROTOCOL = {
    "perceptual": "Inception blocks 0 and 1, unit channels, unlearned weights; not LPIPS",
    "self_similarity": "Inception block 1, cosines of all pairs of 35x35 positions",
}


def perceptual(a: Sequence[Tensor], b: Sequence[Tensor]) -> Tensor:
    """Return the content distance (B,) of images with maps `a` and `b`, each (B, C, H, W).

    The vector of each position is scaled to length 1; the squared distance of two such vectors is
    averaged over positions and over maps. Maps that are never negative give values in [0, 2].
    """
    each = [
        (normalize(x, dim=1) - normalize(y, dim=1)).square().sum(dim=1).mean(dim=(1, 2))
        for x, y in zip(a, b, strict=True)
    ]
    return torch.stack(each).mean(dim=0)


def self_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Return the difference (B,) of the self-similarities of maps (B, C, H, W).

    It is the mean absolute difference, over all pairs of positions, between their cosine in `a`
    and their cosine in `b`. Maps that are never negative give values in [0, 1]. Scaling or rotating
    all vectors of a map alike changes nothing.
    """
    return (_cosines(a) - _cosines(b)).abs().mean(dim=(1, 2))


def _cosines(x: Tensor) -> Tensor:
    """Return the cosines (B, HW, HW) of all pairs of positions."""
    unit = normalize(x, dim=1).flatten(2)  # (B, C, HW)
    return unit.transpose(1, 2) @ unit


class ContentDistance:
    """Accumulates both scores while the network runs over the translations."""

    def __init__(self, inputs: dict[Path, Path], form: Form = RGB) -> None:
        """Compare each translation with `inputs[translation]`, which is of `form`."""
        self.inputs, self.form = inputs, form
        self.values: list[Tensor] = []

    @classmethod
    def of(
        cls,
        translations: Sequence[Path],
        inputs: Sequence[Path],
        by_order: bool = False,
        form: Form = RGB,
    ) -> ContentDistance:
        """Pair the translations with their inputs, by name or by order.

        Real images, which are translations of no input, are paired by order as far as both lists
        go: this gives the distance between unrelated images.

        Raises:
            UserError: a translation has no input of its name, or an input no translation.
        """
        if by_order:
            return cls(dict(zip(translations, inputs, strict=False)), form)
        return cls(dict(counterparts(translations, inputs, "input")), form)

    def inputs_of(self, batch: Sequence[Path]) -> list[Path]:
        """Return the inputs of a batch of translations; fewer where the inputs end first."""
        return [self.inputs[path] for path in batch if path in self.inputs]

    def add(self, inputs: Sequence[Tensor], maps: Sequence[Tensor]) -> None:
        """Add a batch: the maps of the inputs and those of their translations."""
        if not inputs:
            return
        maps = [x[: len(inputs[0])] for x in maps]
        both = [perceptual(inputs, maps), self_similarity(inputs[-1], maps[-1])]
        self.values.append(torch.stack(both).double().cpu())  # (2, B)

    def scores(self) -> Scores:
        """Return the means over the images."""
        each = torch.cat(self.values, dim=1).numpy()  # (2, images)
        return mean_scores(dict(zip(NAMES, each, strict=True)), dict(PROTOCOL))
