"""MoNCE: PatchNCE whose negatives are weighted by optimal transport."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from cut.methods.cut import Cut
from cut.methods.cut_options import CutOptions
from cut.nets.losses import SELF_COSINE, match_positive


class MonceOptions(CutOptions):
    """CUT's options, and those of the transport."""

    # The authors' script for horse2zebra has 0.1, at batch size 12.
    epsilon: float = Field(1.0, gt=0, le=100, description="regularisation of the transport")
    cost: Literal["hard", "easy"] = Field(
        "hard", description="more weight for similar negatives, or for others"
    )
    negative_weight: float = Field(1.0, ge=0, le=1000, description="weight of all negatives")
    rounds: int = Field(50, ge=1, le=10000, description="rounds of Sinkhorn's algorithm")


class Monce(Cut):
    """CUT whose negatives have weights, which solve a transport problem.

    With `cost: hard` negatives that are similar to a query get more weight, with `cost: easy` less.

        s_ij = q_i.k_j (hard) or 1 - q_i.k_j (easy),  s_ii = -10
        T    = exp(s/epsilon), with rows and then columns scaled to sum 1, in 50 rounds (Sinkhorn)
        w_ij = (n_patches - 1) negative_weight T_ij + 1e-8
        loss = mean over l, i of
               -ln( exp(q_i.k_i/tau) / (exp(q_i.k_i/tau) + sum_{j != i} w_ij exp(q_i.k_j/tau)) )

    This loss takes the place of PatchNCE in CUT.

    Followed: the authors' release (github.com/fnzhan/MoNCE, its variant of CUT). The queries get a
    gradient through all rounds, the keys none. The factor n_patches - 1 stays where a layer has
    fewer positions.

    Different: nothing in the step.

    Settings: the defaults are those of the release, with 200 + 200 epochs and batch size 1. Its
    script for horse2zebra has epsilon 0.1 and batch size 12; those for other sets give an option
    that the released code does not have.

    Passes: CUT's.
    """

    name = "monce"
    summary = "MoNCE: CUT with negatives weighted by optimal transport"
    citation = (
        "Zhan, Zhang, Yu, Wu, Lu: Modulated Contrast for Versatile Image Synthesis, CVPR 2022"
    )
    Options = MonceOptions
    authors = replace(
        Cut.authors,
        options={"eps": "epsilon", "cost_type": "cost", "neg_term_weight": "negative_weight"},
    )

    def patch_loss(self, q: Tensor, k: Tensor) -> Tensor:
        """Return the loss of one layer, a scalar, of (N, P, C) unit vectors."""
        o = self.options
        cosine = q @ k.transpose(1, 2)  # N,P,P
        diagonal = torch.eye(k.shape[1], dtype=torch.bool, device=k.device)
        affinity = cosine if o.cost == "hard" else 1 - cosine
        plan = transport(affinity.masked_fill(diagonal, SELF_COSINE), o.epsilon, o.rounds)
        # The authors multiply by the option, also where a layer has fewer positions.
        weights = (o.n_patches - 1) * o.negative_weight * plan + 1e-8
        negatives = (cosine + o.tau * weights.log()).masked_fill(diagonal, SELF_COSINE)
        positive = (q * k).sum(2, keepdim=True)  # N,P,1
        return match_positive(positive, negatives, o.tau)


def transport(affinity: Tensor, epsilon: float, rounds: int) -> Tensor:
    """Return Sinkhorn's plan for (N, P, P) affinities: its columns sum to 1, its rows nearly."""
    kernel = (affinity / epsilon).exp()
    columns = torch.ones_like(kernel[:, :1])  # N,1,P
    for _ in range(rounds):
        rows = 1 / (kernel * columns).sum(2, keepdim=True)  # N,P,1
        columns = 1 / (kernel * rows).sum(1, keepdim=True)  # N,1,P
    return rows * kernel * columns
