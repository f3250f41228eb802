"""Options of MUNIT's networks, which ACL-GAN has too."""

from __future__ import annotations

from pydantic import Field

from cut.methods.options import Channels, Options, Weight


class AutoEncoderOptions(Options):
    """Options of auto-encoders, discriminators and Adam, with both releases' defaults."""

    ngf: Channels = Field(64, description="channels of the encoders' first layer")
    ndf: Channels = Field(64, description="channels of the discriminators' first layer")
    n_downsample: int = Field(2, ge=1, le=2, description="halvings of the content")
    n_blocks: int = Field(
        4, ge=1, le=100, description="residual blocks of an encoder, and of a decoder"
    )
    style_dim: int = Field(8, ge=1, le=4096, description="length of a style code")
    mlp_dim: int = Field(
        256, ge=1, le=8192, description="width of the perceptron from style to the decoder"
    )
    n_layers: int = Field(
        4, ge=1, le=8, description="layers of each discriminator, each of stride 2"
    )
    n_scales: int = Field(3, ge=1, le=8, description="scales of the discriminators, those that fit")
    lambda_gan: Weight = Field(1.0, description="weight of the GAN terms of images")
    lr: float = Field(0.0001, gt=0, le=1, description="Adam's learning rate before decay")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first-moment decay")
    beta2: float = Field(0.999, ge=0, lt=1, description="Adam's second-moment decay")
    weight_decay: float = Field(0.0001, ge=0, le=1, description="Adam's L2 penalty")
