"""External negatives: PatchNCE against a bank of other images' patches, as in MoCo."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional as F

from cut.base import random_streams
from cut.methods.contract import Batch
from cut.methods.correspondence import Correspondence, Given
from cut.methods.cut import CITATION, Cut, Pair, chance_of_patch_nce, recorded_outputs
from cut.methods.cut_options import CutOptions
from cut.nets.losses import external_nce, patch_nce


class MocoOptions(CutOptions):
    """CUT's options, and those of the bank."""

    negatives: Literal["internal", "external", "both"] = Field(
        "external", description="patches of the same image, of the bank, or of both"
    )
    # Not specified: the formula suggests the trained encoder; MoCo never trains its keys.
    keys: Literal["live", "momentum"] = Field(
        "live", description="encoder of the positives, and of internal negatives"
    )
    # Not specified; the table's column "negatives" says 255 for these rows too.
    n_external: int = Field(
        255,
        ge=0,
        le=1_048_576,
        description="bank vectors drawn per step and layer as negatives (0: all)",
    )
    bank_size: int = Field(16384, ge=1, le=1_048_576, description="vectors per layer in a bank")
    n_enqueued: int = Field(
        256, ge=1, le=65_536, description="patches of each image added per step and layer"
    )
    momentum: float = Field(0.999, ge=0, le=1, description="of the moving averages, per step")
    # Not specified: a sum of two losses, or one softmax over all negatives.
    combine: Literal["softmax", "sum"] = Field(
        "softmax", description="for negatives: both, one softmax over all or the sum of two losses"
    )
    # Not specified: MoCo starts from random vectors; at 256 per step they last 64 steps.
    warm_up: Literal["random", "filled"] = Field(
        "random", description="start with random unit vectors, or with an empty bank"
    )
    # Not specified: in the source's bank, target images would differ by their domain alone.
    identity_bank: bool = Field(
        True, description="bank of target images for the identity term; false: internal negatives"
    )

    @model_validator(mode="after")
    def _sizes(self) -> MocoOptions:
        if self.n_external > self.bank_size:
            raise ValueError(f"n_external {self.n_external} exceeds bank_size {self.bank_size}")
        return self


def chance_level(options: Mapping[str, Any], term: str) -> float | None:
    """Return the value of `term` ("NCE" or "NCE_Y") where each query guesses; None if unknown."""
    internal = chance_of_patch_nce(options)
    negatives = options["negatives"]
    if negatives == "internal" or (term == "NCE_Y" and not options["identity_bank"]):
        return internal
    external = options["n_external"] or options["bank_size"]
    if negatives == "external":
        return math.log(external + 1)
    if internal is None:
        return None
    if options["combine"] == "sum":
        return internal + math.log(external + 1)
    return math.log(options["n_patches"] + external)


class Bank(nn.Module):
    """A ring buffer of unit vectors per layer: the newest replace the oldest.

    Args:
        size: vectors per layer, K.
        widths: C_l, the length of each layer's vectors.
        rng: draws the random vectors that the bank starts with.
        filled: whether these count as entries.
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
        """Return the entries of `layer`, (K, C), or fewer while the bank is filling up."""
        return getattr(self, f"vectors_{layer}")[: self.filled[layer]]

    def enqueue(self, layer: int, vectors: Tensor) -> None:
        """Add (M, C) `vectors` in order; they replace the oldest entries."""
        bank = getattr(self, f"vectors_{layer}")
        start = self.pointer[layer] + max(0, len(vectors) - self.size)
        vectors = vectors.detach()[-self.size :].to(bank.dtype)
        bank[(start + torch.arange(len(vectors), device=bank.device)) % self.size] = vectors
        self.pointer[layer] = (start + len(vectors)) % self.size
        self.filled[layer] = min(self.size, self.filled[layer] + len(vectors))

    def positions(self, n: int, rng: torch.Generator) -> list[Tensor]:
        """Draw `n` distinct entries of each layer, (n,); all of them for `n` = 0, or of fewer."""
        return [
            torch.randperm(filled, generator=rng)[:n] if 0 < n < filled else torch.arange(filled)
            for filled in self.filled
        ]

    def take(self, layer: int, positions: Tensor) -> Tensor:
        """Return a copy of entries, (n, C): the bank may change before the backward pass."""
        entries = self.vectors(layer)
        return entries[positions.to(entries.device, non_blocking=True)]

    def get_extra_state(self) -> dict[str, list[int]]:
        """Return the pointers, as a part of `state_dict`."""
        return {"pointer": list(self.pointer), "filled": list(self.filled)}

    def set_extra_state(self, state: dict[str, list[int]]) -> None:
        """Restore what `get_extra_state` returned."""
        self.pointer, self.filled = list(state["pointer"]), list(state["filled"])


def start_averages(method: Moco, _: Given) -> None:
    """Set the moving averages to the weights, as before the first step of a recording."""
    if hasattr(method, "G_average"):
        for average, live in ((method.G_average, method.G), (method.F_average, method.F)):
            average.load_state_dict(live.state_dict(), strict=False)


class Moco(Cut):
    """CUT with negatives from other images: a baseline of the CUT paper's section 4.2.

    Moving averages of encoder and heads (momentum 0.999) embed 256 patches of each image per step.
    The vectors b_j join a bank of 16,384 per layer, in which the newest replace the oldest.

        NCE = mean over l, i of
              -ln( exp(q_i.k_i/tau) / (exp(q_i.k_i/tau) + sum_j exp(q_i.b_j/tau)) )

    This loss takes the place of PatchNCE in CUT; `negatives: both` has internal negatives besides.

    Followed: the CUT paper's formula and its numbers (bank, momentum, patches, tau). The code of
    this baseline was never published. The recording is of CUT's networks in their authors' code
    with the queue of MoCo's (github.com/facebookresearch/moco).

    Different: what the paper leaves open is an option. The defaults follow its formula: keys by the
    trained encoder and 255 negatives drawn from the bank. As in MoCo would be `keys: momentum` and
    `n_external: 0`, the whole bank. The identity term has a bank of target images.

    Settings: CUT's.

    Passes: per pair of images, 2 of G, 2 of its encoder, and 2 of the averaged encoder without
    gradient.
    """

    name = "moco"
    summary = "CUT with negatives from a bank of other images' patches and moving averages (MoCo)"
    citation = f"{CITATION}, section 4.2; He, Fan, Wu, Xie, Girshick: Momentum Contrast, CVPR 2020"
    Options = MocoOptions
    authors = Correspondence(
        networks={f"bank_{t}/layer": f"banks.{t}/vectors_" for t in ("NCE", "NCE_Y")},
        outputs=recorded_outputs,
        prepare=start_averages,
    )
    losses = Cut.losses | {
        term: replace(Cut.losses[term], chance=partial(chance_level, term=term))
        for term in ("NCE", "NCE_Y")
    }

    def __init__(self, options: MocoOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        self.averaged: dict[str, list[Tensor]] = {}  # the step's features by the moving averages
        self.banks = nn.ModuleDict()
        if o.lambda_nce == 0 or (o.negatives == "internal" and o.keys == "live"):
            return
        # Initially equal to the trained networks; nothing is drawn.
        self.G_average = self.G.encoder(max(o.nce_layers)).requires_grad_(False)
        self.F_average = copy.deepcopy(self.F).requires_grad_(False)
        if o.negatives == "internal":
            return
        channels = self.G.channels(o.nce_layers)
        widths = [o.width] * len(channels) if o.projection == "mlp" else channels
        for term in self._terms:
            if term == "NCE" or o.identity_bank:
                rng = random_streams.generator(seed, "initialisation", "bank", term)
                self.banks[term] = Bank(o.bank_size, widths, rng, o.warm_up == "random")

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the averages, take CUT's step, then add to the banks."""
        if not hasattr(self, "G_average"):
            return super().step(batch)
        self._move_averages()
        with torch.no_grad():
            images = torch.cat(batch) if len(self._terms) == 2 else batch.source
            maps = self.G_average.encode(images, self.options.nce_layers)
            split = [f.chunk(len(self._terms)) for f in maps]
            self.averaged = {t: [f[i] for f in split] for i, t in enumerate(self._terms)}
        losses = super().step(batch)
        self._fill_banks()
        self.averaged = {}
        return losses

    def embed_pairs(
        self, term: str, q: Sequence[Tensor], k: Sequence[Tensor], ids: Sequence[Tensor]
    ) -> list[Pair]:
        """Return queries and keys, each (N, P, C), per layer; keys perhaps by the averages."""
        if self.options.keys == "live":
            return super().embed_pairs(term, q, k, ids)
        with torch.no_grad():
            keys = self.F_average(self.averaged[term], ids)
        return list(zip(self.query_heads(q, ids), keys, strict=True))

    def contrast(self, term: str, pairs: Sequence[Pair]) -> Tensor:
        """Return one term's loss, a scalar: the mean over layers."""
        bank = self.banks[term] if term in self.banks else None  # noqa: SIM401 - has no get
        n = self.options.n_external
        external: list[Tensor | None] = [None] * len(pairs)
        if bank:
            ids = bank.positions(0, self.rng)
            if n:
                ids = self.draw("external_ids", lambda rng: bank.positions(n, rng))
            external = [bank.take(layer, positions) for layer, positions in enumerate(ids)]
        terms = [self._layer_loss(*pair, more) for pair, more in zip(pairs, external, strict=True)]
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

    @torch.no_grad()
    def _move_averages(self) -> None:
        """Move the averages towards the trained weights, before the keys are computed."""
        pairs = ((self.G_average, self.G), (self.F_average, self.F))
        for average, live in pairs:
            weights = dict(live.named_parameters())
            for name, value in average.named_parameters():
                value.lerp_(weights[name], 1 - self.options.momentum)

    @torch.no_grad()
    def _fill_banks(self) -> None:
        """Add patches of the step's images, embedded by the averages."""
        for term, bank in self.banks.items():
            maps = self.averaged[term]
            ids = self.draw_positions(maps, self.options.n_enqueued, "enqueue_ids")
            for layer, z in enumerate(self.F_average(maps, ids)):
                bank.enqueue(layer, z.flatten(0, 1))  # N,P,C -> N*P,C
