"""The losses: PatchNCE and the least-squares GAN terms."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
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

    Each query must match its key against the other patches of the same image, and with `external`
    against these vectors too, in one softmax.

    Args:
        q: (N, P, C) unit vectors of the translation.
        k: (N, P, C) unit vectors of the input at the same positions.
        tau: temperature.
        across_batch: take the negatives from all N*P patches instead of the same image.
        external: (K, C) unit vectors from elsewhere, further negatives of every query.
        key_gradient: whether the keys get a gradient; the published code detaches them.
    """
    if not key_gradient:
        k = k.detach()
    if across_batch:
        q, k = q.flatten(0, 1)[None], k.flatten(0, 1)[None]  # N,P,C -> 1,N*P,C
    cosine = q @ k.transpose(1, 2)  # N,P,P
    # The positive is on the diagonal; the extra column is the overwritten self-negative.
    columns = [cosine, cosine.new_full((*cosine.shape[:2], 1), SELF_COSINE)]
    if external is not None:
        columns.append(q @ external.detach().T)  # N,P,K
    logits = torch.cat(columns, dim=2).flatten(0, 1) / tau  # N*P,P+1(+K)
    target = torch.arange(k.shape[1], device=q.device).repeat(k.shape[0])
    return F.cross_entropy(logits, target)


def external_nce(
    q: Tensor, k: Tensor, external: Tensor, tau: float = 0.07, *, key_gradient: bool = False
) -> Tensor:
    """Return the contrastive loss of one layer with external negatives only, a scalar.

    Each query must match its key against the K vectors of `external`, which are no patches of its
    image (the paper's MoCo-style baseline; its value at random is ln(K + 1)). Shapes as in
    `patch_nce`.
    """
    if not key_gradient:
        k = k.detach()
    return match_positive((q * k).sum(2, keepdim=True), q @ external.detach().T, tau)


def match_positive(positive: Tensor, negatives: Tensor, tau: float) -> Tensor:
    """Return the cross-entropy of the positive against the negatives, a scalar.

    Args:
        positive: (N, P, 1) similarity of each query with its key.
        negatives: (N, P, K) similarities with its negatives.
        tau: temperature.
    """
    logits = torch.cat([positive, negatives], dim=2).flatten(0, 1) / tau  # N*P,1+K
    target = torch.zeros(len(logits), dtype=torch.long, device=logits.device)
    return F.cross_entropy(logits, target)


def lsgan(prediction: Tensor, real: bool) -> Tensor:
    """Return the mean squared distance of the discriminator's map from 1 (real) or 0 (fake)."""
    return F.mse_loss(prediction, torch.full_like(prediction, float(real)))


def lsgan_terms(
    discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor
) -> dict[str, Tensor]:
    """Return the discriminator's terms "D_real" and "D_fake", for images (N, 3, H, W)."""
    # One pass for both: instance norm does not mix the images of a batch.
    prediction = discriminator(torch.cat([fake, real]))
    return {
        "D_real": lsgan(prediction[len(fake) :], real=True),
        "D_fake": lsgan(prediction[: len(fake)], real=False),
    }


def lsgan_discriminator(discriminator: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """Return the mean of the discriminator's two terms, for images (N, 3, H, W) without graph."""
    real_term = lsgan(discriminator(real), real=True)
    return (real_term + lsgan(discriminator(fake), real=False)) * 0.5
