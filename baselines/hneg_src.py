"""Hneg-SRC: semantic relations and hard negatives for CUT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from pydantic import Field
from torch import Tensor

from cut.methods.contract import Batch
from cut.methods.cut import Cut, Pair
from cut.methods.cut_options import CutOptions
from cut.methods.loss import Loss
from cut.nets.losses import SELF_COSINE, match_positive
from cut.nets.networks import unit


class HnegSrcOptions(CutOptions):
    """CUT's options with the weights of the authors' script for horse2zebra."""

    lambda_nce: float = Field(0.1, ge=0, le=1000, description="weight of hDCE")
    lambda_src: float = Field(0.05, ge=0, le=1000, description="weight of SRC")
    gamma: float = Field(50.0, gt=0, le=10000, description="hardness of negatives at the start")
    gamma_end: float = Field(10.0, gt=0, le=10000, description="hardness of negatives at the end")
    # The script for cityscapes has 200.
    gamma_one_after: int = Field(
        0, ge=0, le=100000, description="epoch after which the hardness is 1; 0: never"
    )


class HnegSrc(Cut):
    """CUT that keeps the similarities among the patches of an image, with weighted negatives.

    SRC asks that patches of the translation be as similar to each other as those of the input. hDCE
    is a contrastive loss without the positive in the denominator, whose negatives are weighted by
    their similarity in the input.

        p    = softmax of q_i.q_j over i,  r = that of k_i.k_j,  m = (p + r)/2
        SRC  = mean over l of 1/2 sum_ij (p_ij ln(p_ij/m_ij) + r_ij ln(r_ij/m_ij))
        u_ij = exp((k_i.k_j - max over j' != i of k_i.k_j') / gamma)
        hDCE = mean over l, i of ln sum_{j != i} exp((u_ij q_i.k_j - q_i.k_i)/tau)
        G and H minimise  L_GAN + lambda_nce (hDCE(x) + hDCE(y)) / 2 + lambda_src SRC(x)

    The hardness gamma moves linearly from `gamma` to `gamma_end` during the training.

    Followed: the authors' release (github.com/jcy132/Hneg_SRC) where it differs from the paper: the
    weight multiplies the cosine and not its exponential. SRC is a sum over all pairs of patches.
    All terms share one draw of positions. The value of hDCE in the history is the usual
    cross-entropy, as the release prints it, while the gradient is that of the formula.

    Different: nothing in the step at batch size 1, the only one that the release runs with. Here a
    larger batch gives the mean over its images.

    Settings: those of the release's script for horse2zebra, with 200 + 200 epochs and batch size 1.
    Without its flags the release has weights of 1, gamma 1 and no identity term.

    Passes: CUT's.
    """

    name = "hneg-src"
    summary = "Hneg-SRC: CUT with hard negatives and semantic relations"
    citation = (
        "Jung, Kwon, Ye: Exploring Patch-wise Semantic Relation for Contrastive Learning in I2I"
        " Translation Tasks, CVPR 2022"
    )
    Options = HnegSrcOptions
    authors = replace(
        Cut.authors,
        methods=("hneg_src",),
        options={
            "lambda_HDCE": "lambda_nce",
            "lambda_SRC": "lambda_src",
            "HDCE_gamma": "gamma",
            "HDCE_gamma_min": "gamma_end",
        },
        losses=[*Cut.authors.losses, "NCE = HDCE", "NCE_Y = HDCE_Y"],
    )
    losses = Cut.losses | {"SRC": Loss("semantic relation", weight="lambda_src")}

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Take CUT's step with one draw of positions for both terms."""
        self._positions: list[Tensor] = []
        return super().step(batch)

    def draw_positions(
        self, maps: Sequence[Tensor], n: int, name: str = "patch_ids"
    ) -> list[Tensor]:
        """Draw the positions of the step once."""
        self._positions = self._positions or super().draw_positions(maps, n, name)
        return self._positions

    @property
    def hardness(self) -> float:
        """Return gamma in the current epoch."""
        o = self.options
        if 0 < o.gamma_one_after < self.epoch:
            return 1.0
        return o.gamma + (o.gamma_end - o.gamma) * self.epoch / self.epochs

    def other_terms(self, term: str, pairs: Sequence[Pair]) -> dict[str, Tensor]:
        """Return SRC of the translations, the mean over layers."""
        if term != "NCE" or not self.options.lambda_src:
            return {}
        terms = [semantic_relation(*pair) for pair in pairs]
        return {"SRC": torch.stack(terms).mean() * self.options.lambda_src}

    def patch_loss(self, q: Tensor, k: Tensor) -> Tensor:
        """Return the hDCE of one layer, a scalar, of (N, P, C) unit vectors.

        Its value is the usual cross-entropy, which the authors print. Its gradient is that of the
        loss without the positive in the denominator.
        """
        tau = self.options.tau
        k = k.detach()
        diagonal = torch.eye(k.shape[1], dtype=torch.bool, device=k.device)
        among_keys = _cosines(k).masked_fill(diagonal, SELF_COSINE)  # N,P,P
        weights = (among_keys / self.hardness).softmax(dim=2)
        weights = weights / weights.amax(dim=2, keepdim=True)
        negatives = (weights * (q @ k.transpose(1, 2))).masked_fill(diagonal, SELF_COSINE)
        positive = (q * k).sum(2, keepdim=True)  # N,P,1
        decoupled = torch.logsumexp((negatives - positive) / tau, dim=2).mean()
        shown = match_positive(positive, negatives, tau)
        return decoupled + (shown - decoupled).detach()


def semantic_relation(q: Tensor, k: Tensor) -> Tensor:
    """Return the Jensen-Shannon divergence of the similarities among q and among k, a scalar.

    It is summed over all pairs of patches of (N, P, C) vectors and averaged over images.
    """
    p, r = (_cosines(v).softmax(dim=1) for v in (q, k.detach()))  # columns sum to 1
    middle = ((p + r) / 2).log()
    divergence = p * (p.log() - middle) + r * (r.log() - middle)
    return divergence.sum((1, 2)).mean() / 2


def _cosines(v: Tensor) -> Tensor:
    """Return the similarities (N, P, P) of (N, P, C) vectors, which the authors scale again."""
    v = unit(v)
    return v @ v.transpose(1, 2)
