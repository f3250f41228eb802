"""EnCo: agreement of encoder and decoder features of one pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from cut.base.errors import UserError
from cut.methods.channels import Takes
from cut.methods.contract import Batch, Method, Schedule
from cut.methods.correspondence import Correspondence, Given
from cut.methods.loss import Loss, lsgan_term
from cut.methods.options import Layer, NetworkOptions, Weight
from cut.nets import networks
from cut.nets.losses import lsgan, lsgan_terms

FromTheEnd = Annotated[int, Field(ge=-1000, le=-1)]


class EnCoOptions(NetworkOptions):
    """Options of networks and losses."""

    lambda_gan: Weight = Field(1.0, description="weight of the GAN term")
    lambda_nce: Weight = Field(2.0, description="weight of the agreement of encoder and decoder")
    lambda_identity: Weight = Field(10.0, description="weight of the L1 identity of the target")
    identity_epochs: int = Field(
        100, ge=0, le=100_000, description="epochs with the identity term, from the first"
    )
    # With nine blocks the authors' pairs 3 and 28, 7 and 24, 13 and 18.
    layer_pairs: list[tuple[Layer, FromTheEnd]] = Field(
        [(3, -4), (7, -8), (13, -14)],
        min_length=1,
        description="generator layers compared: of the encoder from the start, and of the decoder"
        " from the end",
    )
    n_patches: int = Field(256, ge=2, le=100_000, description="positions per pair of layers")
    oversample: int = Field(
        4, ge=1, le=1000, description="positions among which D chooses, per position"
    )
    width: int = Field(256, ge=2, le=100_000, description="output width of the projection heads")
    flip_inputs: bool = Field(True, description="mirror source and target, each by its own coin")
    lr_generator: float = Field(
        0.00005, gt=0, le=10, description="Adam's rate for generator and heads"
    )
    warmup_epochs: int = Field(
        20, ge=0, le=100_000, description="epochs in which the learning rates rise"
    )

    def pairs(self) -> list[tuple[int, int]]:
        """Return the pairs of layers, all numbered from the start."""
        depth = self.depth()
        return [(encoder, depth + decoder) for encoder, decoder in self.layer_pairs]


class PairedHeads(nn.Module):
    """A projection per pair of layers, for both ends, and a prediction for the decoder's end.

    The norms take their statistics from all positions of a batch, also in translation mode.
    """

    def __init__(self, channels: Sequence[int], width: int) -> None:
        super().__init__()
        for index, n_in in enumerate(channels):
            projection = nn.Sequential(
                nn.Linear(n_in, width, bias=False),
                nn.BatchNorm1d(width),
                nn.ReLU(),
                nn.Linear(width, width, bias=False),
                nn.BatchNorm1d(width, affine=False),
            )
            prediction = nn.Sequential(
                nn.Linear(width, width // 2, bias=False),
                nn.BatchNorm1d(width // 2),
                nn.ReLU(),
                nn.Linear(width // 2, width),
            )
            self.add_module(f"mlp_{index}", projection)
            self.add_module(f"prj_{index}", prediction)

    def queries(self, index: int, v: Tensor) -> Tensor:
        """Return the predictions (M, width) for vectors (M, C) of the decoder."""
        return getattr(self, f"prj_{index}")(getattr(self, f"mlp_{index}")(v))

    @torch.no_grad()
    def keys(self, index: int, v: Tensor) -> Tensor:
        """Return the projections (M, width) of vectors (M, C) of the encoder."""
        return getattr(self, f"mlp_{index}")(v)


def pick(maps: Tensor, ids: Tensor) -> Tensor:
    """Return the vectors (N*P, C) of maps (N, C, H, W) at each image's positions (N, P)."""
    index = ids[:, None].expand(-1, maps.shape[1], -1)
    return maps.flatten(2).gather(2, index).transpose(1, 2).flatten(0, 1)


def recorded_outputs(method: EnCo, given: Given) -> dict[str, Tensor]:
    """Return the images of a step's first pass, by their names in recordings."""
    a, b = (method.flipped(given(side), bool(given(f"flipped/{side}"))) for side in "AB")
    return {"fake_B": method.G(a), "idt_B": method.G(b)}


class EnCo(Method):
    """Features of encoder and decoder of one pass should agree: no translation is encoded again.

    f_l are features of the encoder and f_m those of the decoder's layer of the same shape. A
    projection is shared by both ends; the decoder's end has a prediction after it. There are no
    negatives. Half of the positions are random. The other half are those where D finds the
    translation least real, among `oversample` x `n_patches` random ones.

        L_EnCo = mean over pairs (l, m) and positions of
                 2 - 2 cos( predict(project(f_m)), project(f_l) ),  without gradient of project(f_l)
        G and heads minimise  L_GAN + (lambda_nce L_EnCo + lambda_identity |G(y) - y|) / 2
        after identity_epochs  L_GAN + lambda_nce L_EnCo

    Followed: the authors' release (github.com/XiudingCai/EnCo-pytorch). Source and target images
    are mirrored, each by a coin of its own. Encoder features get no gradient from L_EnCo.

    Different: nothing in the step.

    Settings: those of the release's script for cityscapes, the only one: 100 + 100 epochs, batch
    size 1, rates 0.00005 (G, heads) and 0.0002 (D), which rise over 20 epochs.

    Passes: per pair of images, 1 of G, or 2 while there is an identity term.
    """

    name = "enco"
    summary = "EnCo: agreement of encoder and decoder features of one pass, without negatives"
    citation = (
        "Cai, Zhu, Miao, Fu, Yao: Rethinking the Paradigm of Content Constraints in Unpaired"
        " Image-to-Image Translation, AAAI 2024"
    )
    Options = EnCoOptions
    schedule = Schedule(100, 100)
    stride = networks.Generator.stride
    losses = {
        "G_GAN": lsgan_term("generator, adversarial", "lambda_gan"),
        "NCE": Loss("agreement of encoder and decoder", "2 - 2 cos", "lambda_nce"),
        "identity": Loss("identity of the target", "L1", "lambda_identity"),
        "G": Loss("generator, total", total=True),
        "D_real": lsgan_term("discriminator, real"),
        "D_fake": lsgan_term("discriminator, fake"),
    }
    authors = Correspondence(
        options={"lambda_IDT": "lambda_identity", "flip_equivariance": "flip_inputs"}
        | {"oversample_ratio": "oversample", "lr_G": "lr_generator", "lr_D": "lr"},
        losses=["D_real + D_fake = 2*D", "NCE = BYOL", "identity = BYOL_Y"],
        outputs=recorded_outputs,
    )

    def __init__(self, options: EnCoOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        self.add(G=o.generator(), D=o.discriminator())
        channels = self.G.channels([encoder for encoder, _ in o.pairs()])
        self.add(F=PairedHeads(channels, o.width))
        self.adam(lr=o.lr_generator, G="G", F="F")
        self.adam(D="D")

    @classmethod
    def check(cls, options: EnCoOptions, size: tuple[int, int]) -> None:
        """Refuse layers that the generator does not have, or whose maps differ in shape.

        Raises:
            UserError: the option, and what it may be.
        """
        super().check(options, size)
        pairs = options.pairs()
        options.check_layers("layer_pairs", [layer for pair in pairs for layer in pair])
        with torch.device("meta"):  # shapes only
            generator, images = (
                options.generator(),
                torch.empty(1, options.images.source.channels, *size),
            )
        for pair in pairs:
            shapes = [tuple(maps.shape[1:]) for maps in generator.encode(images, pair)]
            if shapes[0] != shapes[1] or pair[0] >= pair[1]:
                raise UserError(
                    f"option layer_pairs: the maps of layers {pair[0]} and {pair[1]} are"
                    f" {shapes[0]} and {shapes[1]}; give an earlier and a later layer of one shape"
                )

    def set_lr_factor(self, factor: float) -> None:
        """Scale the learning rates, which rise in the first epochs."""
        warmup = self.options.warmup_epochs
        super().set_lr_factor(min(factor, self.epoch / warmup) if warmup else factor)

    @classmethod
    def takes(cls, options: EnCoOptions) -> Takes:
        """Return "any" without the identity term, which translates target images."""
        return "equal" if options.lambda_identity > 0 else "any"

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update D, then G and heads together."""
        o, n = self.options, len(batch.source)
        a, b = (self._draw_flip(x, side) for x, side in zip(batch, "AB", strict=True))
        with_identity = self.epoch <= o.identity_epochs and o.lambda_identity > 0
        layers = sorted({layer for pair in o.pairs() for layer in pair})
        out, maps = self.G.with_features(torch.cat([a, b]) if with_identity else a, layers)
        fake = out[:n]
        judgement = lsgan_terms(self.D, b, fake.detach())
        losses = self.update("D", judgement, total=sum(judgement.values()) / 2)
        judged = self.D(fake)
        terms = {"G_GAN": lsgan(judged, real=True) * o.lambda_gan}
        features = {layer: x[:n] for layer, x in zip(layers, maps, strict=True)}
        terms["NCE"] = self._agreement(features, judged.detach()) * o.lambda_nce
        total = terms["G_GAN"] + terms["NCE"]
        if with_identity:
            terms["identity"] = F.l1_loss(out[n:], b) * o.lambda_identity
            total = terms["G_GAN"] + (terms["NCE"] + terms["identity"]) * 0.5
        return losses | self.update(("G", "F"), {**terms, "G": total}, total=total)

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1]."""
        return self.G(images)

    @staticmethod
    def flipped(images: Tensor, mirror: bool) -> Tensor:
        """Return the images, mirrored left to right or as they are."""
        return images.flip(3) if mirror else images

    def _draw_flip(self, images: Tensor, side: str) -> Tensor:
        if not self.options.flip_inputs:
            return images
        name = f"flipped/{side}"
        return self.flipped(
            images, bool(self.draw(name, lambda rng: torch.rand((), generator=rng) < 0.5))
        )

    def _agreement(self, features: dict[int, Tensor], judged: Tensor) -> Tensor:
        """Return the mean of 2 - 2 cos over pairs of layers and positions.

        Args:
            features: maps (N, C, H, W) of the translation's pass by layer.
            judged: the discriminator's map of the translations, (N, 1, h, w).
        """
        terms = []
        for index, (encoder, decoder) in enumerate(self.options.pairs()):
            ids = self._guided_positions(index, features[decoder].shape, judged)
            queries = self.F.queries(index, pick(features[decoder], ids))
            keys = self.F.keys(index, pick(features[encoder].detach(), ids))
            terms.append((2 - 2 * F.cosine_similarity(queries, keys, dim=1)).mean())
        return torch.stack(terms).mean()

    def _guided_positions(self, index: int, shape: torch.Size, judged: Tensor) -> Tensor:
        """Return positions (N, P): half where D is surest of a translation, half anywhere.

        Positions at an edge can have equal scores, and rounding decides between them. A replay is
        given the positions that were chosen, and not those that they were chosen from.
        """
        o, (_, _, h, w) = self.options, shape
        scores = F.interpolate(judged, (h, w), mode="bilinear", align_corners=False).flatten(1)
        rows = [
            self.draw(
                f"selected/layer{index}/image{image}",
                lambda rng, score=score: guided(score, o.n_patches, o.oversample, rng),
            )
            for image, score in enumerate(scores)
        ]
        return torch.stack(rows).to(judged.device, non_blocking=True)


def guided(scores: Tensor, n: int, oversample: int, rng: torch.Generator) -> Tensor:
    """Draw n of (HW,) positions: n//2 with the lowest scores of many random ones, and n//2 more."""
    many = torch.randperm(len(scores), generator=rng)[: oversample * n]
    some = torch.randperm(len(scores), generator=rng)[: n // 2]
    many, some = (ids.to(scores.device, non_blocking=True) for ids in (many, some))
    return torch.cat([many[scores[many].argsort()[: n // 2]], some])
