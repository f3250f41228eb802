"""The losses: PatchNCE and the least-squares GAN terms."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

# The published code does not remove a query's own key from the negatives but gives it this cosine.
SELF_COSINE = -10.0


def patch_nce(q: Tensor, k: Tensor, tau: float = 0.07, across_batch: bool = False) -> Tensor:
    """Return the PatchNCE loss of one layer, a scalar (CUT eq. 3; its value at random is ln P).

    Each query is to be told from the other patches of its own image by its key.

    Args:
        q: (N, P, C) unit vectors of the translation.
        k: (N, P, C) unit vectors of the input at the same positions; gets no gradient.
        tau: temperature.
        across_batch: take the negatives from all N*P patches, not from the same image alone.
    """
    k = k.detach()
    if across_batch:
        q, k = q.flatten(0, 1)[None], k.flatten(0, 1)[None]  # N,P,C -> 1,N*P,C
    cosine = q @ k.transpose(1, 2)  # N,P,P
    # The positive stands on the diagonal; one more column holds the overwritten self-negative.
    own = cosine.new_full((*cosine.shape[:2], 1), SELF_COSINE)
    logits = torch.cat([cosine, own], dim=2).flatten(0, 1) / tau  # N*P,P+1
    target = torch.arange(k.shape[1], device=q.device).repeat(k.shape[0])
    return F.cross_entropy(logits, target)


def multilayer_patch_nce(
    queries: Sequence[Tensor], keys: Sequence[Tensor], tau: float, across_batch: bool = False
) -> Tensor:
    """Return the mean of `patch_nce` over layers.

    The paper sums over layers and positions; its code, followed here, takes means.
    """
    terms = [patch_nce(q, k, tau, across_batch) for q, k in zip(queries, keys, strict=True)]
    return torch.stack(terms).mean()


def lsgan(prediction: Tensor, real: bool) -> Tensor:
    """Return the mean squared distance of the discriminator's map from 1 (real) or 0 (fake)."""
    return F.mse_loss(prediction, torch.full_like(prediction, float(real)))
