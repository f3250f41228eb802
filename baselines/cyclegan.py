"""CycleGAN: two generators that undo each other."""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from cut.methods.channels import Takes
from cut.methods.contract import Batch, Method, Schedule
from cut.methods.loss import Loss, lsgan_term
from cut.methods.options import NetworkOptions, PoolSize, Weight
from cut.nets.image_pool import ImagePool
from cut.nets.losses import lsgan, lsgan_discriminator
from cut.nets.networks import Generator


class CycleGanOptions(NetworkOptions):
    """CycleGAN's options; the defaults are those behind Table 1 of the CUT paper."""

    lambda_a: Weight = Field(10.0, description="weight of the cycle source-target-source")
    lambda_b: Weight = Field(10.0, description="weight of the cycle target-source-target")
    # The paper's 77.2 on horse2zebra is without an identity term; 0.5 gives about 62.
    lambda_identity: Weight = Field(0.0, description="weight of identity, times lambda_a, _b")
    pool_size: PoolSize = Field(50, description="earlier translations kept for D (0: none)")


class CycleGan(Method):
    """A translation to the target and back should return the input.

    G_A translates to the target and G_B back. D_A judges images of the target, D_B of the source.

        L_A   = mean (D_A(G_A(x)) - 1)^2,  L_B = mean (D_B(G_B(y)) - 1)^2
        cycle = lambda_a |G_B(G_A(x)) - x| + lambda_b |G_A(G_B(y)) - y|
        idt   = lambda_identity (lambda_b |G_A(y) - y| + lambda_a |G_B(x) - x|)
        G_A and G_B minimise  L_A + L_B + cycle + idt

    The discriminators see translations from a pool of the last 50.

    Followed: the CycleGAN in the release of CUT's authors, from which the recordings are, with the
    networks that the CUT paper shares between its methods. CycleGAN's own networks do not blur:
    `antialias: false` and `antialias_up: false`.

    Different: nothing in the step.

    Settings: 100 + 100 epochs and batch size 1. The identity weight is 0, with which mmgeneration
    lists an FID of 77.2 on horse2zebra, the value of the CUT paper's Table 1; with 0.5 it lists
    62.1. CUT's release has 0.5 and 200 + 200 epochs by default.

    Passes: per pair of images, 4 of the generators, or 6 with the identity term.
    """

    name = "cyclegan"
    summary = "CycleGAN: translating there and back should return the input"
    citation = "Zhu, Park, Isola, Efros: Unpaired I2I Translation using CycleGANs, ICCV 2017"
    Options = CycleGanOptions
    schedule = Schedule(100, 100)
    stride = Generator.stride
    generator = ("G_A",)
    losses = {
        "G_A": lsgan_term("generator to the target, adversarial"),
        "G_B": lsgan_term("generator to the source, adversarial"),
        "cycle_A": Loss("cycle from the source", "L1", "lambda_a"),
        "cycle_B": Loss("cycle from the target", "L1", "lambda_b"),
        "idt_A": Loss("identity of the target", "L1"),
        "idt_B": Loss("identity of the source", "L1"),
        "D_A": lsgan_term("discriminator of the target"),
        "D_B": lsgan_term("discriminator of the source"),
    }

    def __init__(self, options: CycleGanOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        self.add(G_A=o.generator(), G_B=o.generator(back=True))
        self.add(D_A=o.discriminator(), D_B=o.discriminator(of_source=True))
        self.adam(G=("G_A", "G_B"), D=("D_A", "D_B"))
        seen = {"A": "fake_B", "B": "fake_A"}  # D_A judges translations of A, images of B
        pools = {x: ImagePool(o.pool_size, self.draw, fake) for x, fake in seen.items()}
        self.pools = nn.ModuleDict(pools)

    @classmethod
    def takes(cls, options: CycleGanOptions) -> Takes:
        """Return "any" without the identity term, which translates target images."""
        return "equal" if options.lambda_identity > 0 else "any"

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update both generators together, then both discriminators."""
        o, (a, b) = self.options, batch
        fake_b, fake_a = self.G_A(a), self.G_B(b)
        losses = {
            "G_A": lsgan(self.D_A(fake_b), real=True),
            "G_B": lsgan(self.D_B(fake_a), real=True),
            "cycle_A": F.l1_loss(self.G_B(fake_b), a) * o.lambda_a,
            "cycle_B": F.l1_loss(self.G_A(fake_a), b) * o.lambda_b,
        }
        if o.lambda_identity > 0:
            weight_a, weight_b = o.lambda_a * o.lambda_identity, o.lambda_b * o.lambda_identity
            losses["idt_A"] = F.l1_loss(self.G_A(b), b) * weight_b
            losses["idt_B"] = F.l1_loss(self.G_B(a), a) * weight_a
        losses = self.update("G", losses)
        judged = {
            "D_A": lsgan_discriminator(self.D_A, b, self.pools["A"].exchange(fake_b)),
            "D_B": lsgan_discriminator(self.D_B, a, self.pools["B"].exchange(fake_a)),
        }
        return losses | self.update("D", judged)

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1]."""
        return self.G_A(images)
