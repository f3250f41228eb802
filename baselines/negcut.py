"""NEGCUT: CUT with negatives that a network generates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from pydantic import Field
from torch import Tensor, nn

from cut.methods.contract import Batch
from cut.methods.cut import Cut, Pair
from cut.methods.cut_options import CutOptions
from cut.methods.loss import Loss
from cut.methods.options import Weight
from cut.nets.losses import match_positive
from cut.nets.networks import ProjectionHeads, unit


class NegCutOptions(CutOptions):
    """CUT's options, and those of the negatives."""

    lambda_diversity: Weight = Field(1.0, description="weight of the negatives' diversity")
    noise_width: int = Field(64, ge=1, le=100_000, description="random numbers per negative")
    momentum: float = Field(
        0.9, ge=0, le=1, description="of the moving average of the heads, per step"
    )


class NegativeGenerator(nn.Module):
    """One two-layer perceptron per feature layer, from a mean vector and noise to a negative.

    Args:
        layers: number of feature layers.
        width: of the vectors.
        noise: random numbers per negative.
    """

    def __init__(self, layers: int, width: int, noise: int) -> None:
        super().__init__()
        for index in range(layers):
            linear = nn.Linear(width + noise, width), nn.ReLU(), nn.Linear(width, width)
            self.add_module(f"mlp_{index}", nn.Sequential(*linear))

    def forward(self, means: Sequence[Tensor], noise: Sequence[Tensor]) -> list[Tensor]:
        """Return (N, P, C) unit vectors of (N, C) means and (N, P, Z) noise, per layer."""
        out = []
        for index, (mean, z) in enumerate(zip(means, noise, strict=True)):
            repeated = mean[:, None].expand(-1, z.shape[1], -1)
            v = getattr(self, f"mlp_{index}")(torch.cat([repeated, z], dim=2))
            out.append(unit(v))
        return out


class NegCut(Cut):
    """CUT against a network that generates its negatives.

    A network N makes the negatives of an image from the mean c of its embedded patches and from
    noise. N learns to raise the contrastive loss and to keep its negatives apart; G learns to lower
    that loss. The heads F_ that give c are a moving average of the heads H.

        n_j = N(c, z_j),  z_j ~ N(0, 1)^64,  c = mean over all positions of F_(features of x)
        NCE = mean over l, i of
              -ln( exp(q_i.k_i/tau) / (exp(q_i.k_i/tau) + sum_j exp(q_i.n_j/tau)) )
        N minimises       -lambda_nce (NCE(x) + NCE(y)) / 2
                          - lambda_diversity |first half of the n_j - second half|
        G and H minimise  L_GAN + lambda_nce (NCE(x) + NCE(y)) / 2
        F_ becomes        0.9 F_ + 0.1 H after each step

    Followed: the authors' release (github.com/WeilunWang/NEGCUT). D is updated first, then N, then
    G and H with new noise. In the step of G, the negatives keep their gradient through N and F_
    into the encoder. The term of diversity sees the negatives of the last NCE only. F_ has a start
    of its own and is no copy of H.

    Different: nothing in the step.

    Settings: the defaults of the release, which it has for every data set, with 200 + 200 epochs
    and batch size 1.

    Passes: per pair of images, 2 of G, 2 of its encoder and 2 more of it without gradient; the
    heads embed all positions of the inputs. The release makes 8 passes of the encoder.
    """

    name = "negcut"
    summary = "NEGCUT: CUT with negatives that a network generates against it"
    citation = (
        "Wang, Zhou, Bao, Chen, Li: Instance-wise Hard Negative Example Generation for Contrastive"
        " Learning in Unpaired I2I Translation, ICCV 2021"
    )
    Options = NegCutOptions
    losses = Cut.losses | {
        "N": Loss("generator of negatives, total"),
        "N_NCE": Loss("PatchNCE before the generator's step", "cross-entropy, nats", "lambda_nce"),
        "N_NCE_Y": Loss("PatchNCE, identity, before it", "cross-entropy, nats", "lambda_nce"),
        "diversity": Loss("diversity of negatives", "L1", "lambda_diversity"),
    }
    authors = replace(
        Cut.authors,
        options={"lambda_MS_neg": "lambda_diversity"},
        losses=[
            *Cut.authors.losses,
            "N_NCE = phaseN_NCE",
            "N_NCE_Y = phaseN_NCE_Y",
            "diversity = phaseN_negatives_term",
        ],
    )

    def __init__(self, options: NegCutOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        layers = len(o.nce_layers)
        self.add(N=NegativeGenerator(layers, o.width, o.noise_width))
        self.adam(N="N")
        # Its own start, not a copy of the heads; a moving average from then on.
        self.add(F_=ProjectionHeads(self.G.channels(o.nce_layers), o.width))
        self.F_.requires_grad_(False)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update D, then N, then G and F together, then the average of the heads."""
        losses = super().step(batch)
        with torch.no_grad():
            for average, live in zip(self.F_.parameters(), self.F.parameters(), strict=True):
                average.lerp_(live, 1 - self.options.momentum)
        return losses

    def embed_pairs(
        self, term: str, q: Sequence[Tensor], k: Sequence[Tensor], ids: Sequence[Tensor]
    ) -> list[Pair]:
        """Return queries, keys and generated negatives, each (N, P, C), per layer."""
        pairs = super().embed_pairs(term, q, k, ids)
        everywhere = [torch.arange(m.shape[2] * m.shape[3], device=m.device) for m in k]
        means = [v.mean(dim=1) for v in self.F_(k, everywhere)]
        shapes = [(*pair[0].shape[:2], self.options.noise_width) for pair in pairs]
        drawn = self.draw("noise", lambda rng: [torch.randn(s, generator=rng) for s in shapes])
        noise = [z.to(mean, non_blocking=True) for z, mean in zip(drawn, means, strict=True)]
        # In N's own step the images and heads have no graph, and N has.
        with torch.enable_grad():
            negatives = self.N(means, noise)
        return [(*pair, n) for pair, n in zip(pairs, negatives, strict=True)]

    def patch_loss(self, q: Tensor, k: Tensor, negatives: Tensor) -> Tensor:
        """Return the loss of one layer, a scalar, of (N, P, C) unit vectors."""
        positive = (q * k).sum(2, keepdim=True)  # N,P,1
        return match_positive(positive, q @ negatives.transpose(1, 2), self.options.tau)

    def _generator_step(
        self, fake: Tensor, out: Tensor, keys: list[Tensor], flipped: bool
    ) -> dict[str, Tensor]:
        if self.options.lambda_nce == 0:
            return super()._generator_step(fake, out, keys, flipped)
        losses = self._negatives_step(out, keys, flipped)
        return losses | super()._generator_step(fake, out, keys, flipped)

    def _negatives_step(self, out: Tensor, keys: list[Tensor], flipped: bool) -> dict[str, Tensor]:
        """Let N raise the contrastive losses and keep its negatives apart."""
        o, losses = self.options, {}
        with torch.no_grad():
            terms = dict(self.embedded(self.encode_queries(out), keys, flipped))
        for name, pairs in terms.items():
            losses[f"N_{name}"] = self.contrast(name, pairs) * o.lambda_nce
        contrast = torch.stack(list(losses.values())).mean()
        last = [pair[2] for pair in list(terms.values())[-1]]
        halves = [n.split(n.shape[1] // 2, dim=1)[:2] for n in last]
        apart = torch.stack([(a - b).abs().mean() for a, b in halves]).mean()
        losses["diversity"] = -apart * o.lambda_diversity
        losses["N"] = losses["diversity"] - contrast
        return self.update("N", losses, total=losses["N"])
