"""ACL-GAN: unpaired translation with an adversarial-consistency loss."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional as F

from baselines.munit.networks import (
    AutoEncoder,
    MultiScaleDiscriminator,
    check_size,
    initialise,
    latent_for,
)
from baselines.munit.options import AutoEncoderOptions
from cut.methods.contract import Batch, Method, Schedule
from cut.methods.loss import Loss
from cut.methods.options import Weight
from cut.nets.losses import lsgan

JUDGES = ("D_A", "D_B", "D_pair")
UNDECIDED = 0.01  # added to a mask's distance from 1/2, which a term divides by


class AclGanOptions(AutoEncoderOptions):
    """ACL-GAN's options; the defaults are the authors' for faces, and MUNIT's where unknown."""

    d_iter: int = Field(
        2, ge=1, le=100, description="updates of the discriminators per step, on parts of the batch"
    )
    same_style: float = Field(
        1.0, ge=0, le=1000, description="scale of the styles of translations within the source"
    )
    lambda_pair: Weight = Field(0.2, description="weight of the GAN terms of pairs")
    lambda_rec: Weight = Field(1.0, description="weight of the L1 reconstruction of images")
    lambda_mask: Weight = Field(0.025, description="weight of the masks' terms")
    lambda_area: Weight = Field(
        0.001, description="weight of the masks' areas among the masks' terms"
    )
    least_mask: float = Field(0.3, ge=0, le=1, description="a mask of a smaller mean costs")
    most_mask: float = Field(0.5, ge=0, le=1, description="a mask of a larger mean costs")

    @model_validator(mode="after")
    def _range(self) -> AclGanOptions:
        if self.least_mask > self.most_mask:
            raise ValueError(f"least_mask {self.least_mask} is above most_mask {self.most_mask}")
        return self


class MaskedCoder(AutoEncoder):
    """MUNIT's auto-encoder with one more channel, the mask: how much of a pixel is new."""

    def __init__(self, o: AclGanOptions) -> None:
        shape = (o.ngf, o.n_downsample, o.n_blocks, o.style_dim, o.mlp_dim)
        n = o.images.source.channels
        super().__init__(*shape, n_out=n + 1, n_in=n)
        self.n_in = n

    def forward(self, images: Tensor, style: Tensor) -> tuple[Tensor, Tensor]:
        """Return translations (N, 3, H, W) in [-1, 1] and their masks (N, 1, H, W) in [0, 1].

        Images are (N, 3, H, W) in [-1, 1], styles (N, style_dim).
        """
        colours, mask = self.decode(self.content(images), style).split([self.n_in, 1], dim=1)
        mask = (mask + 1) / 2
        return mask * colours + (1 - mask) * images, mask

    def reconstruct(self, images: Tensor) -> Tensor:
        """Return (N, 3, H, W) from the images' own contents and styles, without the mask."""
        return self.decode(*self.encode(images))[:, : self.n_in]


class AclGan(Method):
    """A translation back may differ from the input, if a discriminator takes both for a pair.

    A discriminator of pairs compares (x, x2), where x2 is x translated there and back, with (x,
    x1), where x1 is x translated within its domain. z are random styles, and LS(p) sums the mean of
    (p - 1)^2 over three scales.

        y' = G_AB(x, z1),  x1 = G_BA(x, z2),  x2 = G_BA(y', z3)
        GAN    LS(D_A(x1)) / 2 + LS(D_A(x2)) / 2 + LS(D_B(y'))                  lambda_gan
        pair   D_pair takes (x, x2) for real and (x, x1) for fake               lambda_pair
        image  L1 reconstruction of each domain's images                        lambda_rec
        mask   per pixel, over all pixels of a mask m in [0, 1]:                lambda_mask
               lambda_area (max(0, sum(m - 0.5))^2 + max(0, sum(0.3 - m))^2)
               + sum 1 / (|m - 1/2| + 0.01)

    A translation is a mix of new colours and the input, by a mask that G_AB gives as a fourth
    channel. The generators minimise the weighted sum; D_pair learns the opposite labels.

    Followed: a description of the method. No recorded steps of the authors' code exist, and nothing
    compares this with that code. What the description leaves open is as in MUNIT, whose networks
    these are:

    - the widths of the networks, the weight 1 of the GAN terms, and styles drawn anew for each
      update;
    - a style within the domain is drawn as any other (`same_style` scales it; the authors' factor
      is not known);
    - each domain's image is reconstructed by the generator whose outputs are of that domain;
    - a discriminator's loss has the form of the generator's: the real images of the source count
      once, and its two kinds of fakes half each;
    - the terms of the masks are means over the images of a batch.

    Different: a step is two iterations of the authors, who update the discriminators in each and
    the generators in every second one. The batch is split, and the generators see its last part. Of
    a single image every update sees the whole.

    Settings: Adam and the other weights are the authors' for faces. The batch size 6 is twice their
    3. Here 100 + 100 epochs; the authors have 350,000 steps with the rate halved every 100,000.

    Scored: one translation per image, with a style drawn from the image's pixels, so that it is the
    same in every batch, run and epoch.

    Passes: per step of six pairs, 15 translations or reconstructions, and 18 translations without
    gradient.
    """

    name = "acl-gan"
    summary = "ACL-GAN: translated back, pairs of input and output look as within the domain"
    citation = "Zhao, Wu, Dong: Unpaired I2I Translation using Adversarial Consistency, ECCV 2020"
    Options = AclGanOptions
    schedule = Schedule(100, 100, batch_size=6)
    stride = 4
    channels = "equal"  # a mask mixes a translation with its input
    generator = ("G_AB",)
    losses = {
        "G_GAN": Loss("generators, adversarial", "squared error, sum", "lambda_gan"),
        "pair": Loss("generators, adversarial consistency", "squared error, sum", "lambda_pair"),
        "rec": Loss("reconstruction of images", "L1, sum", "lambda_rec"),
        "mask": Loss("masks", "per pixel", "lambda_mask"),
        "D_A": Loss("discriminator of the source", "squared error, sum", "lambda_gan"),
        "D_B": Loss("discriminator of the target", "squared error, sum", "lambda_gan"),
        "D_pair": Loss("discriminator of pairs", "squared error, sum", "lambda_pair"),
    }

    def __init__(self, options: AclGanOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        self.add(
            G_AB=MaskedCoder(o), G_BA=MaskedCoder(o), initialise=partial(initialise, kind="kaiming")
        )
        for name in JUDGES:
            n_in = o.images.target.channels * (2 if name == "D_pair" else 1)
            judge = MultiScaleDiscriminator(o.ndf, o.n_layers, o.n_scales, n_in=n_in)
            self.add(**{name: judge}, initialise=partial(initialise, kind="normal"))
        self.adam(G=("G_AB", "G_BA"), D=JUDGES)

    @classmethod
    def check(cls, options: AclGanOptions, size: tuple[int, int]) -> None:
        """Refuse sizes that the discriminators halve to under a pixel, and those of every method.

        Raises:
            UserError: the size, and the least one.
        """
        super().check(options, size)
        check_size(size, options.n_layers)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the discriminators on part after part, then the generators on the last one."""
        parts = [Batch(*pair) for pair in zip(*map(self._split, batch), strict=True)]
        losses: dict[str, Tensor] = {}
        for i in range(self.options.d_iter):
            part = parts[i % len(parts)]
            with torch.no_grad():
                fakes, _ = self.translations_of(part.source, self._styles(part.source, f"D{i}"))
            losses = self.update("D", self.discriminator_losses(part, fakes))
        styles = self._styles(part.source, "G")
        return losses | self.update("G", self.generator_losses(part, styles))

    @classmethod
    def scored(cls, options: AclGanOptions) -> str:
        """Return which translation is scored."""
        return "one sample per image, drawn from its pixels"

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1], each image with its own style."""
        return self.G_AB(images, latent_for(images, self.options.style_dim))[0]

    def translations_of(
        self, source: Tensor, styles: Sequence[Tensor]
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return y, x1 and x2, and their masks.

        They are the translations of (N, 3, H, W) to the target, within the source, and back to it,
        with styles z1, z2 and z3, (N, style_dim) each.
        """
        there, mask = self.G_AB(source, styles[0])
        same, mask1 = self.G_BA(source, styles[1])
        back, mask2 = self.G_BA(there, styles[2])
        return [there, same, back], [mask, mask1, mask2]

    def discriminator_losses(self, batch: Batch, fakes: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return the weighted loss of each discriminator; `fakes` are y, x1 and x2."""
        o, (there, same, back) = self.options, fakes
        of_source = [(batch.source, True, 1.0), (same, False, 0.5), (back, False, 0.5)]
        of_target = [(batch.target, True, 1.0), (there, False, 1.0)]
        return {
            "D_A": self._judge("D_A", of_source) * o.lambda_gan,
            "D_B": self._judge("D_B", of_target) * o.lambda_gan,
            "D_pair": self._pairs(batch.source, same, back, swapped=False) * o.lambda_pair,
        }

    def generator_losses(self, batch: Batch, styles: Sequence[Tensor]) -> dict[str, Tensor]:
        """Return the weighted terms of both generators; `styles` are z1, z2 and z3."""
        o, (a, b) = self.options, batch
        (there, same, back), masks = self.translations_of(a, styles)
        of_source = self._judge("D_A", [(same, True, 0.5), (back, True, 0.5)])
        rec = F.l1_loss(self.G_BA.reconstruct(a), a) + F.l1_loss(self.G_AB.reconstruct(b), b)
        return {
            "G_GAN": (of_source + self._judge("D_B", [(there, True, 1.0)])) * o.lambda_gan,
            "pair": self._pairs(a, same, back, swapped=True) * o.lambda_pair,
            "rec": rec * o.lambda_rec,
            "mask": self.mask_terms(masks) * o.lambda_mask,
        }

    def mask_terms(self, masks: Sequence[Tensor]) -> Tensor:
        """Return the cost of masks, (N, 1, H, W) each in [0, 1], before its weight, a scalar.

        Of one image's mask with values m, per pixel: lambda_area (max(0, sum(m - most))^2 +
        max(0, sum(least - m))^2) + sum 1 / (|m - 1/2| + 0.01). The mean over images and masks.
        """
        o, terms = self.options, []
        for mask in masks:
            m = mask.flatten(1).to(torch.promote_types(mask.dtype, torch.float32))  # N,H*W
            above = F.relu((m - o.most_mask).sum(1))
            below = F.relu((o.least_mask - m).sum(1))
            undecided = (1 / ((m - 0.5).abs() + UNDECIDED)).sum(1)
            area = above.square() + below.square()
            terms.append((o.lambda_area * area + undecided).mean() / m.shape[1])
        return torch.stack(terms).mean()

    def _split(self, images: Tensor) -> Sequence[Tensor]:
        return images.chunk(self.options.d_iter)

    def _styles(self, like: Tensor, when: str) -> list[Tensor]:
        """Draw the styles z1, z2 and z3 of each image."""
        shape, scales = (len(like), self.options.style_dim), (1.0, self.options.same_style, 1.0)
        return [
            scale * self.draw_normal(f"style/{when}/z{i}", shape, like)
            for i, scale in enumerate(scales, 1)
        ]

    def _judge(self, name: str, judged: Sequence[tuple[Tensor, bool, float]]) -> Tensor:
        """Return the weighted sum of a discriminator's terms, over (images, real, weight)."""
        judge = self.networks[name]
        terms = [weight * lsgan(p, real) for x, real, weight in judged for p in judge(x)]
        return torch.stack(terms).sum()

    def _pairs(self, source: Tensor, same: Tensor, back: Tensor, swapped: bool) -> Tensor:
        """Return the terms of the pairs (x, x1), real unless `swapped`, and (x, x2), a scalar."""
        pairs = [(same, not swapped), (back, swapped)]
        return self._judge(
            "D_pair", [(torch.cat([source, x], dim=1), real, 1.0) for x, real in pairs]
        )
