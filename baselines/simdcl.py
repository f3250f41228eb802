"""SimDCL: DCLGAN with a similarity of the images of one domain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from baselines.dclgan import DclGan, DualOptions
from cut.methods.loss import Loss
from cut.methods.options import Weight
from cut.nets.networks import unit

SIZE = 64  # channels and length of a vector


class SimDclOptions(DualOptions):
    """Options of SimDCL; the defaults are those of the authors' code."""

    lambda_sim: Weight = Field(10.0, description="weight of the similarity")


class Mapping(nn.Module):
    """Map the embedded patches of an image to one unit vector.

    Args:
        layers: number of layers with embedded patches.
    """

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.model = nn.Sequential(
            nn.Conv2d(layers, SIZE, 3, stride=2),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(SIZE, SIZE),
            nn.ReLU(),
            nn.Linear(SIZE, SIZE),
        )

    def forward(self, patches: Sequence[Tensor]) -> Tensor:
        """Return (N, 64) vectors of the (N, P, C) embedded patches per layer."""
        v = self.model(torch.stack(list(patches), dim=1))  # N,L,P,C -> N,64
        return unit(v)


def initialise(network: nn.Module, rng: torch.Generator) -> None:
    """Draw weights from a normal distribution of deviation 0.02; set biases to zero."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.normal_(module.weight, std=0.02, generator=rng)
            nn.init.zeros_(module.bias)


class SimDcl(DclGan):
    """DCLGAN in which inputs and translations of the same domain should be alike as a whole.

    Small networks f map all embedded patches of an image to one unit vector. With h the embedded
    patches, by the heads of the image's domain:

        sim = |f_3(h(x)) - f_6(h(G_B(y)))| + |f_4(h(G_A(x))) - f_5(h(y))|
        generators, heads and f minimise  (L_A + L_B + NCE_A + NCE_B) / 2
                            + (|G_A(y) - y| + |G_B(x) - x|) / 2 + lambda_sim sim

    Followed: the authors' release (github.com/JunlinHan/DCLGAN). The vectors are compared by a
    mean, where the paper has a sum. PatchNCE and identity have no weights. Heads and small networks
    share one Adam with the rate of the generators, and the small networks start from N(0, 0.02).

    Different: nothing in the step.

    Settings: those of the release, with 200 + 200 epochs and batch size 1. The paper has 200
    epochs.

    Passes: DCLGAN's.
    """

    name = "simdcl"
    summary = "SimDCL: DCLGAN with a similarity of the images of each domain"
    Options = SimDclOptions
    losses = {name: replace(loss, weight="") for name, loss in DclGan.losses.items()} | {
        "G_GAN_A": DclGan.losses["G_GAN_A"],
        "G_GAN_B": DclGan.losses["G_GAN_B"],
        "Sim": Loss("similarity", "L1", "lambda_sim"),
    }
    authors = replace(
        DclGan.authors,
        methods=("simdcl",),
        options={"pool_size": "pool_size", "gan_mode": "gan_loss", "lambda_SIM": "lambda_sim"},
    )
    lambda_nce = 1.0
    lambda_identity = 1.0

    def add_heads_optimizer(self) -> None:
        """Add the four small networks; one optimizer has them and the heads."""
        names = [f"F{i}" for i in range(3, 7)]
        layers = len(self.options.nce_layers)
        self.add(initialise=initialise, **{name: Mapping(layers) for name in names})
        self.adam(F=("F1", "F2", *names))

    def contrast(
        self, keys: Sequence[Sequence[Tensor]], fakes: Sequence[Tensor]
    ) -> dict[str, Tensor]:
        """Return PatchNCE of both directions and the similarity."""
        n, losses, inputs, translations = self.options.n_patches, {}, [], []
        for i, name in enumerate(("NCE_A", "NCE_B")):
            ids = self.draw_positions(keys[i], n)
            inputs.append(self.heads(i)(keys[i], ids))
            maps = self.encode_fake(i, fakes[i])
            losses[name] = self.patch_losses(self.heads(1 - i)(maps, ids), inputs[i])
            translations.append(self.heads(1 - i)(maps, self.draw_positions(maps, n)))
        source = F.l1_loss(self.F3(inputs[0]), self.F6(translations[1]))
        target = F.l1_loss(self.F4(translations[0]), self.F5(inputs[1]))
        return losses | {"Sim": (source + target) * self.options.lambda_sim}
