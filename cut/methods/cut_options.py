"""The options of CUT and FastCUT, and of methods built on PatchNCE."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, model_validator

from cut.methods.options import Layers, NetworkOptions, Weight


class PatchNceOptions(NetworkOptions):
    """Options of PatchNCE; the defaults are the paper's."""

    feature_layers: ClassVar[tuple[str, ...]] = ("nce_layers",)

    nce_layers: Layers = Field([0, 4, 8, 12, 16], description="generator layers compared")
    n_patches: int = Field(
        256, ge=2, le=65_536, description="positions per layer (256 gives 255 negatives)"
    )
    tau: float = Field(0.07, gt=0, le=1000, description="temperature of PatchNCE")
    width: int = Field(256, ge=1, le=8192, description="output width of the projection heads")


class CutOptions(PatchNceOptions):
    """CUT's options; the defaults are the paper's."""

    lambda_gan: Weight = Field(1.0, description="weight of the GAN term")
    lambda_nce: Weight = Field(1.0, description="weight of PatchNCE, lambda_X")
    identity: bool = Field(True, description="PatchNCE on translated target images, lambda_Y")
    flip_equivariance: bool = Field(False, description="mirror the generator's input at random")
    projection: Literal["mlp", "none"] = Field("mlp", description="projection head, or none")
    query_encoder: Literal["shared", "separate"] = Field(
        "shared", description="encode translations by the generator's encoder, or by a second one"
    )
    key_gradient: bool = Field(
        False, description="also train through the keys, which the published code detaches"
    )
    negatives_across_batch: bool = Field(
        False, description="take negatives from the whole batch instead of the same image"
    )

    @model_validator(mode="after")
    def _keys_learn(self) -> CutOptions:
        # Otherwise nothing would train the heads that embed the keys.
        if self.query_encoder == "separate" and not self.key_gradient:
            raise ValueError("query_encoder 'separate' needs key_gradient: true")
        return self


class FastCutOptions(CutOptions):
    """FastCUT: a larger weight of PatchNCE instead of the identity term, and flip-equivariance."""

    lambda_nce: Weight = Field(10.0, description="weight of PatchNCE, lambda_X")
    identity: bool = Field(False, description="PatchNCE on translated target images, lambda_Y")
    flip_equivariance: bool = Field(True, description="mirror the generator's input at random")
