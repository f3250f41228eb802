"""GcGAN: a translation is to turn with its input.

Fu, Gong, Wang, Batmanghelich, Zhang and Tao, CVPR 2019, one-sided (source to target only), with
the networks that the CUT paper shares between its methods. For a transformation f of the image
plane, G(f(x)) is to be f(G(x)); a second discriminator tells f of real images from G(f(x)).

The losses and their weights are those of the authors' code (github.com/hufu6371/GcGAN):

- It compares each side of the geometry term with the other held fixed; the paper's formula fixes
  neither. Both sides are the same number, so the term's value is twice the L1 distance, while its
  gradient is that of one L1 distance, half of the formula's at the same weight.
- It adds an identity term, on real target images and on their transformed ones.
- Each discriminator sees its own pool of earlier translations.

Of the two variants in that code, this is its default, one generator for both kinds of image. The
authors trained horse2zebra by the other, with a second generator for the transformed images.
"""

from __future__ import annotations

import itertools
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from cut.methods.contract import Batch, Method, NetworkOptions
from cut.nets.image_pool import ImagePool
from cut.nets.losses import lsgan
from cut.nets.networks import Discriminator, Generator, initialise

Geometry = Literal["rot90", "vflip"]


class GcGanOptions(NetworkOptions):
    """GcGAN's options; the defaults are those of the authors' code."""

    geometry: Geometry = Field(
        "rot90", description="turn by 90 degrees clockwise, or mirror top to bottom"
    )
    lambda_gan: float = Field(1.0, ge=0, description="weight of each of the two GAN terms")
    # The authors' code has these two as 2.0 and 0.5, both times 10. It takes 0.3 for the latter
    # (3 here) from label maps to photographs, 0.5 for all else.
    lambda_gc: float = Field(20.0, ge=0, description="weight of the geometry term")
    lambda_identity: float = Field(5.0, ge=0, description="weight of each identity term (0: none)")
    pool_size: int = Field(50, ge=0, description="earlier translations kept for each D (0: none)")


def transform(images: Tensor, geometry: Geometry) -> Tensor:
    """Return (N, C, H, W) images turned clockwise, as (N, C, W, H), or mirrored top to bottom."""
    if geometry == "vflip":
        return images.flip(2)
    # rot90 gives a transposed view; the convolutions after it are to see the usual layout.
    return images.rot90(-1, (2, 3)).contiguous()


def untransform(images: Tensor, geometry: Geometry) -> Tensor:
    """Undo `transform`."""
    if geometry == "vflip":
        return images.flip(2)
    return images.rot90(1, (2, 3)).contiguous()


def geometry_loss(fake: Tensor, fake_gc: Tensor, geometry: Geometry) -> Tensor:
    """Return how far `fake_gc` is from `fake` transformed, a scalar: twice their L1 distance.

    Args:
        fake: (N, C, H, W), the translation G(x).
        fake_gc: G(f(x)), of the shape of `transform(fake, geometry)`.
        geometry: the transformation f.
    """
    upright = F.l1_loss(fake, untransform(fake_gc.detach(), geometry))
    transformed = F.l1_loss(fake_gc, transform(fake.detach(), geometry))
    return upright + transformed


class GcGan(Method):
    """GcGAN with one generator, two discriminators and least-squares GAN terms."""

    name = "gcgan"
    summary = "GcGAN: to translate a turned image is to turn the translation; one-sided"
    citation = "Fu, Gong, Wang, Batmanghelich, Zhang, Tao: Geometry-Consistent GANs, CVPR 2019"
    Options = GcGanOptions
    training = {"epochs_constant": 100, "epochs_decay": 100}
    stride = Generator.stride

    def __init__(self, options: GcGanOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        generator = Generator(o.ngf, o.n_blocks, o.antialias, o.antialias_up)
        self.G = self.add("G", generator, lambda net, rng: initialise(net, rng, o.init_gain))
        for name in ("D", "D_gc"):
            network = Discriminator(o.ndf, o.n_layers_D, o.antialias)
            self.add(name, network, lambda net, rng: initialise(net, rng, o.init_gain))
        both = itertools.chain(*(self.networks[name].parameters() for name in ("D", "D_gc")))
        for name, parameters in {"G": self.G.parameters(), "D": both}.items():
            self.optimizers[name] = torch.optim.Adam(parameters, lr=o.lr, betas=(o.beta1, o.beta2))
        self.pools = {name: ImagePool(o.pool_size, self.rng) for name in ("D", "D_gc")}

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the generator, then both discriminators."""
        source, target = batch
        # Images that are not square change their shape when turned, so no pass holds both kinds.
        source_gc, target_gc = (transform(x, self.options.geometry) for x in batch)
        fake, fake_gc = self.G(source), self.G(source_gc)
        losses = self._generator_step(fake, fake_gc, target, target_gc)
        pairs = {"D": (target, fake), "D_gc": (target_gc, fake_gc)}
        losses |= self._discriminator_step(pairs)
        return {name: loss.detach() for name, loss in losses.items()}

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1]."""
        return self.G(images)

    def _generator_step(
        self, fake: Tensor, fake_gc: Tensor, target: Tensor, target_gc: Tensor
    ) -> dict[str, Tensor]:
        o, net = self.options, self.networks
        for name in ("D", "D_gc"):
            net[name].requires_grad_(False)
        losses = {
            "G_GAN": lsgan(net["D"](fake), real=True) * o.lambda_gan,
            "G_GAN_gc": lsgan(net["D_gc"](fake_gc), real=True) * o.lambda_gan,
            "gc": geometry_loss(fake, fake_gc, o.geometry) * o.lambda_gc,
        }
        if o.lambda_identity > 0:
            losses["idt"] = F.l1_loss(self.G(target), target) * o.lambda_identity
            losses["idt_gc"] = F.l1_loss(self.G(target_gc), target_gc) * o.lambda_identity
        self.optimizers["G"].zero_grad()
        torch.stack(list(losses.values())).sum().backward()
        self.optimizers["G"].step()
        for name in ("D", "D_gc"):
            net[name].requires_grad_(True)
        return losses

    def _discriminator_step(self, pairs: dict[str, tuple[Tensor, Tensor]]) -> dict[str, Tensor]:
        losses = {}
        for name, (real, fake) in pairs.items():
            D, seen = self.networks[name], self.pools[name].exchange(fake)
            losses[name] = (lsgan(D(real), real=True) + lsgan(D(seen), real=False)) * 0.5
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
        for name, images in state["pools"].items():
            self.pools[name].images = list(images)
