"""The options of methods: typed, with ranges and one line of description each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cut.base.errors import UserError, explain
from cut.nets import networks


class Options(BaseModel):
    """Base of a method's options: unknown names and values out of range are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NetworkOptions(Options):
    """Options of the networks and optimizers that methods share."""

    ngf: int = Field(64, ge=1, description="channels of the generator's first layer")
    ndf: int = Field(64, ge=1, description="channels of the discriminator's first layer")
    n_blocks: int = Field(9, ge=1, description="residual blocks of the generator")
    n_layers_D: int = Field(3, ge=1, le=5, description="down-sampling stages of the discriminator")
    antialias: bool = Field(True, description="blur before down-sampling (CycleGAN: false)")
    antialias_up: bool = Field(True, description="blur after up-sampling (CycleGAN: false)")
    init_gain: float = Field(0.02, gt=0, description="gain of the Xavier initialisation")
    # The paper's text says 0.002; its code, whose results the paper reports, uses 0.0002.
    lr: float = Field(0.0002, gt=0, description="Adam's learning rate before decay")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first-moment decay")
    beta2: float = Field(0.999, ge=0, lt=1, description="Adam's second-moment decay")

    def generator(self) -> networks.Generator:
        """Return the ResNet generator of these options."""
        return networks.Generator(self.ngf, self.n_blocks, self.antialias, self.antialias_up)

    def discriminator(self) -> networks.Discriminator:
        """Return the PatchGAN discriminator of these options."""
        return networks.Discriminator(self.ndf, self.n_layers_D, self.antialias)

    def check_layers(self, option: str, layers: Sequence[int]) -> None:
        """Refuse feature layers that the generator does not have.

        Raises:
            UserError: names the option, the layer and the range.
        """
        with torch.device("meta"):  # shapes only: no memory, no random numbers
            generator = self.generator()
        try:
            generator.channels(layers)
        except UserError as error:
            raise UserError(f"option {option}: {error}") from None


def parse_options(model: type[BaseModel], given: dict[str, Any], what: str) -> Any:
    """Build `model` from `given`, turning what is wrong into one sentence.

    Raises:
        UserError: an unknown name, a wrong type or a value out of range.
    """
    try:
        return model(**given)
    except ValidationError as error:
        raise UserError(explain(error, model, "option", what)) from None
