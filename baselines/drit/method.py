"""DRIT: diverse translation by disentangled content and attributes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from baselines.drit.authors import AUTHORS
from baselines.drit.networks import (
    AttributeEncoder,
    ContentDiscriminator,
    ContentEncoder,
    Generator,
    initialise,
)
from baselines.munit.networks import MultiScaleDiscriminator, check_size, latent_for
from cut.methods.contract import Batch, Method, Schedule
from cut.methods.loss import Loss
from cut.methods.options import Channels, Options, Weight

OTHER = {"A": "B", "B": "A"}
JUDGES = ("D_A", "D_B", "D2_A", "D2_B")


class DritOptions(Options):
    """DRIT's options; the defaults are the authors'."""

    ngf: Channels = Field(64, description="channels of the content encoders' first layer")
    ndf: Channels = Field(64, description="channels of the discriminators' first layer")
    nz: int = Field(8, ge=1, le=4096, description="length of an attribute code")
    n_layers: int = Field(
        4, ge=1, le=8, description="layers of each discriminator, each of stride 2"
    )
    n_scales: int = Field(3, ge=1, le=8, description="scales of the discriminators, those that fit")
    d_iter: int = Field(
        3, ge=1, le=100, description="updates of the content discriminator per step"
    )
    lambda_content: Weight = Field(1.0, description="weight of the content's GAN terms")
    lambda_rec: Weight = Field(10.0, description="weight of self and cross-cycle terms")
    lambda_kl: Weight = Field(0.01, description="weight of KL and of the content's size")
    lambda_latent: Weight = Field(10.0, description="weight of latent regression")
    # Not in the paper of 2018, and on by default in the release since DRIT++.
    mode_seeking: bool = Field(
        True, description="a second random image, which has to differ as its attributes do"
    )
    lr: float = Field(
        0.0001, gt=0, le=1, description="Adam's rate (the content discriminator: /2.5)"
    )
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first-moment decay")
    beta2: float = Field(0.999, ge=0, lt=1, description="Adam's second-moment decay")
    weight_decay: float = Field(0.0001, ge=0, le=1, description="Adam's L2 penalty")


def bce(prediction: Tensor, label: float) -> Tensor:
    """Return the binary cross-entropy of values before the sigmoid, a scalar."""
    return F.binary_cross_entropy_with_logits(prediction, torch.full_like(prediction, label))


def kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the divergence of N(mean, variance) from N(0, 1), summed over all (N, nz) entries."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()


def mode_seeking(images: Sequence[Tensor], codes: Sequence[Tensor]) -> Tensor:
    """Return how much two codes differ per difference of their images, a scalar.

    The differences are means of absolute values; 1e-5 is added to their quotient.
    """
    (image, image2), (z, z2) = images, codes
    return 1 / (F.l1_loss(image2, image) / F.l1_loss(z2, z) + 1e-5)


class Drit(Method):
    """An image has attributes and a content, from which no discriminator should tell its domain.

    c_x = E_c(x) plus noise, a_x is drawn from the normal distribution that E_A(x) gives, and G(c,
    a, B) is an image of the target domain. c_v and a_u are encoded from the images v and u. The
    terms are those of x; those of y are the same with the domains exchanged.

        u = G(c_y, a_x, A),  v = G(c_x, a_y, B)            attributes exchanged
        GAN         cross-entropy of D_B(v) with 1, summed over three scales
        content     cross-entropy of D_c(c_x) with 1/2     lambda_content
        self        |G(c_x, a_x, A) - x|                   lambda_rec
        cross-cycle |G(c_v, a_u, A) - x|                   lambda_rec
        KL          KL(a_x, N(0, 1)) + mean c_x^2          lambda_kl

    A second update has two images w_i = G(c_x, z_i, B) of random attributes z_1 and z_2:

        GAN         cross-entropy of D2_B(w_i) with 1
        latent      |E_B(w_1) - z_1|                       lambda_latent
        modes       1 / (|w_1 - w_2| / |z_1 - z_2| + 1e-5)

    Followed: the authors' release (github.com/HsinYingLee/DRIT) with its own networks, in its
    variant that concatenates attributes, and with mode seeking (DRIT++, the default since April
    2019). In a batch of two, the second images are for the second discriminators. A discriminator
    minimises the whole sum of its cross-entropies. Weights start from N(0, 0.02).

    Different: the release updates only the content discriminator on two of three batches, and
    everything on the third. A step here does all of this on one batch. The release's second update
    differentiates a graph whose weights the first has changed, which torch now refuses; that part
    of the graph is computed again, with the noise of the first pass. In a batch of one, the second
    discriminators see the image of the first.

    Settings: weights and Adam are the release's. Here 100 + 100 epochs; the release has 600 + 600,
    with updates of the generator on every third batch, so it makes twice as many. Crops have the
    size of the test images; the release crops 216 of 256 pixels.

    Scored: one translation per image, with attributes drawn from the image's pixels, so that it is
    the same in every batch, run and epoch. The release draws new ones.

    Passes: per step of two pairs, 14 images by G, 10 contents and 6 attributes encoded.
    """

    name = "drit"
    summary = "DRIT: shared content and domain attributes, exchanged and translated back"
    citation = "Lee et al.: Diverse I2I Translation via Disentangled Representations, ECCV 2018"
    Options = DritOptions
    schedule = Schedule(100, 100, batch_size=2)
    stride = 4
    channels = "any"
    generator = ("E_c", "G")
    losses = {
        "G_GAN": Loss("generator, adversarial", "cross-entropy, nats, sum"),
        "G_GAN2": Loss("generator with random attributes, adversarial", "cross-entropy, nats, sum"),
        "content": Loss("content, adversarial", "cross-entropy, nats, sum", "lambda_content"),
        "rec": Loss("reconstruction", "L1, sum", "lambda_rec"),
        "cross": Loss("cross-cycle", "L1, sum", "lambda_rec"),
        "kl": Loss("divergence of attributes, size of contents", "nats, sum", "lambda_kl"),
        "latent": Loss("regression of attributes", "L1, sum", "lambda_latent"),
        "modes": Loss("mode seeking", "change of attributes per change of images, sum"),
        "D_c": Loss(
            "discriminator of contents",
            "cross-entropy, nats, sum",
            chance=lambda _: 2 * math.log(2),
            at_chance="undecided",
        ),
        **{
            f"{D}_{side}": Loss(f"{words} of the {domain}", "cross-entropy, nats, sum")
            for D, words in (("D", "discriminator"), ("D2", "second discriminator"))
            for side, domain in (("A", "source"), ("B", "target"))
        },
    }

    authors = AUTHORS

    def __init__(self, options: DritOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        channels = dict(zip("AB", o.images.channels, strict=True))
        self.add(
            E_c=ContentEncoder(o.ngf, o.images.channels),
            E_A=AttributeEncoder(o.ndf, o.nz, channels["A"]),
            E_B=AttributeEncoder(o.ndf, o.nz, channels["B"]),
            G=Generator(o.ngf, o.nz, o.images.channels),
            D_c=ContentDiscriminator(4 * o.ngf),
            **{
                name: MultiScaleDiscriminator(
                    *(o.ndf, o.n_layers, o.n_scales), slope=0.01, n_in=channels[name[-1]]
                )
                for name in JUDGES
            },
            initialise=initialise,
        )
        self.adam(G=("E_c", "G"), E=("E_A", "E_B"), D=JUDGES)
        self.adam(D_c="D_c", lr=o.lr / 2.5)

    @classmethod
    def check(cls, options: DritOptions, size: tuple[int, int]) -> None:
        """Refuse sizes that the discriminators halve to under a pixel, and those of every method.

        Raises:
            UserError: the size, and the least one.
        """
        super().check(options, size)
        check_size(size, options.n_layers)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the content discriminator, the image discriminators, then everything else."""
        half = max(1, len(batch.source) // 2)
        real = dict(zip("AB", (x[:half] for x in batch), strict=True))
        others = dict(zip("AB", (x[half:] if len(x) > 1 else x for x in batch), strict=True))
        losses: dict[str, Tensor] = {}
        for i in range(self.options.d_iter - 1):
            content, _ = self._noisy_contents(real, f"content{i}")
            losses |= self._content_discriminator_step(content)
        code = self._encode(real, "forward")
        z = self._codes(real["A"])
        fake = self._translate(code, z)
        losses |= self._discriminators_step(real, others, fake)
        losses |= self._content_discriminator_step(code["content"])
        losses |= self._generator_step(real, code, fake)
        return losses | self._latent_step(real, code["noise"], z)

    @classmethod
    def scored(cls, options: DritOptions) -> str:
        """Return which translation is scored."""
        return "one sample per image, drawn from its pixels"

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1], each image with its own attributes."""
        content = self.E_c(images, "A")
        return self.G(content, latent_for(images, self.options.nz), "B")

    # -- codes and images, by domain -------------------------------------------------------------

    def _codes(self, images: Tensor) -> list[Tensor]:
        """Draw the random attributes of a step, (N, nz): one, or two for mode seeking."""
        names = ["forward/z", "forward/z2"] if self.options.mode_seeking else ["forward/z"]
        return [self.draw_normal(name, (len(images), self.options.nz), images) for name in names]

    def _contents(self, images: dict[str, Tensor]) -> dict[str, Tensor]:
        return {x: self.E_c(images[x], x) for x in "AB"}

    def _noisy_contents(
        self, images: dict[str, Tensor], when: str
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the contents with noise from N(0, 1), and the noise."""
        clean = self._contents(images)
        noise = {x: self.draw_normal(f"{when}/noise_{x}", c.shape, c) for x, c in clean.items()}
        return {x: clean[x] + noise[x] for x in "AB"}, noise

    def _encode(self, images: dict[str, Tensor], when: str) -> dict[str, Any]:
        """Return by domain: noisy content, its noise, attributes, their means and log-variances."""
        gauss = {x: self.networks[f"E_{x}"](images[x]) for x in "AB"}
        attributes = {}
        for x, (mean, log_variance) in gauss.items():
            normal = self.draw_normal(f"{when}/eps_{x}", mean.shape, mean)
            attributes[x] = mean + normal * (0.5 * log_variance).exp()
        content, noise = self._noisy_contents(images, when)
        return {"content": content, "noise": noise, "attributes": attributes, "gauss": gauss}

    def _translate(self, code: dict[str, Any], z: Sequence[Tensor]) -> dict[str, dict[str, Any]]:
        """Return images by kind and domain: exchanged, same (own content), random (by `z`)."""
        content, attributes = code["content"], code["attributes"]
        made: dict[str, dict[str, Any]] = {"exchanged": {}, "same": {}, "random": {}}
        for x in "AB":
            contents = [content[OTHER[x]], content[x], *(content[OTHER[x]] for _ in z)]
            codes = torch.cat([attributes[x], attributes[x], *z])
            images = self.G(torch.cat(contents), codes, x).chunk(len(contents))
            made["exchanged"][x], made["same"][x], *made["random"][x] = images
        return made

    # -- updates ---------------------------------------------------------------------------------

    def _content_discriminator_step(self, content: dict[str, Tensor]) -> dict[str, Tensor]:
        loss = bce(self.D_c(content["A"].detach()), 0) + bce(self.D_c(content["B"].detach()), 1)
        return self.update("D_c", {"D_c": loss}, clip=5)

    def _discriminators_step(
        self,
        real: dict[str, Tensor],
        others: dict[str, Tensor],
        fake: dict[str, dict[str, Any]],
    ) -> dict[str, Tensor]:
        losses = {}
        for x in "AB":
            # With mode seeking the real image counts twice, once with each random one.
            fakes = [("D", real, [fake["exchanged"][x]]), ("D2", others, fake["random"][x])]
            for D, given, images in fakes:
                judge = self.networks[f"{D}_{x}"]
                terms = [bce(p, 1) * len(images) for p in judge(given[x])]
                terms += [bce(p, 0) for image in images for p in judge(image.detach())]
                losses[f"{D}_{x}"] = torch.stack(terms).sum()
        return self.update("D", losses)

    def _generator_step(
        self, real: dict[str, Tensor], code: dict[str, Any], fake: dict[str, dict[str, Any]]
    ) -> dict[str, Tensor]:
        """Update encoders and generator by all terms, except those of random attributes."""
        o, net = self.options, self.networks
        # exchanged[x] is of domain x, with the content of the other domain's image.
        exchanged = fake["exchanged"]
        back = self._encode(exchanged, "back")
        terms: dict[str, list[Tensor]] = {k: [] for k in ("G_GAN", "content", "rec", "cross", "kl")}
        for x in "AB":
            terms["G_GAN"] += [bce(p, 1) for p in net[f"D_{x}"](exchanged[x])]
            terms["content"].append(bce(self.D_c(code["content"][x]), 0.5))
            terms["rec"].append(F.l1_loss(fake["same"][x], real[x]))
            content = back["content"][OTHER[x]]
            again = self.G(content, back["attributes"][x], x)
            terms["cross"].append(F.l1_loss(again, real[x]))
            terms["kl"] += [kl(*code["gauss"][x]), code["content"][x].square().mean()]
        weights = {
            "G_GAN": 1.0,
            "content": o.lambda_content,
            "rec": o.lambda_rec,
            "cross": o.lambda_rec,
            "kl": o.lambda_kl,
        }
        losses = {k: torch.stack(v).sum() * weights[k] for k, v in terms.items()}
        return self.update(("G", "E"), losses)

    def _latent_step(
        self, real: dict[str, Tensor], noise: dict[str, Tensor], z: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        """Update content encoder and generator by images with random attributes `z`."""
        clean = self._contents(real)
        adversarial, latent, modes = [], [], []
        for x in "AB":
            # The release still has the noise of the first pass; recordings of it have new noise.
            kept = self.draw(f"latent/noise_{OTHER[x]}", lambda _, y=OTHER[x]: noise[y])
            content = clean[OTHER[x]] + kept
            images = self.G(torch.cat([content] * len(z)), torch.cat(list(z)), x).chunk(len(z))
            judge = self.networks[f"D2_{x}"]
            adversarial += [bce(p, 1) for image in images for p in judge(image)]
            latent.append(F.l1_loss(self.networks[f"E_{x}"](images[0])[0], z[0]))
            if self.options.mode_seeking:
                modes.append(mode_seeking(images, z))
        losses = {
            "G_GAN2": torch.stack(adversarial).sum(),
            "latent": torch.stack(latent).sum() * self.options.lambda_latent,
        }
        if modes:
            losses["modes"] = torch.stack(modes).sum()
        return self.update("G", losses)
