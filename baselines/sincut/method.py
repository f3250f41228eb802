"""SinCUT: CUT between two single images, with StyleGAN2's networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import AfterValidator, Field, field_validator
from torch import Tensor
from torch.nn import functional as F

from baselines.sincut.networks import Discriminator, Generator, initialise
from cut.base import random_streams
from cut.base.errors import UserError
from cut.base.image_size import in_words
from cut.methods.contract import Batch, Method, Schedule
from cut.methods.correspondence import Correspondence
from cut.methods.cut import CITATION
from cut.methods.loss import Loss
from cut.methods.options import Options, Weight, each_once
from cut.nets import networks
from cut.nets.losses import patch_nce

Layer = Annotated[int, Field(ge=0, lt=Generator.layers)]
UNDECIDED = 0.693147  # softplus(0), the adversarial terms of a logit of 0


class SinCutOptions(Options):
    """Options of networks and losses; the defaults are those of the authors' code."""

    ngf: int = Field(
        10, ge=1, le=256, description="an eighth of the channels at the generator's full resolution"
    )
    ndf: int = Field(
        8, ge=1, le=256, description="a quarter of the discriminator's channels at 64 pixels"
    )
    # The paper cuts its crops of 128 pixels into tiles of 64. The code has crops of 64.
    tile: int = Field(
        64, ge=8, le=1024, description="side of the tiles that the discriminator judges"
    )
    lambda_gan: Weight = Field(1.0, description="weight of the GAN term")
    lambda_nce: Weight = Field(4.0, description="weight of PatchNCE")
    lambda_identity: Weight = Field(1.0, description="weight of the L1 identity of the target")
    lambda_r1: Weight = Field(1.0, description="weight of half the discriminator's squared slope")
    nce_layers: Annotated[list[Layer], AfterValidator(each_once)] = Field(
        [0, 2, 4],
        min_length=1,
        max_length=64,
        description="encoder layers compared; 0 is the image",
    )
    n_patches: int = Field(1, ge=1, le=65_536, description="positions per layer and crop")
    tau: float = Field(0.07, gt=0, le=1000, description="temperature of PatchNCE")
    width: int = Field(256, ge=1, le=8192, description="output width of the projection heads")
    init_gain: float = Field(0.02, gt=0, le=100, description="gain of the heads' initialisation")
    lr: float = Field(0.002, gt=0, le=1, description="Adam's learning rate before decay")
    beta1: float = Field(0.0, ge=0, lt=1, description="Adam's first-moment decay")
    beta2: float = Field(0.99, ge=0, lt=1, description="Adam's second-moment decay")

    @field_validator("tile")
    @classmethod
    def _power_of_two(cls, tile: int) -> int:
        if tile & (tile - 1):
            raise ValueError("expected a power of two")
        return tile


def non_saturating(logits: Tensor, real: bool) -> Tensor:
    """Return the mean softplus of the logits, (N, 1), with a minus sign if they should be real."""
    return F.softplus(-logits if real else logits).mean()


def squared_slope(logits: Tensor, images: Tensor) -> Tensor:
    """Return the squared slope of the sum of an image's logits at its pixels, a mean over images.

    Mescheder, Geiger and Nowozin (ICML 2018) call half of it R1.
    """
    (slope,) = torch.autograd.grad(logits.sum(), images, create_graph=True)
    return slope.square().sum((1, 2, 3)).mean()


class SinCut(Method):
    """CUT between one source and one target image, from many crops of each.

    A batch is 16 crops of each image, zoomed at random. PatchNCE takes one position per layer, the
    same in all crops, and the other crops as negatives. G is fully convolutional and translates the
    whole image.

        G and H minimise  mean softplus(-D(G(x))) + lambda_nce (PatchNCE(x) + PatchNCE(y)) / 2
                          + lambda_identity |G(y) - y|
        D minimises       (mean softplus(D(G(x))) + mean softplus(-D(y))) / 2
                          + lambda_r1/2 mean |slope of D at y|^2

    Followed: the single-image mode of CUT's release, with its networks of StyleGAN2's layers. The
    paper cuts crops of 128 pixels into tiles of 64 for D; the release has crops of 64, as here.

    Different: nothing in the step. All crops of a batch have the same zoom factors per domain; the
    release shuffles crops after it has drawn the factors, so that its batches mix them
    (`cut.training.zoomed_crops`). The sides of a translated image are even, where the release
    resizes it to multiples of 4.

    Settings: those of the release: 8 + 8 epochs of 100,000 crops, batch size 16.

    Scored: one translation per image. Its noise is one fixed field for every image, where the
    release draws one each time, and it is clipped to [-1, 1].

    Passes: per pair of crops, 2 of G and 2 of its encoder.
    """

    name = "sincut"
    summary = "SinCUT: CUT between two single images, from many crops of each"
    citation = CITATION
    Options = SinCutOptions
    schedule = Schedule(8, 8, 16, crops="zoom", crop_size=64, images_per_epoch=100_000)
    stride = Generator.stride
    channels = "equal"
    losses = {
        "G_GAN": Loss("generator, adversarial", "softplus", "lambda_gan", lambda _: UNDECIDED),
        "NCE": Loss("PatchNCE, translation", "cross-entropy, nats", "lambda_nce"),
        "NCE_Y": Loss("PatchNCE, identity", "cross-entropy, nats", "lambda_nce"),
        "identity": Loss("identity of the target", "L1", "lambda_identity"),
        "G": Loss("generator, total", total=True),
        "D_real": Loss("discriminator, real", "softplus", chance=lambda _: UNDECIDED),
        "D_fake": Loss("discriminator, fake", "softplus", chance=lambda _: UNDECIDED),
        "D_R1": Loss("discriminator, half its squared slope", "per squared level", "lambda_r1"),
        "D": Loss("discriminator, total", total=True),
    }
    authors = Correspondence(
        options={"lambda_R1": "lambda_r1"},
        losses=["identity = idt"],
    )

    def __init__(self, options: SinCutOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        n = o.images.target.channels
        self.add(initialise=initialise, G=Generator(o.ngf, n), D=Discriminator(o.ndf, o.tile, n))
        self.add(F=networks.ProjectionHeads(self.G.channels(o.nce_layers), o.width))
        self.adam(G=("G", "F"), D="D")

    @classmethod
    def check(cls, options: SinCutOptions, size: tuple[int, int]) -> None:
        """Refuse crops that cannot be cut into the discriminator's tiles.

        Raises:
            UserError: the size, in (height, width), and what it may be.
        """
        super().check(options, size)
        if any(side % options.tile for side in size):
            raise UserError(
                f"{cls.name} trains on crops of {in_words(size)} pixels, no multiple of its tile"
                f" {options.tile}; give another crop_size or tile"
            )

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update D, then G and F."""
        o, (a, b) = self.options, batch
        both = torch.cat([a, b])
        shape = (len(both), 1, *both.shape[2:])
        noise = self.draw_normal("noise/decoder/level0", shape, both)
        out, keys = self.G.with_features(both, noise, o.nce_layers)
        fake, same = out.split([len(a), len(b)])
        losses = self._discriminator_step(b, fake.detach())
        terms = {
            "G_GAN": non_saturating(self.D(fake), real=True) * o.lambda_gan,
            "identity": F.l1_loss(same, b) * o.lambda_identity,
        }
        if o.lambda_nce > 0:
            terms |= self._nce(out, keys, len(a))
        halves = {"NCE": 0.5, "NCE_Y": 0.5}
        total = torch.stack([term * halves.get(name, 1) for name, term in terms.items()]).sum()
        return losses | self.update("G", {**terms, "G": total}, total=total)

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1], H and W even, with the same noise for each image."""
        rng = random_streams.generator(0, "noise")
        noise = torch.randn(1, 1, *images.shape[2:], generator=rng).to(images)
        return self.G(images, noise).clamp(-1, 1)

    def _discriminator_step(self, real: Tensor, fake: Tensor) -> dict[str, Tensor]:
        real = real.detach().requires_grad_()
        judged = self.D(real)
        terms = {
            "D_real": non_saturating(judged, real=True),
            "D_fake": non_saturating(self.D(fake), real=False),
        }
        total = sum(terms.values()) / 2
        if self.options.lambda_r1 > 0:
            terms["D_R1"] = squared_slope(judged, real) / 2 * self.options.lambda_r1
            total = total + terms["D_R1"]
        return self.update("D", {**terms, "D": total}, total=total)

    def _nce(self, out: Tensor, keys: Sequence[Tensor], n: int) -> dict[str, Tensor]:
        """Return the weighted PatchNCE of the `n` translations, and of the identity images."""
        o = self.options
        queries = self.G.encode(out, o.nce_layers)
        terms = {}
        for name, part in (("NCE", slice(n)), ("NCE_Y", slice(n, None))):
            q, k = [f[part] for f in queries], [f[part].detach() for f in keys]
            ids = self.draw_positions(k, o.n_patches)
            pairs = zip(self.F(q, ids), self.F(k, ids), strict=True)
            each = [patch_nce(*pair, o.tau, across_batch=True) for pair in pairs]
            terms[name] = torch.stack(each).mean() * o.lambda_nce
        return terms
