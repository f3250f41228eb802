"""GcGAN: the translation of a turned image should be the turned translation."""

from __future__ import annotations

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from cut.methods.channels import Takes
from cut.methods.contract import Batch, Method, Schedule
from cut.methods.correspondence import Correspondence
from cut.methods.loss import Loss, lsgan_term
from cut.methods.options import NetworkOptions, PoolSize, Weight
from cut.nets.image_pool import ImagePool
from cut.nets.losses import lsgan, lsgan_discriminator
from cut.nets.networks import Generator

Geometry = Literal["rot90", "vflip"]


class GcGanOptions(NetworkOptions):
    """GcGAN's options; the defaults are those of the authors' code."""

    geometry: Geometry = Field(
        "rot90", description="turn by 90 degrees clockwise, or mirror top to bottom"
    )
    lambda_gan: Weight = Field(1.0, description="weight of each of the two GAN terms")
    # The authors' code has these two as 2.0 and 0.5, both times 10. It uses 0.3 for the latter
    # (3 here) from label maps to photographs, 0.5 otherwise.
    lambda_gc: Weight = Field(20.0, description="weight of the geometry term")
    lambda_identity: Weight = Field(5.0, description="weight of each identity term (0: none)")
    pool_size: PoolSize = Field(50, description="earlier translations kept for each D (0: none)")


def transform(images: Tensor, geometry: Geometry) -> Tensor:
    """Return (N, C, H, W) images turned clockwise, as (N, C, W, H), or mirrored top to bottom."""
    if geometry == "vflip":
        return images.flip(2)
    # rot90 returns a transposed view; make the layout the usual one for the convolutions.
    return images.rot90(-1, (2, 3)).contiguous()


def untransform(images: Tensor, geometry: Geometry) -> Tensor:
    """Undo `transform`."""
    if geometry == "vflip":
        return images.flip(2)
    return images.rot90(1, (2, 3)).contiguous()


def geometry_loss(fake: Tensor, fake_gc: Tensor, geometry: Geometry) -> Tensor:
    """Return twice the L1 distance of `fake_gc` from `fake` transformed, a scalar.

    Args:
        fake: (N, C, H, W), the translation G(x).
        fake_gc: G(f(x)), of the shape of `transform(fake, geometry)`.
        geometry: the transformation f.
    """
    upright = F.l1_loss(fake, untransform(fake_gc.detach(), geometry))
    transformed = F.l1_loss(fake_gc, transform(fake.detach(), geometry))
    return upright + transformed


class GcGan(Method):
    """The translation of a turned image should be the turned translation.

    f turns an image by 90 degrees, or mirrors it top to bottom. A second discriminator D_gc judges
    turned images. [a] is a without gradient.

        gc = |G(x) - f^-1([G(f(x))])| + |G(f(x)) - f([G(x)])|
        G minimises  mean (D(G(x)) - 1)^2 + mean (D_gc(G(f(x))) - 1)^2 + lambda_gc gc
                     + lambda_identity (|G(y) - y| + |G(f(y)) - f(y)|)

    Each discriminator sees translations from a pool of its last 50.

    Followed: the authors' code (github.com/hufu6371/GcGAN), one-sided (source to target only), in
    its default variant with one generator. Its geometry term fixes each side in turn; the paper's
    formula fixes neither. Both sides have the same value, so the term is twice the L1 distance, but
    its gradient is that of one L1 distance: half of the formula's at the same weight.

    Different: the networks are those that the CUT paper shares between its methods. The authors
    trained horse2zebra with their other variant, which has a second generator for turned images.

    Settings: weights of the authors' code (lambda_gc 20, lambda_identity 5; 3 from label maps to
    photographs). Here 100 + 100 epochs with batch size 1; the authors have batches of 8 to 12.

    Passes: per pair of images, 4 of G, or 2 without the identity term.
    """

    name = "gcgan"
    summary = "GcGAN: translating a turned image should turn the translation; one-sided"
    citation = "Fu, Gong, Wang, Batmanghelich, Zhang, Tao: Geometry-Consistent GANs, CVPR 2019"
    Options = GcGanOptions
    schedule = Schedule(100, 100)
    stride = Generator.stride
    losses = {
        "G_GAN": lsgan_term("generator, adversarial", "lambda_gan"),
        "G_GAN_gc": lsgan_term("generator on turned images, adversarial", "lambda_gan"),
        "gc": Loss("geometry consistency", "twice L1", "lambda_gc"),
        "idt": Loss("identity of the target", "L1", "lambda_identity"),
        "idt_gc": Loss("identity of the turned target", "L1", "lambda_identity"),
        "D": lsgan_term("discriminator"),
        "D_gc": lsgan_term("discriminator of turned images"),
    }
    authors = Correspondence(losses=["G_GAN = G_AB", "G_GAN_gc = G_gc_AB", "D + D_gc = D_B"])

    def __init__(self, options: GcGanOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        self.add(G=o.generator(), D=o.discriminator(), D_gc=o.discriminator())
        self.adam(G="G", D=("D", "D_gc"))
        seen = {"D": "fake_B", "D_gc": "fake_gc_B"}
        pools = {name: ImagePool(o.pool_size, self.draw, fake) for name, fake in seen.items()}
        self.pools = nn.ModuleDict(pools)

    @classmethod
    def takes(cls, options: GcGanOptions) -> Takes:
        """Return "any" without the identity term, which translates target images."""
        return "equal" if options.lambda_identity > 0 else "any"

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the generator, then both discriminators."""
        o, (source, target) = self.options, batch
        # A turned image may have another shape, so no pass holds both kinds.
        source_gc, target_gc = (transform(x, o.geometry) for x in batch)
        fake, fake_gc = self.G(source), self.G(source_gc)
        losses = {
            "G_GAN": lsgan(self.D(fake), real=True) * o.lambda_gan,
            "G_GAN_gc": lsgan(self.D_gc(fake_gc), real=True) * o.lambda_gan,
            "gc": geometry_loss(fake, fake_gc, o.geometry) * o.lambda_gc,
        }
        if o.lambda_identity > 0:
            losses["idt"] = F.l1_loss(self.G(target), target) * o.lambda_identity
            losses["idt_gc"] = F.l1_loss(self.G(target_gc), target_gc) * o.lambda_identity
        losses = self.update("G", losses)
        judged = {
            "D": lsgan_discriminator(self.D, target, self.pools["D"].exchange(fake)),
            "D_gc": lsgan_discriminator(self.D_gc, target_gc, self.pools["D_gc"].exchange(fake_gc)),
        }
        return losses | self.update("D", judged)

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1]."""
        return self.G(images)
