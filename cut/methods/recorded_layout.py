"""The memory layout of recordings of CUT with one image on a CPU; see docs/parity.md."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from cut.methods.cut import Cut
from cut.nets.networks import InstanceNorm, ProjectionHeads


class RecordedHeads(ProjectionHeads):
    """Projection heads that pick patches as the authors' code does, from a permuted map."""

    @staticmethod
    def gather(feature: Tensor, ids: Tensor) -> Tensor:
        """Return the (N, P, C) vectors at the flat positions `ids` of (N, C, H, W)."""
        return feature.permute(0, 2, 3, 1).flatten(1, 2)[:, ids, :]


def recorded_layout(cls: type[Cut]) -> type[Cut]:
    """Return a subclass of `cls` whose gradients lie in memory as those of the authors' code.

    With one image on a CPU, torch's instance norm returns a wrong gradient if the incoming one is
    channels-last. The authors' code meets this (it picks patches from a permuted map and encodes
    each translation by itself), so its recorded gradients at batch 1 are not the derivative of
    its loss. This project's are; only a replay asks for the recorded ones. See docs/parity.md.
    """

    class Recorded(cls):
        Heads = RecordedHeads

        def __init__(self, options: Any, seed: int = 0) -> None:
            super().__init__(options, seed)
            for module in self.G.modules():
                if isinstance(module, InstanceNorm):
                    module.guard = False

        def encode_queries(self, out: Tensor) -> list[Sequence[Tensor]]:
            terms = out.chunk(2 if self.options.identity else 1)
            return [self.G.encode(term, self.options.nce_layers) for term in terms]

    return Recorded
