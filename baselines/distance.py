"""DistanceGAN and its self-distance variant: a translation should preserve distances."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from cut.methods.contract import Batch, Method, Schedule
from cut.methods.correspondence import Correspondence, Given
from cut.methods.loss import Loss, lsgan_term
from cut.methods.options import NetworkOptions, PoolSize, Weight
from cut.nets.image_pool import ImagePool
from cut.nets.losses import lsgan, lsgan_discriminator
from cut.nets.networks import Generator

# Lower bound of the standard deviation of distances, which is 0.11 to 0.18 for horse2zebra. Without
# it, almost equal distances in a domain would make the term far larger than the GAN's.
STD_FLOOR = 1e-3


class DistanceOptions(NetworkOptions):
    """DistanceGAN's options; the defaults are those of the authors' code, except `warmup`."""

    lambda_distance: Weight = Field(1.0, description="weight of the distance term")
    standardise: bool = Field(True, description="compare distances by their domain's mean and std")
    warmup: int = Field(
        100,
        ge=2,
        le=1_000_000,
        description="pairs of a domain before the term counts (if standardised)",
    )
    pool_size: PoolSize = Field(50, description="earlier translations kept for D (0: none)")


class SelfDistanceOptions(DistanceOptions):
    """Options of the self-distance variant."""

    # The paper's formula has left and right; the authors' code has top and bottom.
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
    # Under autocast, translations are bfloat16: too coarse for the difference of two distances.
    dtype = torch.promote_types(x.dtype, torch.float32)
    return (x.to(dtype) - y.to(dtype)).abs().mean(dim=(1, 2, 3))


class Moments(nn.Module):
    """Running mean and (population) standard deviation of all distances so far.

    The sums stay on the device of the distances, so that a GPU need not wait for them.
    """

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.mean = torch.zeros((), dtype=torch.double)
        self.squares = torch.zeros((), dtype=torch.double)  # sum of squared deviations

    def update(self, values: Tensor) -> None:
        """Add (P,) distances (Chan et al.'s formula for joining the moments of two samples)."""
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

    def get_extra_state(self) -> dict[str, Any]:
        """Return the count and the sums, as a part of `state_dict`."""
        return {"count": self.count, "mean": self.mean, "squares": self.squares}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Restore what `get_extra_state` returned."""
        self.count, self.mean, self.squares = (state[k] for k in ("count", "mean", "squares"))


def moments_of_images(method: DistanceGan, given: Given) -> dict[str, Tensor]:
    """Return the translation, and the moments of the distances that a recording holds fixed."""
    outputs = {"fake_B": method.translate(given("A"))}
    for side in "AB" if "moments/images_A" in given else "":
        moments = Moments()
        moments.update(method.distances(given(f"moments/images_{side}")))
        outputs[f"moments/{side}"] = torch.stack([moments.mean, moments.std])
    return outputs


def hold_moments(method: DistanceGan, given: Given) -> None:
    """Set the moments that a recording has, as of so many distances that no step moves them."""
    if "moments/A" not in given:
        return
    count = 10**18
    for domain, side in zip(Batch._fields, "AB", strict=True):
        mean, std = given(f"moments/{side}")
        state = {"count": count, "mean": mean, "squares": std**2 * count}
        method.moments[domain].set_extra_state(state)


class DistanceGan(Method):
    """Two images should be as far apart after translation as before.

    A distance d is the mean absolute difference of two images. s standardises it by mean and
    deviation of the distances in the domain: s_A among source images, s_B among target images.

        distance = mean over pairs of |s_A(d(x1, x2)) - s_B(d(G(x1), G(x2)))|
        G minimises  L_GAN + lambda_distance distance

    D sees translations from a pool of the last 50.

    Followed: the authors' code (github.com/sagiebenaim/DistanceGAN), one-sided (source to target
    only), with the networks that the CUT paper shares between its methods. In the recording these
    networks, of CUT's release, stand in the place of the authors' own.

    Different: means and deviations are running ones over all pairs of real images so far. The term
    is zero before `warmup` pairs (100 consecutive pairs of horse2zebra give the deviation of all
    pairs within a tenth). The authors compute them before training, over the mean distances of up
    to 900 batches. The deviation of such means is smaller, by about 1.4 for batches of 2, so that
    the term here has about 0.7 of the authors' weight. In a batch of one, an image is paired with
    the last image of the previous step, which is translated again; the authors skip such a batch.

    Settings: batch size 2 and the weights of the authors' code; 100 + 100 epochs.

    Passes: per pair of images, 1 of G at batch size 2 or more, and 2 at batch size 1.
    """

    name = "distancegan"
    summary = "DistanceGAN: translation should keep the distance of two images; one-sided"
    citation = "Benaim, Wolf: One-Sided Unsupervised Domain Mapping, NeurIPS 2017"
    Options = DistanceOptions
    schedule = Schedule(100, 100, batch_size=2)
    stride = Generator.stride
    channels = "any"
    losses = {
        "G_GAN": lsgan_term("generator, adversarial"),
        "distance": Loss("change of distances", "L1", "lambda_distance"),
        "D": lsgan_term("discriminator"),
    }
    authors = Correspondence(
        losses=["G_GAN = G_A", "distance = distance_A", "D = D_A"],
        outputs=moments_of_images,
        prepare=hold_moments,
    )
    pairs_images: ClassVar[bool] = True  # False: a distance is of one image

    def __init__(self, options: DistanceOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        self.add(G=options.generator(), D=options.discriminator())
        self.adam(G="G", D="D")
        self.pool = ImagePool(options.pool_size, self.draw)
        self.moments = nn.ModuleDict({domain: Moments() for domain in Batch._fields})
        self.previous: dict[str, Tensor] = {}  # the last image of each domain, (1, 3, H, W)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update the generator, then the discriminator."""
        seen = {name: self._with_previous(name, x) for name, x in batch._asdict().items()}
        before = self.distances(seen["source"])
        self.moments["source"].update(before)
        self.moments["target"].update(self.distances(seen["target"]))
        out = self.G(seen["source"])
        fake = out[: len(batch.source)]  # only the distance uses a remembered image
        distance = self.distance_loss(before, self.distances(out))
        losses = self.update("G", {"G_GAN": lsgan(self.D(fake), real=True), "distance": distance})
        judged = lsgan_discriminator(self.D, batch.target, self.pool.exchange(fake))
        losses |= self.update("D", {"D": judged})
        if self.pairs_images:  # cloned: a view would keep the whole batch
            self.previous = {name: x[-1:].clone() for name, x in batch._asdict().items()}
        return losses

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1]."""
        return self.G(images)

    def distances(self, images: Tensor) -> Tensor:
        """Return the distances to preserve, (P,), of (N, 3, H, W) images; P may be 0."""
        return pair_distances(images)

    def distance_loss(self, before: Tensor, after: Tensor) -> Tensor:
        """Return the weighted mean change of (P,) distances; 0 if there is none to compare."""
        if self.options.standardise:
            if min(m.count for m in self.moments.values()) < self.options.warmup:
                return after.new_zeros(())
            before = self.moments["source"].standardise(before)
            after = self.moments["target"].standardise(after)
        if not len(after):
            return after.new_zeros(())
        return (before - after).abs().mean() * self.options.lambda_distance

    def _with_previous(self, domain: str, images: Tensor) -> Tensor:
        """Return `images`; if there is only one, also the previous one of its domain."""
        if len(images) > 1 or domain not in self.previous:
            return images
        return torch.cat([images, self.previous[domain]])

    def get_extra_state(self) -> dict[str, Tensor]:
        """Return the last images, as a part of `state_dict`."""
        return dict(self.previous)

    def set_extra_state(self, state: dict[str, Tensor]) -> None:
        """Restore what `get_extra_state` returned."""
        self.previous = dict(state)


class SelfDistance(DistanceGan):
    """DistanceGAN on the two halves of one image, so that no second image is needed.

        distance = mean over images of |s_A(d(top, bottom of x)) - s_B(d(top, bottom of G(x)))|
        G minimises  L_GAN + lambda_distance distance

    Followed: the self-distance of DistanceGAN's authors' code, with the same networks. It halves an
    image into top and bottom; the paper's formula has left and right (`halves: left_right`).

    Different: running means and deviations, as in DistanceGAN. In a batch, the change is averaged
    over images, as in the paper; the authors' code averages the distances first.

    Settings: the weights of the authors' code; batch size 1 and 100 + 100 epochs.

    Passes: per pair of images, 1 of G.
    """

    name = "selfdistance"
    summary = "DistanceGAN's variant: translation should keep the distance of an image's halves"
    Options = SelfDistanceOptions
    schedule = Schedule(100, 100)
    pairs_images = False

    def distances(self, images: Tensor) -> Tensor:
        """Return the distance of the halves of each of (N, 3, H, W) images, (N,)."""
        return half_distances(images, self.options.halves)
