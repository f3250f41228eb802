"""SANTA: translation along a shortest path between the domains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from cut.base.errors import UserError
from cut.methods.contract import Batch, Method, Schedule
from cut.methods.correspondence import Correspondence, Given
from cut.methods.loss import Loss, lsgan_term
from cut.methods.options import NetworkOptions, Weight
from cut.nets import networks
from cut.nets.losses import lsgan, lsgan_terms

Index = Annotated[int, Field(ge=-1000, le=1000)]
SHORTEST = 0.1  # a difference of coordinates that a change of features is divided by, at least


class SantaOptions(NetworkOptions):
    """Options of networks and losses; the defaults are those of the authors' code."""

    lambda_gan: Weight = Field(1.0, description="weight of the GAN term")
    lambda_rec: Weight = Field(5.0, description="weight of the L1 reconstruction of the source")
    lambda_identity: Weight = Field(5.0, description="weight of the L1 identity of the target")
    lambda_kl: Weight = Field(0.01, description="weight of the latents' squares")
    # The authors' script for cityscapes has 0.1.
    lambda_path: Weight = Field(0.01, description="weight of the path's length")
    # With nine blocks the authors' layers 0, 3, 6, 10 and 14.
    path_layers: list[Index] = Field(
        [0, 3, -10, -6, -2],
        min_length=1,
        description="decoder layers whose change is measured; negative numbers count from the end",
    )
    shortest_step: float = Field(0.05, ge=0, le=1, description="least half length of a piece")
    longest_step: float = Field(0.1, gt=0, le=1, description="greatest half length of a piece")
    style_dim: int = Field(8, ge=2, le=4096, description="length of a domain's code")
    noise_std: float = Field(1.0, ge=0, le=1000, description="of the noise on latents in training")

    def decoder_depth(self) -> int:
        """Return the number of layers of the decoder."""
        return self.n_blocks - self.n_blocks // 2 + self.ends()[1]

    def layers(self) -> list[int]:
        """Return the layers whose change is measured, numbered from the start."""
        return [layer % self.decoder_depth() for layer in self.path_layers]


class AdaIN(nn.Module):
    """Instance norm with scale and shift from a style."""

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        self.norm = networks.InstanceNorm(channels)
        self.fc = nn.Linear(style_dim, 2 * channels)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Return (N, C, H, W) from the same and styles (N, S)."""
        scale, shift = self.fc(style)[:, :, None, None].chunk(2, dim=1)  # N,C,1,1
        return (1 + scale) * self.norm(x) + shift


class StyledBlock(nn.Module):
    """The generator's residual block with AdaIN."""

    def __init__(self, channels: int, style_dim: int) -> None:
        super().__init__()
        plain = networks.ResidualBlock(channels).conv_block
        self.conv_block = nn.Sequential(*(styled(layer, style_dim) for layer in plain))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        """Return (N, C, H, W) from the same and styles (N, S)."""
        y = x
        for layer in self.conv_block:
            y = apply(layer, y, style)
        return x + y


def styled(layer: nn.Module, style_dim: int) -> nn.Module:
    """Return AdaIN in the place of an instance norm, and any other layer as it is."""
    if isinstance(layer, networks.InstanceNorm):
        return AdaIN(layer.num_features, style_dim)
    return layer


def apply(layer: nn.Module, x: Tensor, style: Tensor) -> Tensor:
    """Return the output of a layer that may take a style."""
    return layer(x, style) if isinstance(layer, AdaIN | StyledBlock) else layer(x)


class DomainGenerator(nn.Module):
    """The ResNet generator whose decoder depends on a coordinate between the domains.

    The encoder has half of the residual blocks, the decoder the rest.
    """

    def __init__(self, o: SantaOptions) -> None:
        super().__init__()
        plain = o.n_blocks // 2
        layers = o.model_copy(update={"n_blocks": plain}).generator().model
        up = o.ends()[1]
        width = o.ngf * 2**o.n_downsampling
        blocks = [StyledBlock(width, o.style_dim) for _ in range(o.n_blocks - plain)]
        self.encoder = layers[:-up]
        self.decoder = nn.Sequential(*blocks, *(styled(x, o.style_dim) for x in layers[-up:]))
        self.domain_embedding = nn.Embedding(2, o.style_dim)

    def forward(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1] from source to target."""
        return self.decode(self.encoder(images), images.new_ones(len(images)))

    def decode(self, latents: Tensor, d: Tensor) -> Tensor:
        """Return the images (N, 3, H, W) of latents (N, C, h, w) at coordinates d (N,)."""
        last = len(self.decoder) - 1
        return self.features(latents, d, [last])[0]

    def features(self, latents: Tensor, d: Tensor, layers: Sequence[int]) -> list[Tensor]:
        """Return the outputs of decoder layers, for latents (N, C, h, w) at coordinates d (N,)."""
        source, target = self.domain_embedding.weight
        style = source + d[:, None] * (target - source)  # N,S
        x, found = latents, {}
        for index, layer in enumerate(self.decoder[: max(layers) + 1]):
            x = apply(layer, x, style)
            found[index] = x
        return [found[index] for index in layers]


def recorded_outputs(method: Santa, given: Given) -> dict[str, Tensor]:
    """Return the images of a step's first pass, by their names in recordings."""
    a, b = given("A"), given("B")
    images = method.decode_all(method.G.encoder(torch.cat([a, b])) + given("noise/latent"), len(a))
    return dict(zip(("rec_A", "fake_B", "idt_B"), images, strict=True))


class Santa(Method):
    """Features should change little along a short piece of the path between the domains.

    One generator has an encoder E and a decoder for both domains: a coordinate d from 0 (source) to
    1 (target) sets scale and shift of the decoder's norms. There is no contrastive loss.

        h_x = E(x) + noise,  h_y = E(y) + noise,  noise ~ N(0, 1), in training only
        rec = decoder(h_x, 0),  G(x) = decoder(h_x, 1),  same = decoder(h_y, 1)
        c ~ U(0, 1),  r ~ U(0.05, 0.1),  d1 = min(c + r, 1),  d2 = max(c - r, 0)
        path = mean over decoder layers of mean ((f(d1) - f(d2)) / max(d1 - d2, 0.1))^2
        G minimises  L_GAN + lambda_rec |rec - x| + lambda_identity |same - y|
                     + lambda_kl mean (E(x)^2, E(y)^2) + lambda_path path

    f(d) are features of the decoder for h_x at d.

    Followed: the authors' release (github.com/Mid-Push/santa).

    Different: nothing in the step at batch size 1, the only one that the release runs with. In a
    larger batch, each image has a piece of its own.

    Settings: the defaults of the release, with 200 + 200 epochs and batch size 1. Its script for
    cityscapes has lambda_path 0.1.

    Passes: per pair of images, 2 of the encoder and 5 of the decoder, 2 of them for the path.
    """

    name = "santa"
    summary = "SANTA: translation along a shortest path, without contrastive loss"
    citation = (
        "Xie, Xu, Gong, Zhang: Unpaired Image-to-Image Translation with Shortest Path"
        " Regularization, CVPR 2023"
    )
    Options = SantaOptions
    schedule = Schedule(200, 200)
    stride = networks.Generator.stride
    channels = "equal"
    losses = {
        "G_GAN": lsgan_term("generator, adversarial", "lambda_gan"),
        "rec": Loss("reconstruction of the source", "L1", "lambda_rec"),
        "identity": Loss("identity of the target", "L1", "lambda_identity"),
        "kl": Loss("latents", "mean square", "lambda_kl"),
        "path": Loss("length of the path", "mean square", "lambda_path"),
        "G": Loss("generator, total", total=True),
        "D_real": lsgan_term("discriminator, real"),
        "D_fake": lsgan_term("discriminator, fake"),
    }
    authors = Correspondence(
        options={
            name: name
            for name in ("lambda_rec", "lambda_kl", "lambda_path", "style_dim", "noise_std")
        }
        | {"lambda_idt": "lambda_identity", "layers": "path_layers"},
        losses=[
            "D_real + D_fake = 2*D",
            "rec = lambda_rec*G_rec",
            "identity = lambda_identity*G_idt",
            "kl = lambda_kl*G_kl",
            "path = lambda_path*G_path",
        ],
        ignored=("d1", "d2", "energy_*"),
        outputs=recorded_outputs,
    )

    def __init__(self, options: SantaOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        self.add(initialise=self._initialise, G=DomainGenerator(options))
        self.add(D=options.discriminator())
        self.adam(G="G", D="D")

    @classmethod
    def check(cls, options: SantaOptions, size: tuple[int, int]) -> None:
        """Refuse layers that the decoder does not have, and sizes as every method does.

        Raises:
            UserError: the option, and what it may be.
        """
        super().check(options, size)
        n = options.decoder_depth()
        for layer in options.path_layers:
            if not -n <= layer < n:
                raise UserError(
                    f"option path_layers: layer {layer} is outside the decoder, whose layers are"
                    f" numbered 0 to {n - 1}; choose layers in that range"
                )

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update D, then G."""
        o, (a, b) = self.options, batch
        latents = self.G.encoder(torch.cat([a, b]))
        noise = self.draw(
            "noise/latent", lambda rng: torch.randn(latents.shape, generator=rng) * o.noise_std
        )
        noisy = latents + noise.to(latents, non_blocking=True)
        rec, fake, same = self.decode_all(noisy, len(a))
        judgement = lsgan_terms(self.D, b, fake.detach())
        losses = self.update("D", judgement, total=sum(judgement.values()) / 2)
        terms = {
            "G_GAN": lsgan(self.D(fake), real=True) * o.lambda_gan,
            "rec": F.l1_loss(rec, a) * o.lambda_rec,
            "identity": F.l1_loss(same, b) * o.lambda_identity,
            "kl": latents.square().mean() * o.lambda_kl,
        }
        if o.lambda_path > 0:
            terms["path"] = self._path(noisy[: len(a)]) * o.lambda_path
        total = torch.stack(list(terms.values())).sum()
        return losses | self.update("G", {**terms, "G": total}, total=total)

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1], without noise."""
        return self.G(images)

    def decode_all(self, latents: Tensor, n: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return source images reconstructed and translated, and target images as they are.

        `latents` has those of the `n` source images first.
        """
        a, b = latents[:n], latents[n:]
        d = torch.cat([a.new_zeros(n), a.new_ones(n + len(b))])
        return self.G.decode(torch.cat([a, a, b]), d).split([n, n, len(b)])

    def _path(self, latents: Tensor) -> Tensor:
        """Return the change of features along a random piece of each image's path, a scalar."""
        o, n = self.options, len(latents)
        center = self.draw("path/center", lambda rng: torch.rand(n, generator=rng))
        width = o.longest_step - o.shortest_step
        half = self.draw(
            "path/interval",
            lambda rng: o.shortest_step + width * torch.rand(n, generator=rng),
        )
        center, half = (x.to(latents, non_blocking=True) for x in (center, half))
        far, near = (center + half).clamp(0, 1), (center - half).clamp(0, 1)
        length = (far - near).clamp(min=SHORTEST)[:, None, None, None]
        pairs = zip(
            self.G.features(latents, far, o.layers()),
            self.G.features(latents, near, o.layers()),
            strict=True,
        )
        return torch.stack([((x - y) / length).square().mean() for x, y in pairs]).mean()

    def _initialise(self, network: DomainGenerator, rng: torch.Generator) -> None:
        gain = self.options.init_gain
        networks.initialise(network, rng, gain)
        nn.init.xavier_normal_(network.domain_embedding.weight, gain=gain, generator=rng)
