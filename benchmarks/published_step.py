"""CUT's training step in plain torch, as it was published: the yardstick of `benchmarks.step`.

Park, Efros, Zhang and Zhu, ECCV 2020, written from a description of the order of its operations. It
shares no network with the project: every layer is torch's own, in float32 and contiguous, the
discriminator sees real and translated images in separate passes, and PatchNCE encodes each
translation and, again, each input by itself. With the same weights and draws the losses are those
of `cut.methods.cut.Cut`, which a test compares.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cut.methods.cut import Cut


class Blur(nn.Module):
    """A fixed filter per channel: to half the size, or to twice the size."""

    def __init__(self, filt: Tensor, up: bool) -> None:
        super().__init__()
        self.up = up
        self.register_buffer("filt", filt.clone())

    def forward(self, x: Tensor) -> Tensor:
        """Filter (N, C, H, W)."""
        n = x.shape[1]
        if not self.up:
            return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), self.filt, stride=2, groups=n)
        x = F.pad(x, (1, 1, 1, 1), mode="replicate")
        x = F.conv_transpose2d(x, self.filt, stride=2, padding=2, groups=n)
        return x[:, :, 1:, 1:][:, :, :-1, :-1]


class Block(nn.Module):
    """A residual block of torch's own layers."""

    def __init__(self, n: int) -> None:
        super().__init__()
        half = [nn.ReflectionPad2d(1), nn.Conv2d(n, n, 3), nn.InstanceNorm2d(n)]
        again = [nn.ReflectionPad2d(1), nn.Conv2d(n, n, 3), nn.InstanceNorm2d(n)]
        self.conv_block = nn.Sequential(*half, nn.ReLU(True), *again)

    def forward(self, x: Tensor) -> Tensor:
        """Keep the shape of (N, C, H, W)."""
        return x + self.conv_block(x)


def plain(layer: nn.Module) -> nn.Module:
    """Return torch's own layer, without weights, for one of the project's networks."""
    kind = type(layer).__name__
    if kind.startswith("Blur"):
        return Blur(layer.filt, up=kind == "BlurUp")
    if kind == "ResidualBlock":
        return Block(layer.conv_block[1].out_channels)
    if kind == "InstanceNorm":
        return nn.InstanceNorm2d(layer.num_features)
    if isinstance(layer, nn.Conv2d):
        n, m = layer.in_channels, layer.out_channels
        return nn.Conv2d(n, m, layer.kernel_size, layer.stride, layer.padding)
    if isinstance(layer, nn.LeakyReLU):
        return nn.LeakyReLU(layer.negative_slope, inplace=True)
    if isinstance(layer, nn.ReLU):
        return nn.ReLU(inplace=True)
    return {"ReflectionPad2d": lambda: nn.ReflectionPad2d(layer.padding), "Tanh": nn.Tanh}[kind]()


def plain_copy(network: nn.Module) -> nn.Sequential:
    """Return torch's own layers with the weights of a generator or a discriminator."""
    copy = nn.Sequential(*map(plain, network.model)).to(next(network.parameters()))
    copy.load_state_dict(network.model.state_dict())
    return copy


class PublishedStep:
    """The networks, optimizers and step of CUT with the weights of `method`.

    Attributes:
        rng: the stream of the patches' positions; the same seed draws those of the method.
    """

    def __init__(self, method: Cut) -> None:
        o = self.options = method.options
        self.G, self.D = plain_copy(method.G), plain_copy(method.D)
        like = next(method.parameters())
        self.F = nn.ModuleList(
            nn.Sequential(nn.Linear(n, o.width), nn.ReLU(), nn.Linear(o.width, o.width))
            for n in method.G.channels(o.nce_layers)
        ).to(like)
        self.F.load_state_dict(
            {k.removeprefix("mlp_"): v for k, v in method.F.state_dict().items()}
        )
        self.adams = {
            name: torch.optim.Adam(net.parameters(), lr=o.lr, betas=(o.beta1, o.beta2))
            for name, net in (("G", self.G), ("D", self.D), ("F", self.F))
        }
        self.rng = torch.Generator().manual_seed(0)
        self.rng.set_state(method.rng.get_state())

    def step(self, real_a: Tensor, real_b: Tensor) -> dict[str, Tensor]:
        """Update D, then G and F; return the losses, detached."""
        out = self.G(torch.cat([real_a, real_b]))
        fake, same = out.chunk(2)
        self._freeze_d(False)
        self.adams["D"].zero_grad()
        d_fake = self._gan(fake.detach(), 0.0)
        d_real = self._gan(real_b, 1.0)
        ((d_fake + d_real) * 0.5).backward()
        self.adams["D"].step()

        self._freeze_d(True)
        self.adams["G"].zero_grad()
        self.adams["F"].zero_grad()
        losses = {"D_fake": d_fake, "D_real": d_real, "G_GAN": self._gan(fake, 1.0)}
        losses["NCE"] = self._nce(real_a, fake)
        losses["NCE_Y"] = self._nce(real_b, same)
        total = losses["G_GAN"] + (losses["NCE"] + losses["NCE_Y"]) * 0.5
        total.backward()
        self.adams["G"].step()
        self.adams["F"].step()
        return {name: loss.detach() for name, loss in (losses | {"G": total}).items()}

    def _freeze_d(self, frozen: bool) -> None:
        for p in self.D.parameters():
            p.requires_grad_(not frozen)

    def _gan(self, images: Tensor, value: float) -> Tensor:
        prediction = self.D(images)
        return F.mse_loss(prediction, torch.tensor(value).to(prediction).expand_as(prediction))

    def _encode(self, x: Tensor) -> list[Tensor]:
        features, layers = [], self.options.nce_layers
        for index, layer in enumerate(self.G):
            x = layer(x)
            if index in layers:
                features.append(x)
            if index == layers[-1]:
                break
        return features

    def _nce(self, source: Tensor, translated: Tensor) -> Tensor:
        queries, maps = self._encode(translated), self._encode(source)
        ids = [
            torch.randperm(m.shape[2] * m.shape[3], generator=self.rng)[: self.options.n_patches]
            for m in maps
        ]
        ids = [i.to(source.device) for i in ids]
        keys, queries = self._embed(maps, ids), self._embed(queries, ids)
        n, tau = len(source), self.options.tau
        terms = [contrast(q, k.detach(), n, tau) for q, k in zip(queries, keys, strict=True)]
        return sum(term.mean() for term in terms) * self.options.lambda_nce / len(terms)

    def _embed(self, maps: Sequence[Tensor], ids: Sequence[Tensor]) -> list[Tensor]:
        out = []
        for head, feature, chosen in zip(self.F, maps, ids, strict=True):
            rows = feature.permute(0, 2, 3, 1).flatten(1, 2)[:, chosen, :].flatten(0, 1)
            rows = head(rows)
            out.append(rows / (rows.pow(2).sum(1, keepdim=True).pow(0.5) + 1e-7))
        return out


def contrast(q: Tensor, k: Tensor, images: int, tau: float) -> Tensor:
    """Return PatchNCE of each of the (N*P, C) queries, for N images."""
    positive = (q * k).sum(1, keepdim=True)
    q, k = (x.view(images, -1, x.shape[1]) for x in (q, k))
    negatives = torch.bmm(q, k.transpose(1, 2))
    own = torch.eye(q.shape[1], device=q.device, dtype=torch.bool)[None]
    negatives = negatives.masked_fill(own, -10.0).flatten(0, 1)
    logits = torch.cat([positive, negatives], dim=1) / tau
    target = torch.zeros(len(logits), dtype=torch.long, device=q.device)
    return F.cross_entropy(logits, target, reduction="none")
