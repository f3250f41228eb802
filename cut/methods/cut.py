"""CUT and FastCUT: contrastive learning for unpaired image-to-image translation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from cut.methods.contract import Batch, Method, Schedule
from cut.methods.correspondence import Correspondence, Given
from cut.methods.cut_options import CutOptions, FastCutOptions
from cut.methods.loss import Loss, lsgan_term
from cut.nets import networks
from cut.nets.losses import lsgan, lsgan_terms, patch_nce

# Queries and keys of a layer, (N, P, C) unit vectors, and what a variant compares besides.
Pair = tuple[Tensor, ...]
CITATION = "Park, Efros, Zhang, Zhu: Contrastive Learning for Unpaired I2I Translation, ECCV 2020"


def chance_of_patch_nce(options: Mapping[str, Any]) -> float | None:
    """Return ln P, the PatchNCE of a guess among P patches; None if P depends on the batch."""
    return None if options["negatives_across_batch"] else math.log(options["n_patches"])


def patch_nce_term(title: str) -> Loss:
    """Return the description of one PatchNCE term."""
    return Loss(title, "cross-entropy, nats", "lambda_nce", chance_of_patch_nce)


def recorded_outputs(method: Cut, given: Given) -> dict[str, Tensor]:
    """Return features and translations of the first images, by their names in recordings."""
    source, layers = given("A"), method.options.nce_layers
    features = zip(layers, method.G.encode(source, layers), strict=True)
    flipped = "flipped" in given and bool(given("flipped"))
    return {
        **{f"features_A/{layer}": feature for layer, feature in features},
        "fake_A": method.G(source.flip(3) if flipped else source),
        "fake_B": method.G(source),
        "idt_B": method.G(given("B")),
    }


class Cut(Method):
    """Every patch of a translation should resemble the patch of the input at the same place.

    PatchNCE compares a translation with its input by features of the generator's own encoder. At a
    layer l and P random positions, q_i is the feature vector of the translation at position i after
    a two-layer head H_l, scaled to unit length, and k_i that of the input. The other P - 1
    positions of the same input are the negatives. PatchNCE(y) compares a target image y with G(y):
    it is the identity term, meant to prevent needless changes.

        PatchNCE(x) = mean over l, i of -ln( exp(q_i.k_i/tau) / sum_j exp(q_i.k_j/tau) )
        L_GAN       = mean (D(G(x)) - 1)^2
        G and H minimise  L_GAN + lambda_nce (PatchNCE(x) + PatchNCE(y)) / 2
        D minimises       (mean (D(y) - 1)^2 + mean D(G(x))^2) / 2

    Followed: the authors' release (github.com/taesungp/contrastive-unpaired-translation), also
    where the paper's text differs. PatchNCE is a mean over layers and positions, not a sum; its two
    terms are halved; the keys get no gradient; the learning rate is 0.0002, not 0.002.

    Different: nothing in the step. The release encodes the inputs again to get the keys; here the
    generator's pass gives them, with the same values.

    Settings: those of the release, with 200 + 200 epochs and batch size 1.

    Passes: per pair of images, 2 of G and 2 of its encoder.
    """

    name = "cut"
    summary = "CUT: patchwise contrastive loss with internal negatives and the identity term"
    citation = CITATION
    Options = CutOptions
    schedule = Schedule(200, 200)
    stride = networks.Generator.stride
    channels = "equal"  # the generator's encoder also encodes translations
    capturable = True
    losses = {
        "G_GAN": lsgan_term("generator, adversarial", "lambda_gan"),
        "D_real": lsgan_term("discriminator, real"),
        "D_fake": lsgan_term("discriminator, fake"),
        "NCE": patch_nce_term("PatchNCE, translation"),
        "NCE_Y": patch_nce_term("PatchNCE, identity"),
        "G": Loss("generator, total", total=True),
    }
    authors = Correspondence(losses=["D_real + D_fake = 2*D"], outputs=recorded_outputs)
    Heads = networks.ProjectionHeads
    embedding = ("F", "F_q", "E")  # the networks that embed patches and do not translate

    def __init__(self, options: CutOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        self.add(G=o.generator(), D=o.discriminator())
        self.add(F=self._new_heads())
        trained = ["G", "F"]
        # The paper's appendix C.5: queries have an encoder and heads of their own, with their own
        # weights from the start, and both sides are trained.
        if o.query_encoder == "separate":
            self.add(E=self.G.encoder(max(o.nce_layers)), F_q=self._new_heads())
            trained += ["E", "F_q"]
        self.adam(G=trained, D="D")

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update D, then G and F together, in the order of the authors' code."""
        o, (real_a, real_b) = self.options, batch
        flipped = self._draw_flip()
        source = torch.cat([real_a, real_b]) if self._with_identity else real_a
        seen = source.flip(3) if flipped else source
        out, features = self.G.with_features(seen, o.nce_layers)
        keys = features  # of this same pass, unless it was mirrored
        if flipped:
            with torch.set_grad_enabled(o.key_gradient):
                keys = self.G.encode(source, o.nce_layers)
        fake = out[: len(real_a)]

        terms = lsgan_terms(self.D, real_b, fake.detach())
        losses = self.update("D", terms, total=sum(terms.values()) * 0.5)
        return losses | self._generator_step(fake, out, keys, flipped)

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1]."""
        return self.G(images)

    @property
    def query_encoder(self) -> networks.Generator:
        """Return the encoder of the translations: the generator's, or one of its own."""
        return self.E if self.options.query_encoder == "separate" else self.G

    @property
    def query_heads(self) -> networks.ProjectionHeads:
        """Return the projection heads of the translations."""
        return self.F_q if self.options.query_encoder == "separate" else self.F

    def embedding_state(self) -> dict[str, Any]:
        """Return what embeds patches beside the generator: heads, and perhaps a second encoder."""
        kept = [name for name in self.networks if name in self.embedding]
        states = {name: self.networks[name].state_dict() for name in kept}
        return {name: state for name, state in states.items() if state}

    def load_embedding_state(self, state: dict[str, Any]) -> None:
        """Restore what `embedding_state` returned."""
        for name in self.embedding_state():
            self.networks[name].load_state_dict(state[name])

    def _new_heads(self) -> networks.ProjectionHeads:
        o = self.options
        return self.Heads(self.G.channels(o.nce_layers), o.width, o.projection == "mlp")

    @property
    def _with_identity(self) -> bool:
        return self.options.identity and self.options.lambda_nce > 0

    def _draw_flip(self) -> bool:
        if not self.options.flip_equivariance:
            return False
        return bool(self.draw("flipped", lambda rng: bool(torch.rand((), generator=rng) < 0.5)))

    def _generator_step(
        self, fake: Tensor, out: Tensor, keys: list[Tensor], flipped: bool
    ) -> dict[str, Tensor]:
        o = self.options
        losses = {"G_GAN": lsgan(self.D(fake), real=True) * o.lambda_gan}
        total = losses["G_GAN"]
        if o.lambda_nce > 0:
            terms = self._nce(self.encode_queries(out), keys, flipped)
            for part in self._parts(terms):
                total = total + part
            losses |= terms
        return self.update("G", {**losses, "G": total}, total=total)

    @property
    def _terms(self) -> list[str]:
        """Return the names of the PatchNCE terms: the source's, and the identity's."""
        return ["NCE", "NCE_Y"] if self._with_identity else ["NCE"]

    def encode_queries(self, out: Tensor) -> list[list[Tensor]]:
        """Return the feature maps of each term's images, from one pass of the encoder."""
        return self._by_term(self.query_encoder.encode(out, self.options.nce_layers))

    def _by_term(self, maps: Sequence[Tensor]) -> list[list[Tensor]]:
        """Split maps of translations, then identity images, into the maps of each term."""
        n = len(self._terms)
        return [list(term) for term in zip(*(f.chunk(n) for f in maps), strict=True)]

    def _parts(self, terms: dict[str, Tensor]) -> Iterator[Tensor]:
        """Yield what the generator's loss has of `_nce`: the mean of PatchNCE, other terms."""
        contrast = terms["NCE"]
        yield (contrast + terms["NCE_Y"]) * 0.5 if self._with_identity else contrast
        yield from (terms[name] for name in terms if name not in self._terms)

    def _nce(
        self, queries: Sequence[Sequence[Tensor]], keys: Sequence[Tensor], flipped: bool
    ) -> dict[str, Tensor]:
        """Return the weighted PatchNCE of the translations, and of the identity images."""
        losses = {}
        for name, pairs in self.embedded(queries, keys, flipped):
            losses[name] = self.contrast(name, pairs) * self.options.lambda_nce
            losses |= self.other_terms(name, pairs)
        return losses

    def embedded(
        self, queries: Sequence[Sequence[Tensor]], keys: Sequence[Tensor], flipped: bool
    ) -> Iterator[tuple[str, list[Pair]]]:
        """Yield each term's name and its embedded patches per layer, at positions drawn now.

        Args:
            queries: maps per term and layer, from `encode_queries`.
            keys: maps per layer of all terms' inputs, source images first.
            flipped: whether the queries are mirrored.
        """
        for call, name in enumerate(self._terms):
            k = [f.chunk(len(queries))[call] for f in keys]
            q = [f.flip(3) for f in queries[call]] if flipped else queries[call]
            ids = self.draw_positions(k, self.options.n_patches)
            yield name, self.embed_pairs(name, q, k, ids)

    def embed_pairs(
        self, term: str, q: Sequence[Tensor], k: Sequence[Tensor], ids: Sequence[Tensor]
    ) -> list[Pair]:
        """Return the unit vectors of queries and keys, each (N, P, C), per layer.

        Args:
            term: "NCE" for translations and inputs, "NCE_Y" for identity and target images.
            q: (N, C_l, H_l, W_l) maps of the translations per layer.
            k: those of the inputs, with their graph; `embed_keys` detaches them.
            ids: (P,) positions per layer, from `draw_positions`.
        """
        return list(zip(self.query_heads(q, ids), self.embed_keys(k, ids), strict=True))

    def contrast(self, term: str, pairs: Sequence[Pair]) -> Tensor:
        """Return one term's loss before its weight, a scalar: the mean over layers.

        The paper sums over layers and positions; its code, followed here, takes means.
        """
        return torch.stack([self.patch_loss(*pair) for pair in pairs]).mean()

    def other_terms(self, term: str, pairs: Sequence[Pair]) -> dict[str, Tensor]:
        """Return further losses of a variant on the same patches, weighted; none by default."""
        return {}

    def patch_loss(self, q: Tensor, k: Tensor) -> Tensor:
        """Return the loss of one layer, a scalar, of (N, P, C) unit vectors."""
        o = self.options
        across = o.negatives_across_batch
        return patch_nce(q, k, o.tau, across, key_gradient=o.key_gradient)

    def embed_keys(self, k: Sequence[Tensor], ids: Sequence[Tensor]) -> list[Tensor]:
        """Return the keys, (N, P, C) unit vectors per layer."""
        with torch.set_grad_enabled(self.options.key_gradient):
            return self.F(k, ids)


class FastCut(Cut):
    """CUT with more weight on PatchNCE, without the identity term, in half the epochs.

    In half of the steps, drawn at random, the generator's input is mirrored. The features of the
    translation are then mirrored back before they are compared with those of the input.

        G and H minimise  L_GAN + lambda_nce PatchNCE(x),  lambda_nce = 10

    Followed: the fast mode of CUT's release.

    Different: nothing in the step.

    Settings: those of the release, with 150 + 50 epochs and batch size 1.

    Passes: per pair of images, 1 of G and 1 of its encoder; in a mirrored step, 1 more of the
    encoder without gradient.
    """

    name = "fastcut"
    summary = "FastCUT: CUT without the identity term, lambda 10, flip-equivariant, faster"
    Options = FastCutOptions
    capturable = True
    schedule = Schedule(150, 50)
