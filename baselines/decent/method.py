"""DECENT: unpaired translation by equal changes of log-density."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from baselines.decent.flow import LayerDensities, initialise
from baselines.decent.optimizer import UncorrectedAmsgrad, follow
from cut.methods.contract import Batch, Method, Schedule
from cut.methods.correspondence import Correspondence, Given
from cut.methods.loss import Loss, lsgan_term
from cut.methods.options import Layers, NetworkOptions, Weight
from cut.nets import networks
from cut.nets.losses import lsgan, lsgan_terms

DENSITIES = ("F_A", "F_B")


class DecentOptions(NetworkOptions):
    """Options of networks, losses and densities; the defaults are those of the authors' code."""

    feature_layers: ClassVar[tuple[str, ...]] = ("density_layers",)

    lambda_gan: Weight = Field(1.0, description="weight of the GAN term")
    lambda_var: Weight = Field(0.01, description="weight of the variance of density changes")
    lambda_identity: Weight = Field(10.0, description="weight of the L1 identity of the target")
    var_all: bool = Field(
        False, description="take the variance over the patches of all images instead of each"
    )
    density_layers: Layers = Field(
        [0, 4, 8, 12, 16], description="generator layers whose densities are learned"
    )
    n_patches: int = Field(256, ge=2, le=65_536, description="positions per layer")
    n_flows: int = Field(1, ge=1, le=100, description="flows per density")
    hidden_factor: int = Field(10, ge=1, le=1000, description="width of a flow over its channels")
    flow_lr: float = Field(0.001, gt=0, le=1, description="learning rate of the densities")
    flow_clip: float = Field(
        0.1, gt=0, le=1_000_000, description="largest norm of the gradient of an estimator"
    )
    average_decay: float = Field(
        0.998, ge=0, lt=1, description="of the average of the densities' weights, per step"
    )
    correct_average: bool = Field(
        False, description="correct the average's start at zero, which the released code does not"
    )


def recorded_outputs(method: Decent, given: Given) -> dict[str, Tensor]:
    """Return the translations of the first images, by their names in recordings."""
    return {"fake_B": method.G(given("A")), "idt_B": method.G(given("B"))}


class Decent(Method):
    """A translation should change the log-density of all patches of an image by the same amount.

    At each of five layers, two flows learn the densities p_A and p_B of the feature vectors of
    source and of target images. x_i is such a vector of a source image at position i, with C
    channels, and y_i that of its translation at the same position. [a] is a without gradient.

        var = mean over layers of Var_i( ([ln p_A(x_i)] - ln p_B(y_i)) / (C ln 2) )
        G minimises      L_GAN + lambda_identity |G(y) - y| + lambda_var var
        flows minimise   mean over layers and i of -ln p_A([x_i]) of source images, and
                         of -ln p_B at features of target images

    Followed: the authors' release (github.com/Mid-Push/Decent). Each step trains the flows first,
    on features of the same pass, with their gradient clipped to a norm of 0.1 and an Adam of the
    release (`baselines/decent/optimizer.py`). G sees moving averages of the flows' weights. These
    start at zero and are not corrected, so that G sees whole densities only after some thousand
    steps; `correct_average: true` corrects them.

    Different: nothing in the step. A layer with fewer than `n_patches` positions gives all of them,
    where the release stops.

    Settings: the defaults of the release, which it has for every data set, with 200 + 200 epochs
    and batch size 1.

    Passes: per pair of images, 2 of G and 1 of its encoder; the flows are evaluated on the
    positions of four images, two of them without gradient of their weights.
    """

    name = "decent"
    summary = "DECENT: translation that changes the log-density of all patches equally"
    citation = (
        "Xie, Ho, Zhang: Unsupervised Image-to-Image Translation with Density Changing"
        " Regularization, NeurIPS 2022"
    )
    Options = DecentOptions
    schedule = Schedule(200, 200)
    stride = networks.Generator.stride
    channels = "equal"
    losses = {
        "G_GAN": lsgan_term("generator, adversarial", "lambda_gan"),
        "identity": Loss("identity of the target", "L1", "lambda_identity"),
        "var": Loss("variance of density changes", "squared bits per channel", "lambda_var"),
        "G": Loss("generator, total", total=True),
        "D_real": lsgan_term("discriminator, real"),
        "D_fake": lsgan_term("discriminator, fake"),
        "nll_A": Loss("density of the source", "nats, sum of layers"),
        "nll_B": Loss("density of the target", "nats, sum of layers"),
        "average_nll_A": Loss("averaged density, source", "nats, sum of layers"),
        "average_nll_B": Loss("averaged density, translation", "nats, sum of layers"),
        "F": Loss("densities, total", "nats, mean of layers", total=True),
    }
    authors = Correspondence(
        options={
            "lambda_var": "lambda_var",
            "lambda_idt": "lambda_identity",
            "var_all": "var_all",
            "layers": "density_layers",
            "flow_blocks": "n_flows",
            "bnaf_dim": "hidden_factor",
            "flow_lr": "flow_lr",
            "flow_ema": "average_decay",
        },
        networks={"average/": "average."},
        losses=[
            "D_real + D_fake = 2*D",
            "identity = idt",
            "var = lambda_var*var",
            "average_nll_A = exp_A",
            "average_nll_B = exp_B",
        ],
        ignored=("*/initialized",),
        outputs=recorded_outputs,
    )

    def __init__(self, options: DecentOptions, seed: int = 0) -> None:
        super().__init__(options, seed)
        o = options
        self.add(G=o.generator(), D=o.discriminator())
        self.adam(G="G", D="D")
        channels = self.G.channels(o.density_layers)
        self.average = nn.ModuleDict()
        for name in DENSITIES:
            densities = LayerDensities(channels, o.n_flows, o.hidden_factor)
            self.add(**{name: densities}, initialise=initialise)
            self.optimizers[name] = UncorrectedAmsgrad(densities.parameters(), o.flow_lr)
            self.average[name] = copy.deepcopy(densities).requires_grad_(False)
            for p in self.average[name].parameters():
                p.zero_()

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Update F_A and F_B with their averages, then D, then G."""
        o, (a, b) = self.options, batch
        out, features = self.G.with_features(torch.cat([a, b]), o.density_layers)
        fake, same = out.split([len(a), len(b)])
        of_a, of_b = zip(*(f.detach().split([len(a), len(b)]) for f in features), strict=True)
        losses = self._density_step(of_a, of_b) if o.lambda_var > 0 else {}
        judgement = lsgan_terms(self.D, b, fake.detach())
        losses |= self.update("D", judgement, total=sum(judgement.values()) / 2)
        terms = {
            "G_GAN": lsgan(self.D(fake), real=True) * o.lambda_gan,
            "identity": F.l1_loss(same, b) * o.lambda_identity,
        }
        if o.lambda_var > 0:
            before, after = self._log_densities(of_a, fake)
            losses["average_nll_A"], losses["average_nll_B"] = map(total_nll, (before, after))
            changes = [x - y for x, y in zip(before, after, strict=True)]
            terms["var"] = self.variance(changes) * o.lambda_var
        total = torch.stack(list(terms.values())).sum()
        losses |= self.update("G", {**terms, "G": total}, total=total)
        return {name: loss.detach() for name, loss in losses.items()}

    @torch.no_grad()
    def translate(self, images: Tensor) -> Tensor:
        """Translate (N, 3, H, W) in [-1, 1]."""
        return self.G(images)

    def variance(self, changes: Sequence[Tensor]) -> Tensor:
        """Return the variance of the changes of log-density, the mean over layers, a scalar.

        Changes are (N, P) in nats per layer.
        """
        o = self.options
        terms = []
        for change, channels in zip(changes, self.G.channels(o.density_layers), strict=True):
            bits = change / (channels * math.log(2))
            terms.append(bits.var() if o.var_all else bits.var(dim=1).mean())
        return torch.stack(terms).mean()

    def _density_step(self, of_a: Sequence[Tensor], of_b: Sequence[Tensor]) -> dict[str, Tensor]:
        """Train the densities on features without graph, and move their averages."""
        o, losses = self.options, {}
        for name, features in zip(DENSITIES, (of_a, of_b), strict=True):
            ids = self.draw_positions(features, o.n_patches)
            nll = total_nll(self.networks[name](features, ids))
            mean = {name: nll / len(features)}
            losses |= self.update(name, mean, clip=o.flow_clip)
            losses[f"nll_{name[-1]}"] = nll.detach()
            steps = self.optimizers[name].steps if o.correct_average else 0
            follow(self.average[name], self.networks[name], o.average_decay, steps)
        losses["F"] = losses.pop("F_A") + losses.pop("F_B")
        return losses

    def _log_densities(
        self, of_a: Sequence[Tensor], fake: Tensor
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Return ln p_A of the source's features and ln p_B of the translation's, (N, P) each."""
        o = self.options
        ids = self.draw_positions(of_a, o.n_patches)
        with torch.no_grad():
            before = self.average["F_A"](of_a, ids)
        return before, self.average["F_B"](self.G.encode(fake, o.density_layers), ids)


def total_nll(log_densities: Sequence[Tensor]) -> Tensor:
    """Return the negative log-likelihood per vector in nats, summed over layers, a scalar."""
    return -torch.stack([x.mean() for x in log_densities]).sum()
