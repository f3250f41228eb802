"""CycleGAN: two generators that undo each other.

Zhu, Park, Isola and Efros, ICCV 2017, with the networks that the CUT paper shares between its
methods (anti-aliased by default; `antialias: false, antialias_up: false` are CycleGAN's own). One
training step agrees with the authors' code to float64 rounding (`python -m cut parity`).
"""

from __future__ import annotations

import itertools
from typing import Any

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from cut.methods.contract import Batch, Method, NetworkOptions
from cut.nets.image_pool import ImagePool
from cut.nets.losses import lsgan
from cut.nets.networks import Discriminator, Generator, initialise


class CycleGanOptions(NetworkOptions):
    """CycleGAN's options; the defaults are those behind Table 1 of the CUT paper."""

    lambda_a: float = Field(10.0, ge=0, description="weight of the cycle source-target-source")
    lambda_b: float = Field(10.0, ge=0, description="weight of the cycle target-source-target")
    # 77.2 on horse2zebra, the paper's number, is that of no identity term; 0.5 gives about 62.
    lambda_identity: float = Field(0.0, ge=0, description="weight of identity, times lambda_a, _b")
    pool_size: int = Field(50, ge=0, description="earlier translations kept for D (0: none)")


class CycleGan(Method):
    """CycleGAN with least-squares GAN terms and a pool of 50 images."""

    name = "cyclegan"
    summary = "CycleGAN: translation there and back is to give the input again"
    citation = "Zhu, Park, Isola, Efros: Unpaired I2I Translation using CycleGANs, ICCV 2017"
    Options = CycleGanOptions
    training = {"epochs_constant": 100, "epochs_decay": 100}
    stride = Generator.stride

    def __init__(self, options: CycleGanOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        for name in ("G_A", "G_B"):
            network = Generator(o.ngf, o.n_blocks, o.antialias, o.antialias_up)
            self.add(name, network, lambda net, rng: initialise(net, rng, o.init_gain))
        for name in ("D_A", "D_B"):
            network = Discriminator(o.ndf, o.n_layers_D, o.antialias)
            self.add(name, network, lambda net, rng: initialise(net, rng, o.init_gain))
        for kind in "GD":
            both = itertools.chain(*(self.networks[f"{kind}_{x}"].parameters() for x in "AB"))
            self.optimizers[kind] = torch.optim.Adam(both, lr=o.lr, betas=(o.beta1, o.beta2))
        self.pools = {x: ImagePool(o.pool_size, self.rng) for x in "AB"}

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update both generators together, then both discriminators."""
        a, b = batch
        fake_b, fake_a = self.networks["G_A"](a), self.networks["G_B"](b)
        losses = self._generator_step(a, b, fake_a, fake_b)
        losses |= self._discriminator_step({"A": (b, fake_b), "B": (a, fake_a)})
        return {name: loss.detach() for name, loss in losses.items()}

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1]."""
        return self.networks["G_A"](images)

    def _generator_step(
        self, a: Tensor, b: Tensor, fake_a: Tensor, fake_b: Tensor
    ) -> dict[str, Tensor]:
        o, net = self.options, self.networks
        for name in ("D_A", "D_B"):
            net[name].requires_grad_(False)
        losses = {
            "G_A": lsgan(net["D_A"](fake_b), real=True),
            "G_B": lsgan(net["D_B"](fake_a), real=True),
            "cycle_A": F.l1_loss(net["G_B"](fake_b), a) * o.lambda_a,
            "cycle_B": F.l1_loss(net["G_A"](fake_a), b) * o.lambda_b,
        }
        if o.lambda_identity > 0:
            weight_a, weight_b = o.lambda_a * o.lambda_identity, o.lambda_b * o.lambda_identity
            losses["idt_A"] = F.l1_loss(net["G_A"](b), b) * weight_b
            losses["idt_B"] = F.l1_loss(net["G_B"](a), a) * weight_a
        self.optimizers["G"].zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        self.optimizers["G"].step()
        for name in ("D_A", "D_B"):
            net[name].requires_grad_(True)
        return losses

    def _discriminator_step(self, pairs: dict[str, tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
        losses = {}
        for side, (real, fake) in pairs.items():
            D, seen = self.networks[f"D_{side}"], self.pools[side].exchange(fake)
            losses[f"D_{side}"] = (lsgan(D(real), real=True) + lsgan(D(seen), real=False)) * 0.5
        self.optimizers["D"].zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        self.optimizers["D"].step()
        return losses

    def state_dict(self) -> dict[str, Any]:
        """Return the state of a method and the pools' images."""
        return {**super().state_dict(), "pools": {x: p.images for x, p in self.pools.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        super().load_state_dict(state)
        for side, images in state["pools"].items():
            self.pools[side].images = list(images)

    def generator_state(self) -> dict[str, Any]:
        """Return the weights of the generator from source to target."""
        return self.networks["G_A"].state_dict()

    def load_generator_state(self, state: dict[str, Any]) -> None:
        """Take back what `generator_state` gave."""
        self.networks["G_A"].load_state_dict(state)
