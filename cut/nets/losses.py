"""The losses: PatchNCE and the least-squares GAN terms."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

# The published code does not remove a query's own key from the negatives but gives it this cosine.
SELF_COSINE = -10.0


def patch_nce(
    q: Tensor,
    k: Tensor,
    tau: float = 0.07,
    across_batch: bool = False,
    *,
    external: Tensor | None = None,
    key_gradient: bool = False,
) -> Tensor:
    """Return the PatchNCE loss of one layer, a scalar (CUT eq. 3; its value at random is ln P).

    Each query is to be told from the other patches of its own image by its key; with `external`,
    from those vectors too, in one softmax.

    Args:
        q: (N, P, C) unit vectors of the translation.
        k: (N, P, C) unit vectors of the input at the same positions.
        tau: temperature.
        across_batch: take the negatives from all N*P patches, not from the same image alone.
        external: (K, C) unit vectors from elsewhere, further negatives of every query.
        key_gradient: let the keys be trained; the published code detaches them.
    """
    if not key_gradient:
        k = k.detach()
    if across_batch:
        q, k = q.flatten(0, 1)[None], k.flatten(0, 1)[None]  # N,P,C -> 1,N*P,C
    cosine = q @ k.transpose(1, 2)  # N,P,P
    # The positive stands on the diagonal; one more column holds the overwritten self-negative.
    columns = [cosine, cosine.new_full((*cosine.shape[:2], 1), SELF_COSINE)]
    if external is not None:
        columns.append(q @ external.detach().T)  # N,P,K
    logits = torch.cat(columns, dim=2).flatten(0, 1) / tau  # N*P,P+1(+K)
    target = torch.arange(k.shape[1], device=q.device).repeat(k.shape[0])
    return F.cross_entropy(logits, target)


def external_nce(
    q: Tensor, k: Tensor, external: Tensor, tau: float = 0.07, *, key_gradient: bool = False
) -> Tensor:
    """Return the contrastive loss of one layer with external negatives alone, a scalar.

    Each query is to be told from the K vectors of `external`, which are no patches of its image,
    by its key (the paper's MoCo-style baseline; its value at random is ln(K + 1)). Shapes as in
    `patch_nce`.
    """
    if not key_gradient:
        k = k.detach()
    positive = (q * k).sum(2, keepdim=True)  # N,P,1
    logits = torch.cat([positive, q @ external.detach().T], dim=2).flatten(0, 1) / tau  # N*P,1+K
    return F.cross_entropy(logits, torch.zeros(len(logits), dtype=torch.long, device=q.device))


def multilayer_patch_nce(
    queries: Sequence[Tensor],
    keys: Sequence[Tensor],
    tau: float,
    across_batch: bool = False,
    *,
    key_gradient: bool = False,
) -> Tensor:
    """Return the mean of `patch_nce` over layers.

    The paper sums over layers and positions; its code, followed here, takes means.
    """
    terms = [
        patch_nce(q, k, tau, across_batch, key_gradient=key_gradient)
        for q, k in zip(queries, keys, strict=True)
    ]
    return torch.stack(terms).mean()


def lsgan(prediction: Tensor, real: bool) -> Tensor:
    """Return the mean squared distance of the discriminator's map from 1 (real) or 0 (fake)."""
    return F.mse_loss(prediction, torch.full_like(prediction, float(real)))
