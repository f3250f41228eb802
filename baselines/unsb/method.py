"""UNSB: unpaired translation by a Schroedinger bridge."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from baselines.unsb.networks import BridgeGenerator, StepDiscriminator
from cut.base import random_streams
from cut.methods.contract import BatchWithSecond
from cut.methods.correspondence import Given
from cut.methods.cut import Cut
from cut.methods.cut_options import CutOptions
from cut.methods.loss import Loss
from cut.methods.options import Weight
from cut.nets.losses import lsgan, lsgan_terms


class UnsbOptions(CutOptions):
    """CUT's options, and those of the bridge; the defaults are those of the authors' scripts."""

    # The release's default is 0.1; its scripts set 1.
    lambda_sb: Weight = Field(1.0, description="weight of the bridge's cost")
    lambda_nce: Weight = Field(1.0, description="root of the weight of PatchNCE")
    bridge_tau: float = Field(0.01, ge=0, le=1000, description="variance of the bridge's noise")
    time_steps: int = Field(5, ge=1, le=1000, description="steps T of the bridge")
    scored_step: int | None = Field(
        None, ge=1, le=1000, description="step whose image is the translation, from 1; the last"
    )
    block: Literal["released", "repaired"] = Field(
        "released", description="residual blocks as they act in the release, or as they are meant"
    )
    query_encoder: Literal["shared"] = Field(
        "shared", description="translations are encoded by the generator's encoder"
    )

    @model_validator(mode="after")
    def _step_exists(self) -> UnsbOptions:
        if self.scored_step is not None and self.scored_step > self.time_steps:
            raise ValueError(f"scored_step {self.scored_step} is above time_steps")
        return self

    def generator(self) -> BridgeGenerator:
        """Return the conditional generator of these options."""
        repaired = self.block == "repaired"
        shape = (self.ngf, self.n_blocks, self.antialias, self.antialias_up)
        return BridgeGenerator(*shape, repaired, self.images.target.channels, self.n_downsampling)

    def discriminator(self, together: int = 1) -> StepDiscriminator:
        """Return a conditional PatchGAN of these options, for `together` images in one."""
        n_in = together * self.images.target.channels
        return StepDiscriminator(self.ndf, self.n_layers_D, self.antialias, n_in)


def bridge_times(steps: int) -> list[float]:
    """Return the times at which the bridge is, from 0 to 1: steps + 1 of them.

    After 0 come 1/2 + h_i / (2 h_{T-1}) for i = 0, ..., T - 1, with h_i = 1 + 1/2 + ... + 1/i.
    """
    if steps == 1:
        return [0.0, 1.0]
    h = [sum(1 / k for k in range(1, i + 1)) for i in range(steps)]
    return [0.0, *(0.5 + 0.5 * x / h[-1] for x in h)]


@dataclass(frozen=True)
class Passes:
    """What the first passes of a step make; images are (N, 3, H, W).

    Attributes:
        index: of the step of the bridge, from 0.
        state, second, target: states of the bridge from the sources, from other sources, and
            from the targets (None without the identity term).
        out: translations, then identity images; mirrored if `flipped`.
        fake, fake_second: translations of sources and of other sources.
        flipped: whether the generator's input was mirrored.
    """

    index: int
    state: Tensor
    second: Tensor
    target: Tensor | None
    out: Tensor
    fake: Tensor
    fake_second: Tensor
    flipped: bool


def recorded_outputs(method: Unsb, given: Given) -> dict[str, Tensor]:
    """Return states and translations of the first images, by their names in recordings."""
    p = method.passes(BatchWithSecond(given("A"), given("B"), given("A2")))
    outputs = {
        "times": torch.tensor(method.times, dtype=p.state.dtype),
        "real_A_noisy": p.state,
        "real_A_noisy2": p.second,
        "fake_B": p.fake,
        "fake_B2": p.fake_second,
    }
    if p.target is not None:
        outputs |= {"XtB": p.target, "idt_B": p.out[len(p.fake) :]}
    return outputs


class Unsb(Cut):
    """In T steps, one generator guesses the translation of a noisy state and moves towards it.

    With times t_0 = 0 < t_1 < ... < t_T = 1, the state begins at X_0 = x, and

        X_i = (1 - s) X_{i-1} + s G(X_{i-1}, z) + sqrt(bridge_tau (t_i - t_{i-1}) (1 - s)) noise,
        s   = (t_i - t_{i-1}) / (1 - t_{i-1}),  z ~ N(0, 1)^256

    A step of the training draws i in 0, ..., T - 1, runs the bridge up to X_i without gradient, and
    trains the guess g = G(X_i, z). P joins X_i and g, and P2 joins those of another source image. E
    is a network on pairs, and lse the logarithm of the sum of exponentials over all positions and
    images.

        SB = -(T - i)/T bridge_tau (mean E(P, P) - lse E(P, P2)) + bridge_tau mean (X_i - g)^2
        E minimises      -mean E(P, P) + lse E(P, P2) + (lse E(P, P2))^2
        G and H minimise L_GAN(g) + lambda_sb SB + lambda_nce^2 (PatchNCE(x) + PatchNCE(y)) / 2

    PatchNCE compares g with the clean input. The identity term's g is G at the bridge's state of y.

    Followed: the authors' release (github.com/cyclomon/UNSB), with its oddities. The step's index
    does not reach G, and parts of its blocks are dead (`BridgeBlock` of
    `baselines/unsb/networks.py`); with `block: repaired` the first convolution and the index act,
    and the blocks' scales start at 1. PatchNCE's weight enters squared. With `flip_equivariance`, E
    and SB compare mirrored translations with states that are not mirrored.

    Different: the crop jitter of the other source images ends with that of the first; in the
    release it does not end. The release computes the guess at X_i without gradient, too, and does
    not use it.

    Settings: those of the release's scripts: lambda_sb 1 (its default is 0.1), T = 5, 200 + 200
    epochs, batch size 1.

    Scored: the guess at the last of the five steps; `scored_step` chooses another. A run also
    scores each step, in a table of its own (`python -m cut steps`). The random numbers of a
    translation are drawn from the image's pixels, so that they are the same in every batch, run and
    epoch. The release draws new ones, and leaves open which step is scored.

    Passes: per pair of images, 3 of G (translation, identity image, other source), 4 of its
    encoder, 2 of them without gradient, and 3i of G without gradient: 6 on average, where the
    release makes 9. A translation takes T passes.
    """

    name = "unsb"
    summary = "UNSB: a Schroedinger bridge, translation in several steps by one generator"
    citation = (
        "Kim, Kwon, Kim, Ye: Unpaired Image-to-Image Translation via Neural Schrodinger Bridge,"
        " ICLR 2024"
    )
    Options = UnsbOptions
    Batch = BatchWithSecond
    losses = Cut.losses | {
        "SB": Loss("cost of the bridge", "loss", "lambda_sb"),
        "E": Loss("entropy network", "contrast, nats"),
    }
    authors = replace(
        Cut.authors,
        options={
            "lambda_SB": "lambda_sb",
            "entropy_tau": "bridge_tau",
            "num_timesteps": "time_steps",
        },
        losses=[*Cut.authors.losses, "SB = lambda_sb*SB"],
        unused=("unused/*", "bridge/*/z", "timestep", "B2"),
        outputs=recorded_outputs,
    )
    embedding = ("F",)

    def __init__(self, options: UnsbOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        self.add(E=options.discriminator(together=4))
        self.adam(E="E")
        if options.block == "repaired":
            self.G.start_scales_at_one()
        self.times = bridge_times(options.time_steps)

    def step(self, batch: BatchWithSecond) -> dict[str, Tensor]:
        """Update D, then E, then G and F together."""
        p = self.passes(batch)
        terms = lsgan_terms(lambda x: self.D(x, p.index), batch.target, p.fake.detach())
        losses = self.update("D", terms, total=sum(terms.values()) * 0.5)
        joint, spread = self.contrast_of_pairs(p, p.fake.detach(), p.fake_second.detach())
        losses |= self.update("E", {"E": spread + spread.square() - joint})
        return losses | self._update_generator(batch, p)

    @classmethod
    def steps(cls, options: UnsbOptions) -> int:
        """Return T, the number of guesses of a translation."""
        return options.time_steps

    @classmethod
    def scored(cls, options: UnsbOptions) -> str:
        """Return which guess is scored."""
        steps = options.time_steps
        return f"step {options.scored_step or steps} of {steps}, drawn from the image's pixels"

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1]: the guess at the scored step."""
        return self._guesses(images, self.options.scored_step or self.options.time_steps)[-1]

    @torch.no_grad()
    def translations_by_step(self, images: Tensor) -> list[Tensor]:
        """Return the guesses at steps 1 to T for (N, 3, H, W) images in [-1, 1].

        The one at the scored step is what `translate` returns.
        """
        return self._guesses(images, self.options.time_steps)

    def passes(self, batch: BatchWithSecond) -> Passes:
        """Run the bridges up to a random step, then translate their states."""
        a, b, second = batch
        n, steps = len(a), self.options.time_steps
        index = int(self.draw("time_index", lambda rng: torch.randint(steps, (1,), generator=rng)))
        starts = {"A": a, "A2": second} | ({"B": b} if self._with_identity else {})
        states = self._simulate(starts, index)
        z, z_second = self._draw_z("z/main", 2 * n, a), self._draw_z("z/second", n, a)
        flipped = self._draw_flip()
        seen = torch.cat([states[name] for name in ("A", "B") if name in states])
        out = self.G(seen.flip(3) if flipped else seen, index, z[: len(seen)])
        fake_second = self.G(states["A2"], index, z_second)
        return Passes(
            index, states["A"], states["A2"], states.get("B"), out, out[:n], fake_second, flipped
        )

    def next_state(self, index: int, state: Tensor, guess: Tensor, noise: Tensor) -> Tensor:
        """Return the bridge's state at the step `index` > 0, (N, 3, H, W).

        Args:
            index: of the step.
            state: at the step before.
            guess: of the bridge's end, made there.
            noise: normal numbers.
        """
        before, now = self.times[index - 1 : index + 1]
        share = (now - before) / (1 - before)
        deviation = math.sqrt(self.options.bridge_tau * (now - before) * (1 - share))
        return (1 - share) * state + share * guess + deviation * noise

    def contrast_of_pairs(
        self, p: Passes, fake: Tensor, fake_second: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return mean E(P, P) and the log-sum-exp of E(P, P2), scalars."""
        own, other = (torch.cat(pair, dim=1) for pair in ((p.state, fake), (p.second, fake_second)))
        pairs = torch.cat([torch.cat([own, own], dim=1), torch.cat([own, other], dim=1)])  # 2N,12
        joint, crossed = self.E(pairs, p.index).chunk(2)
        return joint.mean(), crossed.logsumexp(dim=(0, 1, 2, 3))

    def _update_generator(self, batch: BatchWithSecond, p: Passes) -> dict[str, Tensor]:
        o = self.options
        losses = {"G_GAN": lsgan(self.D(p.fake, p.index), real=True) * o.lambda_gan}
        if o.lambda_sb > 0:
            losses["SB"] = self._bridge_cost(p) * o.lambda_sb
        total = torch.stack(list(losses.values())).sum()
        if o.lambda_nce > 0:
            terms = self._nce(*self._encode(batch, p), p.flipped)
            total = total + torch.stack(list(self._parts(terms))).sum() * o.lambda_nce
            losses |= terms
        return self.update("G", {**losses, "G": total}, total=total)

    def _bridge_cost(self, p: Passes) -> Tensor:
        o = self.options
        joint, spread = self.contrast_of_pairs(p, p.fake, p.fake_second)
        left = (o.time_steps - p.index) / o.time_steps
        distance = (p.state - p.fake).square().mean()
        return o.bridge_tau * (distance - left * (joint - spread))

    def _encode(
        self, batch: BatchWithSecond, p: Passes
    ) -> tuple[Sequence[Sequence[Tensor]], Sequence[Tensor]]:
        """Return feature maps of the translations per term, and of the clean inputs.

        Both are encoded at the first step with the same random numbers.
        """
        o, terms = self.options, range(len(self._terms))
        drawn = [self._draw_z(f"z/nce{term}", len(batch.source), p.out) for term in terms]
        z = torch.cat(drawn)
        queries = self._by_term(self.G.encode(p.out, o.nce_layers, z))
        clean = torch.cat([batch.source, batch.target][: len(drawn)])
        with torch.set_grad_enabled(o.key_gradient):
            return queries, self.G.encode(clean, o.nce_layers, z)

    @torch.no_grad()
    def _simulate(self, starts: dict[str, Tensor], index: int) -> dict[str, Tensor]:
        """Return the states at a step of bridges that begin at `starts`, (N, 3, H, W) each."""
        states = torch.cat(list(starts.values()))  # one pass for all: no norm mixes images
        for step in range(index):
            z = torch.cat(
                [self._draw_z(f"bridge/{k}/t{step}/z", len(x), x) for k, x in starts.items()]
            )
            guess = self.G(states, step, z)
            noises = [
                self.draw_normal(f"bridge/{k}/t{step + 1}/noise", x.shape, x)
                for k, x in starts.items()
            ]
            states = self.next_state(step + 1, states, guess, torch.cat(noises))
        return dict(zip(starts, states.chunk(len(starts)), strict=True))

    def _guesses(self, images: Tensor, steps: int) -> list[Tensor]:
        streams = random_streams.of_images(images, "bridge")

        def normal(*shape: int) -> Tensor:
            return torch.stack([torch.randn(shape, generator=rng) for rng in streams]).to(images)

        state, guesses = images, []
        for index in range(steps):
            if index:
                state = self.next_state(index, state, guesses[-1], normal(*images.shape[1:]))
            guesses.append(self.G(state, index, normal(self.G.code)))
        return guesses

    def _draw_z(self, name: str, n: int, like: Tensor) -> Tensor:
        return self.draw_normal(name, (n, self.G.code), like)
