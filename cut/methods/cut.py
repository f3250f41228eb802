"""CUT and FastCUT: contrastive learning for unpaired image-to-image translation.

Park, Efros, Zhang and Zhu, ECCV 2020. One training step agrees with the authors' released code
to float64 rounding (`python -m cut parity`); where that code and the paper's text differ, the
code is followed, since the published numbers come from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from pydantic import Field, field_validator, model_validator
from torch import Tensor

from cut.methods.contract import Batch, Method, NetworkOptions
from cut.nets.losses import lsgan, multilayer_patch_nce
from cut.nets.networks import Discriminator, Generator, ProjectionHeads, initialise

# Networks that embed patches and don't translate.
EMBEDDING = ("F", "F_q", "E")
CITATION = "Park, Efros, Zhang, Zhu: Contrastive Learning for Unpaired I2I Translation, ECCV 2020"


class CutOptions(NetworkOptions):
    """CUT's options; the defaults are the paper's."""

    lambda_gan: float = Field(1.0, ge=0, description="weight of the GAN term")
    lambda_nce: float = Field(1.0, ge=0, description="weight of PatchNCE, lambda_X")
    identity: bool = Field(True, description="PatchNCE on translated target images, lambda_Y")
    flip_equivariance: bool = Field(False, description="mirror the generator's input at random")
    nce_layers: list[int] = Field([0, 4, 8, 12, 16], description="generator layers compared")
    n_patches: int = Field(256, ge=2, description="positions a layer (256 gives 255 negatives)")
    tau: float = Field(0.07, gt=0, description="temperature of PatchNCE")
    width: int = Field(256, ge=1, description="output width of the projection heads")
    projection: Literal["mlp", "none"] = Field("mlp", description="projection head, or none")
    query_encoder: Literal["shared", "separate"] = Field(
        "shared", description="encode translations by the generator's encoder, or by one of its own"
    )
    key_gradient: bool = Field(
        False, description="train through the keys too, which the published code detaches"
    )
    negatives_across_batch: bool = Field(
        False, description="take negatives from the whole batch, not from the same image"
    )

    @field_validator("nce_layers")
    @classmethod
    def _layers(cls, layers: list[int]) -> list[int]:
        if not layers or len(set(layers)) != len(layers):
            raise ValueError("expected at least one layer and none twice")
        return layers

    @model_validator(mode="after")
    def _keys_learn(self) -> CutOptions:
        # Without it nothing would train the heads that embed the keys.
        if self.query_encoder == "separate" and not self.key_gradient:
            raise ValueError("query_encoder 'separate' needs key_gradient: true")
        return self


class FastCutOptions(CutOptions):
    """FastCUT: a heavier PatchNCE in place of the identity term, and flip-equivariance."""

    lambda_nce: float = Field(10.0, ge=0, description="weight of PatchNCE, lambda_X")
    identity: bool = Field(False, description="PatchNCE on translated target images, lambda_Y")
    flip_equivariance: bool = Field(True, description="mirror the generator's input at random")


@dataclass(frozen=True)
class Choices:
    """The random choices of one step, drawn by the method or given by a parity file.

    `patch_ids` holds, for the source term and then the identity term, one (P,) tensor of flat
    positions y*W + x a layer.
    """

    flipped: bool
    patch_ids: list[list[Tensor]]


class Cut(Method):
    """CUT as in the paper: PatchNCE with lambda 1 and the identity term."""

    name = "cut"
    summary = "CUT: patchwise contrastive loss with internal negatives and the identity term"
    citation = CITATION
    Options = CutOptions
    training = {"epochs_constant": 200, "epochs_decay": 200}
    stride = Generator.stride

    def __init__(self, options: CutOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        self.G = Generator(o.ngf, o.n_blocks, o.antialias, o.antialias_up)
        self.D = Discriminator(o.ndf, o.n_layers_D, o.antialias)
        self.F = ProjectionHeads(self.G.channels(o.nce_layers), o.width, o.projection == "mlp")
        nets = {"G": self.G, "D": self.D, "F": self.F}
        # A second encoder and second heads for the queries (the paper's appendix C.5): the weights
        # are their own from the start, and both sides are trained.
        self.E, self.F_q = self.G, self.F
        if o.query_encoder == "separate":
            self.E = self.G.encoder(max(o.nce_layers))
            self.F_q = ProjectionHeads(
                self.G.channels(o.nce_layers), o.width, o.projection == "mlp"
            )
            nets |= {"E": self.E, "F_q": self.F_q}
        for name, net in nets.items():
            self.add(name, net, lambda net, rng: initialise(net, rng, o.init_gain))
            if any(True for _ in self.networks[name].parameters()):
                self.optimizers[name] = torch.optim.Adam(
                    self.networks[name].parameters(), lr=o.lr, betas=(o.beta1, o.beta2)
                )

    def step(self, batch: Batch, choices: Choices | None = None) -> dict[str, Tensor]:
        """Update D, then G and F together, as the authors' code orders them."""
        o, (real_a, real_b) = self.options, batch
        flipped = choices.flipped if choices else self._draw_flip()
        source = torch.cat([real_a, real_b]) if self._with_identity else real_a
        seen = source.flip(3) if flipped else source
        out, features = self.G.with_features(seen, o.nce_layers)
        # The features of this same pass serve as keys, unless it was mirrored.
        keys = features if o.key_gradient else [f.detach() for f in features]
        if flipped:
            with torch.set_grad_enabled(o.key_gradient):
                keys = self.G.encode(source, o.nce_layers)
        fake = out[: len(real_a)]

        losses = self._discriminator_step(fake.detach(), real_b)
        losses |= self._generator_step(fake, out, keys, flipped, choices)
        return {name: loss.detach() for name, loss in losses.items()}

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1]."""
        return self.G(images)

    def embedding_state(self) -> dict[str, Any]:
        """Return what embeds patches beside the generator: heads, and perhaps a second encoder."""
        kept = {name: net.state_dict() for name, net in self.networks.items() if name in EMBEDDING}
        return {name: state for name, state in kept.items() if state}

    def load_embedding_state(self, state: dict[str, Any]) -> None:
        """Take back what `embedding_state` gave."""
        for name in self.embedding_state():
            self.networks[name].load_state_dict(state[name])

    @property
    def _with_identity(self) -> bool:
        return self.options.identity and self.options.lambda_nce > 0

    def _draw_flip(self) -> bool:
        if not self.options.flip_equivariance:
            return False
        return bool(torch.rand((), generator=self.rng) < 0.5)

    def _draw_patch_ids(self, features: Sequence[Tensor]) -> list[Tensor]:
        """Draw distinct positions a layer, the same for every image of the batch."""
        ids = []
        for feature in features:
            n = feature.shape[2] * feature.shape[3]
            draw = torch.randperm(n, generator=self.rng)[: self.options.n_patches]
            ids.append(draw.to(feature.device))
        return ids

    def _discriminator_step(self, fake: Tensor, real: Tensor) -> dict[str, Tensor]:
        # One pass for both: instance norm keeps the images of a batch apart.
        prediction = self.D(torch.cat([fake, real]))
        fake_loss = lsgan(prediction[: len(fake)], real=False)
        real_loss = lsgan(prediction[len(fake) :], real=True)
        self.optimizers["D"].zero_grad()
        ((fake_loss + real_loss) * 0.5).backward()
        self.optimizers["D"].step()
        return {"D_real": real_loss, "D_fake": fake_loss}

    def _generator_step(
        self,
        fake: Tensor,
        out: Tensor,
        keys: list[Tensor],
        flipped: bool,
        choices: Choices | None,
    ) -> dict[str, Tensor]:
        o = self.options
        losses: dict[str, Tensor] = {}
        self.D.requires_grad_(False)
        losses["G_GAN"] = lsgan(self.D(fake), real=True) * o.lambda_gan
        total = losses["G_GAN"]
        if o.lambda_nce > 0:
            losses |= self._nce(out, keys, flipped, choices)
            contrast = losses["NCE"]
            if self._with_identity:
                contrast = (contrast + losses["NCE_Y"]) * 0.5
            total = total + contrast
        losses["G"] = total
        updated = [opt for name, opt in self.optimizers.items() if self._used(name)]
        for optimizer in updated:
            optimizer.zero_grad()
        total.backward()
        for optimizer in updated:
            optimizer.step()
        self.D.requires_grad_(True)
        return losses

    def _used(self, name: str) -> bool:
        return name == "G" or name != "D" and self.options.lambda_nce > 0

    @property
    def _terms(self) -> list[str]:
        """Return the names of the PatchNCE terms: the source's, and the identity's."""
        return ["NCE", "NCE_Y"] if self._with_identity else ["NCE"]

    def encode_queries(self, out: Tensor) -> list[list[Tensor]]:
        """Return the feature maps of each term's images; one pass of the encoder serves both."""
        maps = self.E.encode(out, self.options.nce_layers)
        n = len(self._terms)
        return [list(term) for term in zip(*(f.chunk(n) for f in maps), strict=True)]

    def _nce(
        self, out: Tensor, keys: list[Tensor], flipped: bool, choices: Choices | None
    ) -> dict[str, Tensor]:
        """Return the weighted PatchNCE of the translations, and of the identity images."""
        o = self.options
        queries = self.encode_queries(out)
        losses = {}
        for call, name in enumerate(self._terms):
            k = [f.chunk(len(queries))[call] for f in keys]
            q = [f.flip(3) for f in queries[call]] if flipped else queries[call]
            ids = choices.patch_ids[call] if choices else self._draw_patch_ids(k)
            losses[name] = self.contrast(name, q, k, ids) * o.lambda_nce
        return losses

    def contrast(
        self, term: str, q: Sequence[Tensor], k: Sequence[Tensor], ids: Sequence[Tensor]
    ) -> Tensor:
        """Return one term's PatchNCE, between (N, C_l, H_l, W_l) maps a layer at positions `ids`.

        A variant with other negatives replaces this.
        """
        o = self.options
        return multilayer_patch_nce(
            self.F_q(q, ids), self.embed_keys(k, ids), o.tau, o.negatives_across_batch,
            key_gradient=o.key_gradient,
        )  # fmt: skip

    def embed_keys(self, k: Sequence[Tensor], ids: Sequence[Tensor]) -> list[Tensor]:
        """Return the keys' (N, P, C) unit vectors a layer."""
        with torch.set_grad_enabled(self.options.key_gradient):
            return self.F(k, ids)


class FastCut(Cut):
    """FastCUT: lambda 10, no identity term, flip-equivariance, half the epochs."""

    name = "fastcut"
    summary = "FastCUT: CUT without the identity term, lambda 10, flip-equivariant, faster"
    Options = FastCutOptions
    training = {"epochs_constant": 150, "epochs_decay": 50}
