"""External negatives: PatchNCE against a bank of other images' patches, as in MoCo.

The baseline of the CUT paper's section 4.2 (Park et al., ECCV 2020), whose code was never
published. What the paper gives: moving-average copies of encoder and projection heads (momentum
0.999), a bank of 16,384 vectors a layer, 256 patches of each source image added an iteration,
temperature 0.07. What it leaves open is an option here, its default as near to the paper's formula
as can be; He et al., CVPR 2020, whose conventions MoCo's are, is the other setting:

    as in the paper's formula (default)     keys: live,     n_external: 255
    as in MoCo                              keys: momentum, n_external: 0 (the whole bank)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from cut.base import random_streams
from cut.methods.contract import Batch
from cut.methods.cut import CITATION, Choices, Cut, CutOptions
from cut.nets.losses import external_nce, patch_nce


class MocoOptions(CutOptions):
    """CUT's options and those of the bank."""

    negatives: Literal["internal", "external", "both"] = Field(
        "external", description="patches of the same image, of the bank, or of both"
    )
    # Open in the paper: its formula reads as the encoder that is trained; MoCo's keys never are.
    keys: Literal["live", "momentum"] = Field(
        "live", description="encoder of the positives, and of internal negatives"
    )
    # Open in the paper; 255 as the table's column "negatives" says of these rows too.
    n_external: int = Field(
        255, ge=0, description="bank vectors drawn anew a step and layer as negatives (0: all)"
    )
    bank_size: int = Field(16384, ge=1, description="vectors a layer and bank")
    n_enqueued: int = Field(256, ge=1, description="patches of each image added a step and layer")
    momentum: float = Field(0.999, ge=0, le=1, description="of the moving averages, a step")
    # Open in the paper: the sum keeps the two tasks apart, one softmax makes one of them.
    combine: Literal["softmax", "sum"] = Field(
        "softmax", description="negatives both: one softmax over all, or two losses added"
    )
    # Open in the paper: MoCo begins with random vectors; at 256 a step they last 64 steps.
    warm_up: Literal["random", "filled"] = Field(
        "random", description="bank of random unit vectors at first, or only what was enqueued"
    )
    # Open in the paper: target images in the source's bank would be told apart by domain alone.
    identity_bank: bool = Field(
        True, description="a bank of target images for the identity term; false: internal negatives"
    )

    @model_validator(mode="after")
    def _sizes(self) -> MocoOptions:
        if self.n_external > self.bank_size:
            raise ValueError(f"n_external {self.n_external} exceeds bank_size {self.bank_size}")
        return self


class Bank(nn.Module):
    """A ring of unit vectors a layer: the newest replace the oldest.

    Args:
        size: vectors a layer, K.
        widths: C_l, the length of each layer's vectors.
        rng: draws the random vectors that it starts with.
        filled: whether those count as entries.
    """

    def __init__(
        self, size: int, widths: Sequence[int], rng: torch.Generator, filled: bool = True
    ) -> None:
        super().__init__()
        self.size = size
        self.pointer = [0] * len(widths)  # where the next vector goes
        self.filled = [size if filled else 0] * len(widths)
        for layer, width in enumerate(widths):
            vectors = F.normalize(torch.randn(size, width, generator=rng), dim=1)
            self.register_buffer(f"vectors_{layer}", vectors)

    def vectors(self, layer: int) -> Tensor:
        """Return the entries of `layer`, (K, C), or fewer while it is being filled."""
        return getattr(self, f"vectors_{layer}")[: self.filled[layer]]

    def enqueue(self, layer: int, vectors: Tensor) -> None:
        """Add (M, C) `vectors` in their order, over the oldest entries."""
        bank = getattr(self, f"vectors_{layer}")
        start = self.pointer[layer] + max(0, len(vectors) - self.size)
        vectors = vectors.detach()[-self.size :].to(bank.dtype)
        bank[(start + torch.arange(len(vectors), device=bank.device)) % self.size] = vectors
        self.pointer[layer] = (start + len(vectors)) % self.size
        self.filled[layer] = min(self.size, self.filled[layer] + len(vectors))

    def sample(self, layer: int, n: int, rng: torch.Generator) -> Tensor:
        """Return `n` distinct entries, (n, C); all of them for 0 or where there are fewer."""
        entries = self.vectors(layer)
        if n == 0 or n >= len(entries):
            # A copy: the bank changes before a caller who kept the graph could go back.
            return entries.clone()
        drawn = torch.randperm(len(entries), generator=rng)[:n]
        return entries[drawn.to(entries.device)]

    def get_extra_state(self) -> dict[str, list[int]]:
        """Return the pointers: a part of `state_dict`."""
        return {"pointer": list(self.pointer), "filled": list(self.filled)}

    def set_extra_state(self, state: dict[str, list[int]]) -> None:
        """Take back what `get_extra_state` gave."""
        self.pointer, self.filled = list(state["pointer"]), list(state["filled"])


class Moco(Cut):
    """CUT with external negatives; with `negatives: internal` it is CUT."""

    name = "moco"
    summary = "CUT with negatives from a bank of other images' patches and moving averages (MoCo)"
    citation = f"{CITATION}, section 4.2; He, Fan, Wu, Xie, Girshick: Momentum Contrast, CVPR 2020"
    Options = MocoOptions

    def __init__(self, options: MocoOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        self.averaged: dict[str, list[Tensor]] = {}  # the step's features by the moving averages
        self.banks: dict[str, Bank] = {}
        if o.lambda_nce == 0 or (o.negatives == "internal" and o.keys == "live"):
            return
        # Equal to the live networks at first: no draw of their own.
        self.G_average = self.G.encoder(max(o.nce_layers)).requires_grad_(False)
        self.F_average = self._copy_heads()
        self.carried |= {"G_average": self.G_average, "F_average": self.F_average}
        if o.negatives == "internal":
            return
        channels = self.G.channels(o.nce_layers)
        widths = [o.width] * len(channels) if o.projection == "mlp" else channels
        for term in self._terms:
            if term == "NCE" or o.identity_bank:
                rng = random_streams.generator(seed, "initialisation", "bank", term)
                self.banks[term] = Bank(o.bank_size, widths, rng, o.warm_up == "random")
                self.carried[f"bank_{term}"] = self.banks[term]

    def step(self, batch: Batch, choices: Choices | None = None) -> dict[str, Tensor]:
        """Move the averages, take CUT's step with their keys, then fill the banks."""
        if "G_average" not in self.carried:
            return super().step(batch, choices)
        self._move_averages()
        with torch.no_grad():
            images = torch.cat(batch) if len(self._terms) == 2 else batch.source
            maps = self.G_average.encode(images, self.options.nce_layers)
            split = [f.chunk(len(self._terms)) for f in maps]
            self.averaged = {t: [f[i] for f in split] for i, t in enumerate(self._terms)}
        losses = super().step(batch, choices)
        self._fill_banks()
        self.averaged = {}
        return losses

    def contrast(
        self, term: str, q: Sequence[Tensor], k: Sequence[Tensor], ids: Sequence[Tensor]
    ) -> Tensor:
        """Return one term's loss, the mean over layers."""
        o = self.options
        z_q = self.F_q(q, ids)
        if o.keys == "momentum":
            with torch.no_grad():
                z_k = self.F_average(self.averaged[term], ids)
        else:
            z_k = self.embed_keys(k, ids)
        bank = self.banks.get(term)
        terms = []
        for layer, (query, key) in enumerate(zip(z_q, z_k, strict=True)):
            external = bank.sample(layer, o.n_external, self.rng) if bank else None
            terms.append(self._layer_loss(query, key, external))
        return torch.stack(terms).mean()

    def _layer_loss(self, q: Tensor, k: Tensor, external: Tensor | None) -> Tensor:
        o = self.options
        keys: dict[str, Any] = {"key_gradient": o.key_gradient}
        if external is None:
            return patch_nce(q, k, o.tau, o.negatives_across_batch, **keys)
        if o.negatives == "external":
            return external_nce(q, k, external, o.tau, **keys)
        if o.combine == "sum":
            internal = patch_nce(q, k, o.tau, o.negatives_across_batch, **keys)
            return internal + external_nce(q, k, external, o.tau, **keys)
        return patch_nce(q, k, o.tau, o.negatives_across_batch, external=external, **keys)

    def _copy_heads(self) -> nn.Module:
        heads = type(self.F)(
            self.G.channels(self.options.nce_layers), self.options.width, self.F.mlp
        )
        heads.load_state_dict(self.F.state_dict())
        return heads.requires_grad_(False)

    @torch.no_grad()
    def _move_averages(self) -> None:
        """Move the averages a step towards the live weights, before the keys are computed."""
        pairs = ((self.G_average, self.G), (self.F_average, self.F))
        for average, live in pairs:
            weights = dict(live.named_parameters())
            for name, value in average.named_parameters():
                value.lerp_(weights[name], 1 - self.options.momentum)

    @torch.no_grad()
    def _fill_banks(self) -> None:
        """Add patches of the step's images, embedded by the averages, after the loss."""
        for term, bank in self.banks.items():
            maps = self.averaged[term]
            ids = [
                torch.randperm(f.shape[2] * f.shape[3], generator=self.rng)[
                    : self.options.n_enqueued
                ].to(f.device)
                for f in maps
            ]
            for layer, z in enumerate(self.F_average(maps, ids)):
                bank.enqueue(layer, z.flatten(0, 1))  # N,P,C -> N*P,C
