"""MUNIT: multimodal translation by content and style."""

from __future__ import annotations

from functools import partial

import torch
from pydantic import Field
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
from cut.methods.correspondence import Correspondence, Given
from cut.methods.loss import Loss
from cut.methods.options import Weight
from cut.nets.losses import lsgan


class MunitOptions(AutoEncoderOptions):
    """MUNIT's options; the defaults are the authors' for photographs of 256 pixels."""

    lambda_x: Weight = Field(10.0, description="weight of image reconstruction")
    lambda_s: Weight = Field(1.0, description="weight of style reconstruction")
    lambda_c: Weight = Field(1.0, description="weight of content reconstruction")
    # 0 in the paper's objective, and in the release's settings for edges to photographs.
    lambda_cycle: Weight = Field(10.0, description="weight of style-augmented cycle terms")


def recorded_outputs(method: Munit, given: Given) -> dict[str, Tensor]:
    """Return codes and translation of the first sources, by their names in recordings."""
    content, style = method.G_A.encode(given("A"))
    outputs = {"content_A": content, "style_A": style}
    if "fake_B" in given:
        outputs["fake_B"] = method.G_B.decode(content, given("style/D_b"))
    return outputs


class Munit(Method):
    """An image has a content, which is kept, and a style, which a translation draws at random.

    Each domain has an auto-encoder: (c, s) = E(image), image = G(c, s). For x of the source domain
    1 and a style s_2 ~ N(0, 1) of the target domain 2, the translation is x_12 = G_2(c_x, s_2). The
    terms below are those of x; those of y are the same with the domains exchanged.

        GAN     mean (D_2(x_12) - 1)^2, summed over three scales
        image   |G_1(c_x, s_x) - x|                          lambda_x
        style   |E_2(x_12)'s style - s_2|                    lambda_s
        content |E_2(x_12)'s content - c_x|                  lambda_c
        cycle   |G_1(E_2(x_12)'s content, s_x) - x|          lambda_cycle

    The auto-encoders minimise the weighted sum.

    Followed: the authors' release (github.com/NVlabs/MUNIT) with its settings for photographs and
    its own networks. Its perceptual loss has the weight 0 there and is left out. A discriminator
    minimises the whole sum of its terms, not half of it. Weights of auto-encoders start from
    Kaiming's normal, those of discriminators from N(0, 0.02).

    Different: nothing in the step.

    Settings: weights and Adam are the release's for photographs; the release trains 1,000,000 steps
    of batch size 1 with the rate halved every 100,000, here it is 100 + 100 epochs with this
    benchmark's schedule. The release has no jitter of crops; a row needs `load_size` for that, as
    in `config/table1.yaml`.

    Scored: one translation per image, with a style drawn from the image's pixels, so that it is the
    same in every batch, run and epoch. The release draws new styles.

    Passes: per pair of images, 6 decodings and the encoding of 4 contents and 4 styles; 2 decodings
    and 2 contents more without gradient.
    """

    name = "munit"
    summary = "MUNIT: separate content and style; a translation takes a style from a normal prior"
    citation = "Huang, Liu, Belongie, Kautz: Multimodal Unsupervised I2I Translation, ECCV 2018"
    Options = MunitOptions
    schedule = Schedule(100, 100)
    stride = 4
    channels = "any"
    generator = ("G_A", "G_B")  # one encodes, the other decodes
    losses = {
        "G_GAN": Loss("generator, adversarial", "squared error, sum", "lambda_gan"),
        "x": Loss("reconstruction of images", "L1, sum", "lambda_x"),
        "s": Loss("reconstruction of styles", "L1, sum", "lambda_s"),
        "c": Loss("reconstruction of contents", "L1, sum", "lambda_c"),
        "cycle": Loss("style-augmented cycle", "L1, sum", "lambda_cycle"),
        "D_A": Loss("discriminator of the source", "squared error, sum", "lambda_gan"),
        "D_B": Loss("discriminator of the target", "squared error, sum", "lambda_gan"),
    }
    authors = Correspondence(
        losses=[
            "D_A = lambda_gan*dis_a",
            "D_B = lambda_gan*dis_b",
            "D_A + D_B = dis_total",
            "G_GAN = lambda_gan*gen_adv_a + lambda_gan*gen_adv_b",
            "x = lambda_x*gen_recon_x_a + lambda_x*gen_recon_x_b",
            "s = lambda_s*gen_recon_s_a + lambda_s*gen_recon_s_b",
            "c = lambda_c*gen_recon_c_a + lambda_c*gen_recon_c_b",
            "cycle = lambda_cycle*gen_cycrecon_x_a + lambda_cycle*gen_cycrecon_x_b",
            "G_GAN + x + s + c + cycle = gen_total",
        ],
        outputs=recorded_outputs,
    )

    def __init__(self, options: MunitOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        shape = (o.ngf, o.n_downsample, o.n_blocks, o.style_dim, o.mlp_dim)
        for side, n in zip("AB", o.images.channels, strict=True):
            coder = AutoEncoder(*shape, n_out=n, n_in=n)
            judge = MultiScaleDiscriminator(o.ndf, o.n_layers, o.n_scales, n_in=n)
            self.add(**{f"G_{side}": coder}, initialise=partial(initialise, kind="kaiming"))
            self.add(**{f"D_{side}": judge}, initialise=partial(initialise, kind="normal"))
        self.adam(G=("G_A", "G_B"), D=("D_A", "D_B"))

    @classmethod
    def check(cls, options: MunitOptions, size: tuple[int, int]) -> None:
        """Refuse sizes that the discriminators halve to under a pixel, and those of every method.

        Raises:
            UserError: the size, and the least one.
        """
        super().check(options, size)
        check_size(size, options.n_layers)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update both discriminators, then both auto-encoders, with styles drawn for each."""
        losses = self.update("D", self._discriminator_losses(batch))
        style = {"A": self._style(batch.source, "G_a"), "B": self._style(batch.target, "G_b")}
        return losses | self.update("G", self.generator_losses(batch, style))

    @classmethod
    def scored(cls, options: MunitOptions) -> str:
        """Return which translation is scored."""
        return "one sample per image, drawn from its pixels"

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1], each image with its own style."""
        content = self.G_A.content(images)
        return self.G_B.decode(content, latent_for(images, self.options.style_dim))

    def _style(self, like: Tensor, name: str) -> Tensor:
        """Draw a style for each image."""
        shape = len(like), self.options.style_dim
        return self.draw_normal(f"style/{name}", shape, like)

    def _discriminator_losses(self, batch: Batch) -> dict[str, Tensor]:
        a, b = batch
        with torch.no_grad():
            fake_a = self.G_A.decode(self.G_B.content(b), self._style(b, "D_a"))
            fake_b = self.G_B.decode(self.G_A.content(a), self._style(a, "D_b"))
        losses = {}
        for side, real, fake in (("A", a, fake_a), ("B", b, fake_b)):
            D = self.networks[f"D_{side}"]
            terms = [lsgan(p, real=True) for p in D(real)] + [lsgan(p, real=False) for p in D(fake)]
            losses[f"D_{side}"] = torch.stack(terms).sum() * self.options.lambda_gan
        return losses

    def generator_losses(self, batch: Batch, style: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the weighted terms, each the sum of both domains'.

        `style` holds the codes (N, style_dim) with which images become those of "A" and of "B".
        """
        o, net = self.options, self.networks
        real = dict(zip("AB", batch, strict=True))
        code = {x: net[f"G_{x}"].encode(real[x]) for x in "AB"}
        other = {"A": "B", "B": "A"}
        # fake[x] is of domain x, with the content of the other domain's image.
        fake = {x: net[f"G_{x}"].decode(code[other[x]][0], style[x]) for x in "AB"}
        again = {x: net[f"G_{x}"].encode(fake[x]) for x in "AB"}
        terms: dict[str, list[Tensor]] = {name: [] for name in ("G_GAN", "x", "s", "c", "cycle")}
        for x in "AB":
            content, own = code[x]
            terms["G_GAN"] += [lsgan(p, real=True) for p in net[f"D_{x}"](fake[x])]
            terms["x"].append(F.l1_loss(net[f"G_{x}"].decode(content, own), real[x]))
            terms["s"].append(F.l1_loss(again[x][1], style[x]))
            terms["c"].append(F.l1_loss(again[other[x]][0], content))
            if o.lambda_cycle > 0:
                back = net[f"G_{x}"].decode(again[other[x]][0], own)
                terms["cycle"].append(F.l1_loss(back, real[x]))
        weights = {
            "G_GAN": o.lambda_gan,
            "x": o.lambda_x,
            "s": o.lambda_s,
            "c": o.lambda_c,
            "cycle": o.lambda_cycle,
        }
        return {k: torch.stack(v).sum() * weights[k] for k, v in terms.items() if v}
