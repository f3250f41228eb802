"""What recordings of the release's code name: losses, weights, updates, outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from cut.methods.correspondence import Correspondence, Given

if TYPE_CHECKING:
    from baselines.drit.method import Drit


def recorded_outputs(method: Drit, given: Given) -> dict[str, Tensor]:
    """Return codes and a translation of the first source, by their names in recordings."""
    image = given("A")[:1]
    content = method.E_c(image, "A")
    outputs = {"content_A": content, "attributes_A": torch.cat(method.E_A(image))}
    if "test_z" in given:
        translation = method.G(content, given("test_z"), "B")
        outputs["test_fake_B_corner"] = translation[..., :48, :48]
    return outputs


AUTHORS = Correspondence(
    options={"mode_seeking": "mode_seeking"},
    transposed=["G/own.A.3.0.weight", "G/own.B.3.0.weight"],
    losses=[
        "D_A = disA_loss",
        "D_B = disB_loss",
        "D2_A = disA2_loss",
        "D2_B = disB2_loss",
        "D_c = disContent_loss",
        "G_GAN = gan_loss_a + gan_loss_b",
        "G_GAN2 = gan2_loss_a + gan2_loss_b",
        "content = gan_loss_acontent + gan_loss_bcontent",
        "kl = kl_loss_za_a + kl_loss_za_b + kl_loss_zc_a + kl_loss_zc_b",
        "rec = l1_recon_AA_loss + l1_recon_BB_loss",
        "cross = l1_recon_A_loss + l1_recon_B_loss",
        "G_GAN + content + kl + rec + cross = G_loss",
        "latent = l1_recon_z_loss_a + l1_recon_z_loss_b",
        "modes = lz_AB + lz_BA",
    ],
    updates={"judges": 0, "first": 0, "second": 1},
    outputs=recorded_outputs,
)
