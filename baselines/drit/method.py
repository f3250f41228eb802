"""DRIT: diverse translation by disentangled content and attributes.

Lee, Tseng, Huang, Singh and Yang, ECCV 2018. Networks, losses, weights and optimizers are those of
the authors' release (github.com/HsinYingLee/DRIT). It differs in five ways:

- The release updates the content's discriminator alone on two batches of three, and everything on
  the third. A step here does all of it on one batch: `d_iter` updates of that discriminator, each
  with noise of its own, and one of everything else.
- Its second update of the generator differentiates a graph whose weights the first has changed,
  which torch now refuses; here that part of the graph is computed again.
- The second half of a batch of two shows real images to the second discriminators. A batch of one
  shows them the same image as the first.
- The learning rate follows this benchmark's schedule: 100 + 100 epochs, not 600 + 600.
- Every test image gets attributes of its own, drawn from its pixels, so that they do not depend on
  the batch. The release draws anew each time.

The numbers published for it in the CUT paper were measured on JPEG files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from baselines.drit.networks import (
    AttributeEncoder,
    ContentDiscriminator,
    ContentEncoder,
    Generator,
    initialise,
)
from baselines.munit import networks as munit_networks
from baselines.munit.networks import MultiScaleDiscriminator, latent_for
from cut.methods.contract import Batch, Method, Options

OTHER = {"A": "B", "B": "A"}
JUDGES = ("D_A", "D_B", "D2_A", "D2_B")


class DritOptions(Options):
    """DRIT's options; the defaults are the authors'."""

    ngf: int = Field(64, ge=1, description="channels of the content encoders' first layer")
    ndf: int = Field(64, ge=1, description="channels of the discriminators' first layer")
    nz: int = Field(8, ge=1, description="length of an attribute code")
    n_layers: int = Field(4, ge=1, description="layers of each discriminator, each of stride 2")
    n_scales: int = Field(3, ge=1, description="scales of the discriminators, those that fit")
    d_iter: int = Field(3, ge=1, description="updates of the content's discriminator a step")
    lambda_content: float = Field(1.0, ge=0, description="weight of the content's GAN terms")
    lambda_rec: float = Field(10.0, ge=0, description="weight of self and cross-cycle terms")
    lambda_kl: float = Field(0.01, ge=0, description="weight of KL and of the content's size")
    lambda_latent: float = Field(10.0, ge=0, description="weight of latent regression")
    lr: float = Field(0.0001, gt=0, description="Adam's rate (the content's discriminator: /2.5)")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first-moment decay")
    beta2: float = Field(0.999, ge=0, lt=1, description="Adam's second-moment decay")
    weight_decay: float = Field(0.0001, ge=0, description="Adam's L2 penalty")


def bce(prediction: Tensor, label: float) -> Tensor:
    """Return the binary cross-entropy of values before the sigmoid, a scalar."""
    return F.binary_cross_entropy_with_logits(prediction, torch.full_like(prediction, label))


def kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return the divergence of N(mean, variance) from N(0, 1), summed over all (N, nz) entries."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum()


class Drit(Method):
    """DRIT with attributes concatenated."""

    name = "drit"
    summary = "DRIT: domain-free content and a domain's attributes, exchanged and brought back"
    citation = "Lee et al.: Diverse I2I Translation via Disentangled Representations, ECCV 2018"
    Options = DritOptions
    training = {"epochs_constant": 100, "epochs_decay": 100, "batch_size": 2}
    stride = 4

    def __init__(self, options: DritOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        nets: dict[str, nn.Module] = {
            "E_c": ContentEncoder(o.ngf),
            "E_A": AttributeEncoder(o.ndf, o.nz),
            "E_B": AttributeEncoder(o.ndf, o.nz),
            "G": Generator(o.ngf, o.nz),
            "D_c": ContentDiscriminator(4 * o.ngf),
        }
        for name in JUDGES:
            nets[name] = MultiScaleDiscriminator(o.ndf, o.n_layers, o.n_scales, slope=0.01)
        for name, net in nets.items():
            self.add(name, net, initialise)
            self.optimizers[name] = torch.optim.Adam(
                net.parameters(),
                lr=o.lr / 2.5 if name == "D_c" else o.lr,
                betas=(o.beta1, o.beta2),
                weight_decay=o.weight_decay,
            )

    @classmethod
    def code_files(cls) -> set[Path]:
        """Return what any method answers for, and the file of the networks that MUNIT lends."""
        return super().code_files() | {Path(munit_networks.__file__)}

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the content's discriminator, the images' discriminators, then all the rest."""
        half = max(1, len(batch.source) // 2)
        real = dict(zip("AB", (x[:half] for x in batch), strict=True))
        others = dict(zip("AB", (x[half:] if len(x) > 1 else x for x in batch), strict=True))
        z = self._draw(half).to(real["A"])
        losses = {}
        for _ in range(self.options.d_iter - 1):
            losses["D_c"] = self._content_discriminator_step(self._contents(real))
        code = self._encode(real)
        fake = self._translate(code, z)
        losses |= self._discriminators_step(real, others, fake)
        losses["D_c"] = self._content_discriminator_step(code["content"])
        losses |= self._generator_step(real, code, fake)
        losses |= self._latent_step(real, z)
        return {name: loss.detach() for name, loss in losses.items()}

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1], each image with attributes of its own."""
        content = self.networks["E_c"](images, "A")
        return self.networks["G"](content, latent_for(images, self.options.nz), "B")

    # -- codes and images, by domain -------------------------------------------------------------

    def _draw(self, n: int) -> Tensor:
        return torch.randn(n, self.options.nz, generator=self.rng)

    def _contents(self, images: dict[str, Tensor]) -> dict[str, Tensor]:
        return {x: self.networks["E_c"](images[x], x, self.rng) for x in "AB"}

    def _encode(self, images: dict[str, Tensor]) -> dict[str, Any]:
        """Return content, attributes (sampled), and their means and log-variances, by domain."""
        gauss = {x: self.networks[f"E_{x}"](images[x]) for x in "AB"}
        attributes = {
            x: mean + self._draw(len(mean)).to(mean) * (0.5 * log_variance).exp()
            for x, (mean, log_variance) in gauss.items()
        }
        return {"content": self._contents(images), "attributes": attributes, "gauss": gauss}

    def _translate(self, code: dict[str, Any], z: Tensor) -> dict[str, dict[str, Tensor]]:
        """Return, by the domain they are of: exchanged, same (own content), and random (`z`)."""
        content, attributes = code["content"], code["attributes"]
        made: dict[str, dict[str, Tensor]] = {"exchanged": {}, "same": {}, "random": {}}
        for x in "AB":
            contents = torch.cat([content[OTHER[x]], content[x], content[OTHER[x]]])
            codes = torch.cat([attributes[x], attributes[x], z])
            images = self.networks["G"](contents, codes, x).chunk(3)
            for kind, image in zip(made, images, strict=True):
                made[kind][x] = image
        return made

    # -- updates ---------------------------------------------------------------------------------

    def _update(self, names: tuple[str, ...], loss: Tensor) -> None:
        for name in names:
            self.optimizers[name].zero_grad()
        loss.backward()
        if "D_c" in names:
            nn.utils.clip_grad_norm_(self.networks["D_c"].parameters(), 5)
        for name in names:
            self.optimizers[name].step()

    def _content_discriminator_step(self, content: dict[str, Tensor]) -> Tensor:
        D = self.networks["D_c"]
        loss = bce(D(content["A"].detach()), 0) + bce(D(content["B"].detach()), 1)
        self._update(("D_c",), loss)
        return loss

    def _discriminators_step(
        self,
        real: dict[str, Tensor],
        others: dict[str, Tensor],
        fake: dict[str, dict[str, Tensor]],
    ) -> dict[str, Tensor]:
        losses = {}
        for kind, D, given in (("exchanged", "D", real), ("random", "D2", others)):
            for x in "AB":
                judge = self.networks[f"{D}_{x}"]
                terms = [bce(p, 1) for p in judge(given[x])]
                terms += [bce(p, 0) for p in judge(fake[kind][x].detach())]
                losses[f"{D}_{x}"] = torch.stack(terms).sum()
        self._update(JUDGES, torch.stack(list(losses.values())).sum())
        return losses

    def _freeze(self, frozen: bool) -> None:
        for name in (*JUDGES, "D_c"):
            self.networks[name].requires_grad_(not frozen)

    def _generator_step(
        self, real: dict[str, Tensor], code: dict[str, Any], fake: dict[str, dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """Update encoders and generator by all terms but those of the random attributes."""
        o, net = self.options, self.networks
        self._freeze(True)
        # Of domain x is the image with the other's content: so is what is encoded from it.
        exchanged = fake["exchanged"]
        back = self._encode(exchanged)
        terms: dict[str, list[Tensor]] = {k: [] for k in ("G_GAN", "content", "rec", "cross", "kl")}
        for x in "AB":
            terms["G_GAN"] += [bce(p, 1) for p in net[f"D_{x}"](exchanged[x])]
            terms["content"].append(bce(net["D_c"](code["content"][x]), 0.5))
            terms["rec"].append(F.l1_loss(fake["same"][x], real[x]))
            content = back["content"][OTHER[x]]
            again = net["G"](content, back["attributes"][x], x)
            terms["cross"].append(F.l1_loss(again, real[x]))
            terms["kl"] += [kl(*code["gauss"][x]), code["content"][x].square().mean()]
        weights = {"G_GAN": 1.0, "content": o.lambda_content, "rec": o.lambda_rec,
                   "cross": o.lambda_rec, "kl": o.lambda_kl}  # fmt: skip
        losses = {k: torch.stack(v).sum() * weights[k] for k, v in terms.items()}
        self._update(("E_c", "E_A", "E_B", "G"), torch.stack(list(losses.values())).sum())
        self._freeze(False)
        return losses

    def _latent_step(self, real: dict[str, Tensor], z: Tensor) -> dict[str, Tensor]:
        """Update content encoder and generator by images of random attributes."""
        self._freeze(True)
        content = self._contents(real)
        adversarial, latent = [], []
        for x in "AB":
            image = self.networks["G"](content[OTHER[x]], z, x)
            adversarial += [bce(p, 1) for p in self.networks[f"D2_{x}"](image)]
            latent.append(F.l1_loss(self.networks[f"E_{x}"](image)[0], z))
        losses = {
            "G_GAN2": torch.stack(adversarial).sum(),
            "latent": torch.stack(latent).sum() * self.options.lambda_latent,
        }
        self._update(("E_c", "G"), losses["G_GAN2"] + losses["latent"])
        self._freeze(False)
        return losses

    def generator_state(self) -> dict[str, dict[str, Tensor]]:
        """Return the weights of the content encoder and of the generator."""
        return {name: self.networks[name].state_dict() for name in ("E_c", "G")}

    def load_generator_state(self, state: dict[str, dict[str, Tensor]]) -> None:
        """Take back what `generator_state` gave."""
        for name, weights in state.items():
            self.networks[name].load_state_dict(weights)
