"""DistanceGAN and its self-distance variant: a translation is to keep distances.

Benaim and Wolf, NeurIPS 2017, one-sided (source to target only; their code also trains the other
direction, both, or adds a cycle), with the networks that the CUT paper shares between its methods.
A distance is the mean absolute difference of two images (DistanceGAN) or of the two halves of one
(self-distance). Distances are standardised by the mean and standard deviation of their domain,
those of translations by the target domain's, and each is to be what it was before translation.

Weights and terms are those of the authors' code (github.com/sagiebenaim/DistanceGAN). It differs
from what a method here can do in two ways:

- Pairs are those within a batch, of 2 images by default; one image has no pair, and the authors
  skip such a batch. Here a single image is paired with the last image of the step before, which
  is translated again with it, so that both sides of the pair get the gradient that they get in a
  batch; that doubles the generator's work. Larger batches are paired as in the authors' code.
- Means and deviations are computed before training, from up to 900 batches. A method here sees
  batches alone, so it keeps running ones over every pair of real images so far, and holds the term
  back until they stand on `warmup` pairs (100 consecutive pairs of horse2zebra's images give the
  deviation of all pairs within a tenth). They are of single pairs; the authors' are of the means
  over a batch, whose deviation is smaller (by about 1.4 for batches of 2).
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from cut.methods.contract import Batch, Method, NetworkOptions
from cut.nets.image_pool import ImagePool
from cut.nets.losses import lsgan
from cut.nets.networks import Discriminator, Generator, initialise

# Least standard deviation of distances. Those of horse2zebra's images are 0.11 to 0.18; without a
# floor, a domain whose distances are all but equal would let the term swamp the GAN's.
STD_FLOOR = 1e-3


class DistanceOptions(NetworkOptions):
    """DistanceGAN's options; the defaults are those of the authors' code, but for `warmup`."""

    lambda_distance: float = Field(1.0, ge=0, description="weight of the distance term")
    standardise: bool = Field(True, description="compare distances by their domain's mean and std")
    warmup: int = Field(
        100, ge=2, description="pairs of a domain before the term counts (if standardised)"
    )
    pool_size: int = Field(50, ge=0, description="earlier translations kept for D (0: none)")


class SelfDistanceOptions(DistanceOptions):
    """Options of the self-distance variant."""

    # The paper's formula has left and right, the authors' code top and bottom.
    halves: Literal["top_bottom", "left_right"] = Field(
        "top_bottom", description="the halves of an image whose distance is kept"
    )


def pair_distances(images: Tensor) -> Tensor:
    """Return the mean absolute difference of each pair of (N, C, H, W) `images`, (N(N-1)/2,).

    Pairs are in the order (0, 1), (0, 2), ..., (1, 2), ...
    """
    first, second = torch.triu_indices(len(images), len(images), offset=1, device=images.device)
    return _mean_difference(images[first], images[second])


def half_distances(images: Tensor, halves: str) -> Tensor:
    """Return the mean absolute difference of the halves of each of (N, C, H, W) `images`, (N,).

    The halved side must be even.
    """
    return _mean_difference(*images.chunk(2, dim=2 if halves == "top_bottom" else 3))


def _mean_difference(x: Tensor, y: Tensor) -> Tensor:
    # Under autocast translations are bfloat16, too coarse for the difference of two distances.
    dtype = torch.promote_types(x.dtype, torch.float32)
    return (x.to(dtype) - y.to(dtype)).abs().mean(dim=(1, 2, 3))


class Moments:
    """Running mean and (population) standard deviation of all distances given so far.

    The sums stay on the device of the distances, so that a GPU need not wait for them.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = torch.zeros((), dtype=torch.double)
        self.squares = torch.zeros((), dtype=torch.double)  # sum of squared deviations

    def update(self, values: Tensor) -> None:
        """Take in (P,) more distances (Chan et al.'s way to join the moments of two samples)."""
        if not len(values):
            return
        values = values.detach().double()
        count = self.count + len(values)
        mean = values.mean()
        shift = mean - self.mean
        between = shift**2 * (self.count * len(values) / count)
        self.squares = self.squares + (values - mean).square().sum() + between
        self.mean = self.mean + shift * (len(values) / count)
        self.count = count

    @property
    def std(self) -> Tensor:
        """Return the standard deviation, at least `STD_FLOOR`."""
        return (self.squares / max(self.count, 1)).sqrt().clamp(min=STD_FLOOR)

    def standardise(self, values: Tensor) -> Tensor:
        """Return `values` in standard deviations from the mean."""
        return (values - self.mean) / self.std

    def state_dict(self) -> dict[str, Any]:
        """Return the count and the sums."""
        return {"count": self.count, "mean": self.mean, "squares": self.squares}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        self.count, self.mean, self.squares = (state[k] for k in ("count", "mean", "squares"))


class DistanceGan(Method):
    """DistanceGAN: the distance of two images is to stay what it is."""

    name = "distancegan"
    summary = "DistanceGAN: two images are to be as far apart after as before; one-sided"
    citation = "Benaim, Wolf: One-Sided Unsupervised Domain Mapping, NeurIPS 2017"
    Options = DistanceOptions
    training = {"epochs_constant": 100, "epochs_decay": 100}
    stride = Generator.stride
    pairs_images: ClassVar[bool] = True  # False: a distance is of one image

    def __init__(self, options: DistanceOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        self.G = Generator(o.ngf, o.n_blocks, o.antialias, o.antialias_up)
        self.D = Discriminator(o.ndf, o.n_layers_D, o.antialias)
        for name in "GD":
            self.add(name, getattr(self, name), lambda net, rng: initialise(net, rng, o.init_gain))
            self.optimizers[name] = torch.optim.Adam(
                self.networks[name].parameters(), lr=o.lr, betas=(o.beta1, o.beta2)
            )
        self.pool = ImagePool(o.pool_size, self.rng)
        self.moments = {domain: Moments() for domain in Batch._fields}
        self.previous: dict[str, Tensor] = {}  # the last image of each domain, (1, 3, H, W)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the generator, then the discriminator."""
        seen = {name: self._with_previous(name, x) for name, x in batch._asdict().items()}
        before = self.distances(seen["source"])
        self.moments["source"].update(before)
        self.moments["target"].update(self.distances(seen["target"]))
        out = self.G(seen["source"])
        fake = out[: len(batch.source)]  # of a remembered image the distance alone counts
        losses = self._generator_step(fake, self.distance_loss(before, self.distances(out)))
        losses["D"] = self._discriminator_step(fake, batch.target)
        if self.pairs_images:  # cloned: a view would keep the whole batch
            self.previous = {name: x[-1:].clone() for name, x in batch._asdict().items()}
        return {name: loss.detach() for name, loss in losses.items()}

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1]."""
        return self.G(images)

    def distances(self, images: Tensor) -> Tensor:
        """Return the distances to keep, (P,), of (N, 3, H, W) images; P may be 0."""
        return pair_distances(images)

    def distance_loss(self, before: Tensor, after: Tensor) -> Tensor:
        """Return the weighted mean change of (P,) distances, 0 where there is none to compare."""
        if self.options.standardise:
            if min(m.count for m in self.moments.values()) < self.options.warmup:
                return after.new_zeros(())
            before = self.moments["source"].standardise(before)
            after = self.moments["target"].standardise(after)
        if not len(after):
            return after.new_zeros(())
        return (before - after).abs().mean() * self.options.lambda_distance

    def _with_previous(self, domain: str, images: Tensor) -> Tensor:
        """Return `images`, and with a single one the image before it, if there is one."""
        if len(images) > 1 or domain not in self.previous:
            return images
        return torch.cat([images, self.previous[domain]])

    def _generator_step(self, fake: Tensor, distance: Tensor) -> dict[str, Tensor]:
        self.D.requires_grad_(False)
        losses = {"G_GAN": lsgan(self.D(fake), real=True), "distance": distance}
        self.optimizers["G"].zero_grad()
        (losses["G_GAN"] + losses["distance"]).backward()
        self.optimizers["G"].step()
        self.D.requires_grad_(True)
        return losses

    def _discriminator_step(self, fake: Tensor, real: Tensor) -> Tensor:
        seen = self.pool.exchange(fake)
        loss = (lsgan(self.D(real), real=True) + lsgan(self.D(seen), real=False)) * 0.5
        self.optimizers["D"].zero_grad()
        loss.backward()
        self.optimizers["D"].step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the state of a method, the pool's images, the last images and the moments."""
        return {
            **super().state_dict(),
            "pool": self.pool.images,
            "previous": self.previous,
            "moments": {domain: m.state_dict() for domain, m in self.moments.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        super().load_state_dict(state)
        self.pool.images = list(state["pool"])
        self.previous = dict(state["previous"])
        for domain, moments in state["moments"].items():
            self.moments[domain].load_state_dict(moments)


class SelfDistance(DistanceGan):
    """DistanceGAN on the two halves of one image, which needs no pair of images.

    The change is averaged over the images of a batch, as in the paper; the authors' code averages
    the batch's distances first. The two are one for single images.
    """

    name = "selfdistance"
    summary = "DistanceGAN's variant: an image's halves are to be as far apart after as before"
    Options = SelfDistanceOptions
    pairs_images = False

    def distances(self, images: Tensor) -> Tensor:
        """Return the distance of the halves of each of (N, 3, H, W) images, (N,)."""
        return half_distances(images, self.options.halves)
