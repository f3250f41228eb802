"""QS-Attn: PatchNCE at positions that attention chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from cut.methods.cut import Cut, Pair
from cut.methods.cut_options import CutOptions

WINDOW = 7  # width of the local window


class QsAttnOptions(CutOptions):
    """CUT's options, and those of the attention."""

    attention: Literal["global", "local", "local_global"] = Field(
        "global",
        description="attention over all positions, over a window, or positions chosen by a window"
        " and features of all positions",
    )
    random_layers: int = Field(
        3, ge=0, le=1000, description="of nce_layers, the first this many have random positions"
    )


class QsAttn(Cut):
    """CUT at the positions whose attention is the most concentrated, with attended features.

    On the first three layers the positions are random, as in CUT. On a deeper layer with C channels
    and HW positions, X (HW, C) are the features of the input and Y those of the translation.

        A   = softmax over each row of X X^T
        e_i = -sum_j A_ij ln A_ij
        S   = the n_patches positions with the lowest e
        k   = H(A_S X),  q = H(A_S Y),  both scaled to unit length

    PatchNCE compares these q and k. `attention: local` attends to a window of 7x7 positions in the
    place of all; `local_global` chooses S by the window and takes A_S from all positions.

    Followed: the authors' release (github.com/sapphire497/query-selected-attention). The queries
    get a gradient through A_S into the features of the input. In both kinds with a window, the
    release stores the windows in one order and reads them in another; this is kept.

    Different: nothing in the step. The release makes one more pass of the encoder and does not use
    it.

    Settings: those of the release: global attention, 200 + 200 epochs, batch size 1.

    Passes: CUT's. An attention matrix has (HW)^2 entries per layer, 4096^2 for images of 256
    pixels.
    """

    name = "qs-attn"
    summary = "QS-Attn: CUT at positions chosen by attention"
    citation = (
        "Hu, Zhou, Huang, Shi, Sun, Li: QS-Attn: Query-Selected Attention for Contrastive Learning"
        " in I2I Translation, CVPR 2022"
    )
    Options = QsAttnOptions
    authors = replace(
        Cut.authors,
        methods=("qs_global", "qs_local", "qs_local_global"),
        options={"QS_mode": "attention"},
    )

    def draw_positions(
        self, maps: Sequence[Tensor], n: int, name: str = "patch_ids"
    ) -> list[Tensor]:
        """Draw positions for the first layers; attention chooses those of the others."""
        return super().draw_positions(maps[: self.options.random_layers], n, name)

    def embed_pairs(
        self, term: str, q: Sequence[Tensor], k: Sequence[Tensor], ids: Sequence[Tensor]
    ) -> list[Pair]:
        """Return queries and keys, each (N, P, C), per layer."""
        n = len(ids)
        pairs = super().embed_pairs(term, q[:n], k[:n], ids)
        for layer in range(n, len(q)):
            queries, keys = self._attended(q[layer], k[layer])
            with torch.set_grad_enabled(self.options.key_gradient):
                embedded = self.F.embed(layer, keys)
            pairs.append((self.query_heads.embed(layer, queries), embedded))
        return pairs

    def _attended(self, q: Tensor, k: Tensor) -> tuple[Tensor, Tensor]:
        """Return the attended features (N, P, C) of two maps (N, C, H, W), q's and k's."""
        attention, n = self.options.attention, self.options.n_patches
        if attention == "local":
            weights = local_attention(k)  # N,HW,49
            chosen = lowest_entropy(weights, n)  # N,P
            rows = take(weights, chosen)  # N,P,49
            return attend_windows(rows, q, chosen), attend_windows(rows, k, chosen)
        weights = global_attention(k)  # N,HW,HW
        chosen = lowest_entropy(local_attention(k) if attention == "local_global" else weights, n)
        rows = take(weights, chosen)  # N,P,HW
        return rows @ vectors(q), rows @ vectors(k)


def vectors(maps: Tensor) -> Tensor:
    """Return (N, HW, C) vectors of (N, C, H, W) maps."""
    return maps.flatten(2).transpose(1, 2)


def global_attention(maps: Tensor) -> Tensor:
    """Return the attention of each position to all, (N, HW, HW): rows sum to 1."""
    x = vectors(maps)
    return (x @ x.transpose(1, 2)).softmax(dim=2)


def local_attention(maps: Tensor) -> Tensor:
    """Return the attention of each position to its window, (N, HW, 49): rows sum to 1.

    The window's values are stored channel by channel and read position by position: a slip of the
    authors' code that mixes both, and that the published numbers include.
    """
    n, c = maps.shape[:2]
    windows = F.unfold(maps, WINDOW, padding=WINDOW // 2)  # N,C*49,HW
    windows = windows.transpose(1, 2).reshape(n, -1, WINDOW**2, c)  # N,HW,49,C
    return (windows @ vectors(maps)[..., None]).squeeze(3).softmax(dim=2)


def attend_windows(weights: Tensor, maps: Tensor, chosen: Tensor) -> Tensor:
    """Return weights (N, P, 49) times the windows of `maps` at `chosen` (N, P): (N, P, C).

    The windows are laid out (C*49, P) per image and read as (P, 49, C), which mixes patches: the
    second slip of the authors' code.
    """
    n, c = maps.shape[:2]
    windows = F.unfold(maps, WINDOW, padding=WINDOW // 2)  # N,C*49,HW
    picked = windows.gather(2, chosen[:, None].expand(-1, windows.shape[1], -1))  # N,C*49,P
    picked = picked.reshape(n, -1, WINDOW**2, c)  # N,P,49,C
    return (weights[:, :, None] @ picked).squeeze(2)


def lowest_entropy(weights: Tensor, n: int) -> Tensor:
    """Return the positions (N, P) of the `n` rows of (N, HW, M) weights with the lowest entropy."""
    entropy = torch.special.entr(weights.detach()).sum(2)  # N,HW
    return entropy.argsort(dim=1)[:, :n]


def take(rows: Tensor, chosen: Tensor) -> Tensor:
    """Return the rows `chosen` (N, P) of (N, HW, M): (N, P, M)."""
    return rows.gather(1, chosen[..., None].expand(-1, -1, rows.shape[2]))
