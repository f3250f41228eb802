"""DCLGAN: contrastive learning in both directions at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from cut.methods.contract import Batch, Method, Schedule
from cut.methods.correspondence import Correspondence, Given
from cut.methods.cut_options import PatchNceOptions
from cut.methods.loss import Loss, lsgan_term
from cut.methods.options import Layers, PoolSize, Weight
from cut.nets import networks
from cut.nets.image_pool import ImagePool
from cut.nets.losses import lsgan, patch_nce


class DualOptions(PatchNceOptions):
    """Options that DCLGAN and SimDCL share."""

    lambda_gan: Weight = Field(1.0, description="weight of the GAN terms")
    nce_layers: Layers = Field([4, 8, 12, 16], description="generator layers compared")
    gan_loss: Literal["hinge", "lsgan"] = Field(
        "hinge", description="loss of the discriminators' maps"
    )
    pool_size: PoolSize = Field(0, description="earlier translations kept for the discriminators")


class DclGanOptions(DualOptions):
    """Options of DCLGAN; the defaults are those of the authors' code."""

    lambda_nce: Weight = Field(2.0, description="weight of PatchNCE in both directions")
    lambda_identity: Weight = Field(1.0, description="weight of the L1 identity terms")
    lr_heads: float = Field(0.001, gt=0, le=10, description="learning rate of the heads")


def recorded_outputs(method: DclGan, given: Given) -> dict[str, Tensor]:
    """Return the images of a step's first pass, by their names in recordings."""
    a, b = given("A"), given("B")
    forward, backward = method.G_A, method.G_B
    return {"fake_B": forward(a), "fake_A": backward(b), "idt_A": forward(b), "idt_B": backward(a)}


class DclGan(Method):
    """CUT in both directions at once: one generator encodes the keys, the other the queries.

    G_A translates to the target and G_B back; E_A and E_B are their encoders. H_1 are the heads for
    source-like images, H_2 those for target-like ones. NCE(q, k) is CUT's PatchNCE.

        NCE_A = NCE(q = H_2(E_B(G_A(x))), k = H_1(E_A(x)))
        NCE_B = NCE(q = H_1(E_A(G_B(y))), k = H_2(E_B(y)))
        L_A   = mean max(0, 1 - D_A(G_A(x))),  L_B = mean max(0, 1 - D_B(G_B(y)))
        generators and heads minimise  (L_A + L_B) / 2 + lambda_nce (NCE_A + NCE_B) / 2
                                       + lambda_identity (|G_A(y) - y| + |G_B(x) - x|) / 2
        D_A minimises  (mean max(0, 1 - D_A(y)) + mean max(0, 1 + D_A(G_A(x)))) / 2

    Followed: the authors' release (github.com/JunlinHan/DCLGAN). The hinge stops pushing a
    generator where its discriminator exceeds 1; the usual one is -D. Negatives are of the whole
    batch, and keys get no gradient. The heads have an Adam with torch's defaults: rate 0.001, betas
    0.9 and 0.999. There is no pool of images, of which the paper's appendix has 50. The paper sums
    over layers and positions, where the release takes means.

    Different: nothing in the step. The release encodes the inputs again to get the keys.

    Settings: those of the release, with 200 + 200 epochs, batch size 1 and the rate 0.0002. The
    paper has 400 epochs with the rate 0.0001.

    Passes: per pair of images, 4 of the generators and 2 of their encoders.
    """

    name = "dclgan"
    summary = "DCLGAN: contrastive learning in both directions, with two generators"
    citation = (
        "Han, Shoeiby, Petersson, Armin: Dual Contrastive Learning for Unsupervised I2I"
        " Translation, NTIRE at CVPR 2021"
    )
    Options = DclGanOptions
    schedule = Schedule(200, 200)
    stride = networks.Generator.stride
    channels = "equal"
    generator = ("G_A",)  # source to target
    losses = {
        "G_GAN_A": Loss("generator to target, adversarial", weight="lambda_gan"),
        "G_GAN_B": Loss("generator to source, adversarial", weight="lambda_gan"),
        "NCE_A": Loss("PatchNCE, source to target", "cross-entropy, nats", "lambda_nce"),
        "NCE_B": Loss("PatchNCE, target to source", "cross-entropy, nats", "lambda_nce"),
        "identity_A": Loss("identity of target images", "L1", "lambda_identity"),
        "identity_B": Loss("identity of source images", "L1", "lambda_identity"),
        "G": Loss("generators, total", total=True),
        "D_A": lsgan_term("discriminator of the target"),
        "D_B": lsgan_term("discriminator of the source"),
    }
    # In the authors' names F1 and F2 are the heads of the source and of the target.
    authors = Correspondence(
        methods=("dcl",),
        options={"pool_size": "pool_size", "gan_mode": "gan_loss", "lambda_IDT": "lambda_identity"},
        losses=[
            "G_GAN_A = G_A",
            "G_GAN_B = G_B",
            "NCE_A = NCE1",
            "NCE_B = NCE2",
            "identity_A = idt_A",
            "identity_B = idt_B",
        ],
        outputs=recorded_outputs,
    )

    def __init__(self, options: DclGanOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        self.add(G_A=o.generator(), G_B=o.generator(), D_A=o.discriminator(), D_B=o.discriminator())
        channels = self.G_A.channels(o.nce_layers)
        self.add(**{f"F{i}": networks.ProjectionHeads(channels, o.width) for i in (1, 2)})
        self.adam(G=("G_A", "G_B"), D=("D_A", "D_B"))
        self.add_heads_optimizer()
        pools = {name: ImagePool(o.pool_size, self.draw, name) for name in ("fake_B", "fake_A")}
        self.pools = nn.ModuleDict(pools)

    def add_heads_optimizer(self) -> None:
        """Make the heads' optimizer: the authors' has torch's defaults, whatever `lr` is."""
        self.adam(lr=self.options.lr_heads, betas=(0.9, 0.999), F=("F1", "F2"))

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update both discriminators, then generators and heads together."""
        o, (a, b), n = self.options, batch, len(batch.source)
        layers = o.nce_layers
        # One pass per generator: translations, and identity images of its target domain.
        out_a, maps_a = self.G_A.with_features(torch.cat([a, b]), layers)
        out_b, maps_b = self.G_B.with_features(torch.cat([b, a]), layers)
        fake_b, fake_a = out_a[:n], out_b[: len(b)]
        losses = self.update("D", self._discriminator_losses(batch, fake_b, fake_a))
        terms = {
            "G_GAN_A": self._gan(self.D_A(fake_b), real=True) * o.lambda_gan,
            "G_GAN_B": self._gan(self.D_B(fake_a), real=True) * o.lambda_gan,
            "identity_A": F.l1_loss(out_a[n:], b) * self.lambda_identity,
            "identity_B": F.l1_loss(out_b[len(b) :], a) * self.lambda_identity,
        }
        keys = [m[:n] for m in maps_a], [m[: len(b)] for m in maps_b]
        terms |= self.contrast(keys, (fake_b, fake_a))
        # Each pair of terms is halved; what a variant adds is not.
        halved = [value for name, value in terms.items() if name in DclGan.losses]
        whole = [value for name, value in terms.items() if name not in DclGan.losses]
        total = sum(halved) / 2 + sum(whole)
        return losses | self.update(("G", "F"), {**terms, "G": total}, total=total)

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1]."""
        return self.G_A(images)

    @property
    def lambda_nce(self) -> float:
        """Return the weight of PatchNCE."""
        return self.options.lambda_nce

    @property
    def lambda_identity(self) -> float:
        """Return the weight of the identity terms."""
        return self.options.lambda_identity

    def contrast(
        self, keys: Sequence[Sequence[Tensor]], fakes: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        """Return the weighted PatchNCE of both directions.

        Args:
            keys: the maps of the inputs per layer, of the source and of the target.
            fakes: their translations, (N, 3, H, W).
        """
        losses = {}
        for i, name in enumerate(("NCE_A", "NCE_B")):
            ids = self.draw_positions(keys[i], self.options.n_patches)
            maps = self.encode_fake(i, fakes[i])
            losses[name] = self.patch_losses(
                self.heads(1 - i)(maps, ids), self.heads(i)(keys[i], ids)
            )
        return {name: loss * self.lambda_nce for name, loss in losses.items()}

    def heads(self, domain: int) -> networks.ProjectionHeads:
        """Return the heads of a domain: 0 for the source, 1 for the target."""
        return (self.F1, self.F2)[domain]

    def encode_fake(self, domain: int, fake: Tensor) -> list[Tensor]:
        """Return the maps of the translations of a domain, by the other generator's encoder."""
        return (self.G_B, self.G_A)[domain].encode(fake, self.options.nce_layers)

    def patch_losses(self, q: Sequence[Tensor], k: Sequence[Tensor]) -> Tensor:
        """Return the mean PatchNCE over layers of (N, P, C) vectors, by their cosines.

        Negatives are of the whole batch. The keys get no gradient.
        """
        pairs = [[F.normalize(v, dim=2) for v in pair] for pair in zip(q, k, strict=True)]
        return torch.stack([patch_nce(*pair, self.options.tau, True) for pair in pairs]).mean()

    def _gan(self, prediction: Tensor, real: bool) -> Tensor:
        if self.options.gan_loss == "lsgan":
            return lsgan(prediction, real)
        return F.relu(1 - prediction if real else 1 + prediction).mean()

    def _discriminator_losses(
        self, batch: Batch, fake_b: Tensor, fake_a: Tensor
    ) -> dict[str, Tensor]:
        fakes = {"D_A": ("fake_B", fake_b, batch.target), "D_B": ("fake_A", fake_a, batch.source)}
        losses = {}
        for name, (pool, fake, real) in fakes.items():
            judged = self.pools[pool].exchange(fake.detach())
            D = self.networks[name]
            losses[name] = (self._gan(D(real), True) + self._gan(D(judged), False)) / 2
        return losses
