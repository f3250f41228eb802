"""Block neural autoregressive flows, and the densities of a feature extractor's layers.

De Cao, Aziz and Titov, UAI 2019. Parameters have the names and places of DECENT's release, so that
recorded weights fit. Its masks are here the shape of the blocks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BlockLinear(nn.Module):
    """A linear layer of C blocks in and out, which is monotone and triangular in the blocks.

    Output block c depends on the input blocks up to c, and increases with block c. The raw weight R
    has its block diagonal exponentiated and the blocks above it left out; each row is then scaled
    to the length exp(d).

    Args:
        blocks: C.
        n_in: width of an input block.
        n_out: width of an output block.
    """

    def __init__(self, blocks: int, n_in: int, n_out: int) -> None:
        super().__init__()
        self.shape = blocks, n_out, blocks, n_in
        rows = blocks * n_out
        self._weight = nn.Parameter(torch.zeros(rows, blocks * n_in))  # R
        self._diag_weight = nn.Parameter(torch.zeros(rows, 1))  # d
        self.bias = nn.Parameter(torch.zeros(rows))

    def initialise(self, rng: torch.Generator) -> None:
        """Draw R from Xavier's uniform over the blocks in use, d from log U(0, 1), and the bias."""
        blocks, n_out, _, n_in = self.shape
        with torch.no_grad():
            for c in range(blocks):
                used = self._weight[c * n_out : (c + 1) * n_out, : (c + 1) * n_in]
                nn.init.xavier_uniform_(used, generator=rng)
            # 1 - U(0, 1) is never zero, whose logarithm would be infinite.
            self._diag_weight.uniform_(generator=rng).neg_().add_(1).log_()
            bound = len(self.bias) ** -0.5
            self.bias.uniform_(-bound, bound, generator=rng)

    def weight(self) -> tuple[Tensor, Tensor]:
        """Return the weight, (C*n_out, C*n_in), and the logarithms of its diagonal blocks.

        The second is (C, n_out, n_in).
        """
        raw = self._weight.view(self.shape)
        diagonal = raw.diagonal(dim1=0, dim2=2)  # n_out,n_in,C
        below = raw.new_ones(self.shape[0], self.shape[0]).tril(-1)[:, None, :, None]
        used = raw * below + torch.diag_embed(diagonal.exp(), dim1=0, dim2=2)
        weight = used.reshape(self._weight.shape)
        square = weight.square().sum(1, keepdim=True)
        log_scale = self._diag_weight - square.log() / 2
        logs = diagonal.permute(2, 0, 1) + log_scale.view(*self.shape[:2], 1)
        return log_scale.exp() * weight, logs

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (M, C*n_out) of (M, C*n_in), and the logarithms of the derivatives by blocks."""
        weight, logs = self.weight()
        return F.linear(x, weight, self.bias), logs


class BlockFlow(nn.Sequential):
    """One flow: C values to C*h, tanh, back to C; output c increases with input c.

    Args:
        channels: C.
        factor: h.
        gated: mix the output with the input by a learned share sigmoid(gate) of the output.
    """

    def __init__(self, channels: int, factor: int, gated: bool) -> None:
        # Places 0, 1 and 2 are those of the release.
        layers = BlockLinear(channels, 1, factor), nn.Tanh(), BlockLinear(channels, factor, 1)
        super().__init__(*layers)
        self.gate = nn.Parameter(torch.zeros(1)) if gated else None

    def initialise(self, rng: torch.Generator) -> None:
        """Draw both layers, and the gate from N(0, 1)."""
        for layer in (self[0], self[2]):
            layer.initialise(rng)
        if self.gate is not None:
            nn.init.normal_(self.gate, generator=rng)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the transform of (M, C) and ln dy_c/dx_c, both (M, C)."""
        a, first = self[0](x)  # M,C*h and C,h,1
        y, second = self[2](self[1](a))  # M,C and C,1,h
        # ln(1 - tanh(a)^2), without a difference of equal numbers
        bend = -2 * (a - math.log(2) + F.softplus(-2 * a))
        paths = first[:, :, 0] + bend.view(len(x), *first.shape[:2]) + second[:, 0]
        slope = paths.logsumexp(2)
        if self.gate is None:
            return y, slope
        share = self.gate.sigmoid()
        mixed = share * y + (1 - share) * x
        return mixed, F.softplus(slope + self.gate) - F.softplus(self.gate)


class Reversal(nn.Module):
    """Reverse the order of the values, so that the next flow conditions the other way round."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return (M, C) reversed, and the logarithms of its derivatives, zeros."""
        return x.flip(1), torch.zeros_like(x)


class Density(nn.Module):
    """A density of C values: flows to a standard normal distribution.

    Between two flows the order is reversed; all but the last are gated.

    Args:
        channels: C.
        n_flows: number of flows.
        factor: width of the flows over C.
    """

    def __init__(self, channels: int, n_flows: int, factor: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index in range(n_flows):
            last = index == n_flows - 1
            layers.append(BlockFlow(channels, factor, gated=not last))
            layers += [] if last else [Reversal()]
        self.model = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """Return ln p, (M,) in nats, of (M, C) values."""
        z, log_det = self.transform(x)
        return log_det - (z.square() + math.log(2 * math.pi)).sum(1) / 2

    def transform(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the normal values, (M, C), of (M, C), and ln |det dz/dx|, (M,)."""
        log_det = x.new_zeros(len(x))
        for layer in self.model:
            x, slopes = layer(x)
            log_det = log_det + slopes.sum(1)
        return x, log_det


class LayerDensities(nn.Module):
    """A density of the channel vectors of each feature layer.

    Args:
        channels: of the layers.
        n_flows: flows per density.
        factor: width of the flows over the number of channels.
    """

    def __init__(self, channels: Sequence[int], n_flows: int, factor: int) -> None:
        super().__init__()
        for index, width in enumerate(channels):
            self.add_module(f"flow_{index}", Density(width, n_flows, factor))

    def forward(self, features: Sequence[Tensor], ids: Sequence[Tensor]) -> list[Tensor]:
        """Return ln p, (N, P) in nats, of each layer's vectors at (P,) positions.

        Features are (N, C_l, H_l, W_l). The densities are computed without autocast, in which a
        log-likelihood of hundreds of nats would be coarse.
        """
        out = []
        with torch.autocast(features[0].device.type, enabled=False):
            for density, feature, positions in zip(self.children(), features, ids, strict=True):
                x = feature.flatten(2)[:, :, positions].transpose(1, 2)  # N,P,C
                x = x.to(torch.promote_types(x.dtype, torch.float32))
                out.append(density(x.flatten(0, 1)).view(x.shape[:2]))
        return out


def initialise(network: nn.Module, rng: torch.Generator) -> None:
    """Draw the weights of all flows of a network."""
    for module in network.modules():
        if isinstance(module, BlockFlow):
            module.initialise(rng)
