"""The options of methods: typed, with ranges and one line of description each."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
)

from cut.base.errors import UserError, explain
from cut.base.image_form import DEFAULT, Images
from cut.base.image_size import in_words
from cut.nets import networks

# Each number has a lower and an upper bound, so that a slip of a key is a sentence and not a
# machine without memory.
Channels = Annotated[int, Field(ge=1, le=1024)]
PoolSize = Annotated[int, Field(ge=0, le=10_000)]
Weight = Annotated[float, Field(ge=0, le=1_000_000)]  # of a term of the loss
Layer = Annotated[int, Field(ge=0, le=1000)]  # `check_layers` compares it with the generator's


def each_once(layers: list[int]) -> list[int]:
    """Return `layers`; refuse one that stands there twice, by a ValueError as pydantic expects."""
    if len(set(layers)) != len(layers):
        raise ValueError("a layer stands there twice")
    return layers


Layers = Annotated[list[Layer], Field(min_length=1, max_length=64), AfterValidator(each_once)]


class Options(BaseModel):
    """Base of a method's options: unknown names and values out of range are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    # What the data set's images are. It is no option: `of_images` gives it.
    _images: Images = PrivateAttr(DEFAULT)

    @property
    def images(self) -> Images:
        """Return what the images are that networks of these options are built for."""
        return self._images

    def of_images(self, images: Images) -> Self:
        """Return the same options for networks of other images."""
        copied = self.model_copy()
        copied._images = images
        return copied


class NetworkOptions(Options):
    """Options of the networks and optimizers that methods share.

    Attributes:
        feature_layers: the names of the options that list layers of the generator.
    """

    feature_layers: ClassVar[tuple[str, ...]] = ()

    ngf: Channels = Field(64, description="channels of the generator's first layer")
    ndf: Channels = Field(64, description="channels of the discriminator's first layer")
    n_blocks: int = Field(9, ge=1, le=100, description="residual blocks of the generator")
    n_downsampling: int = Field(
        2, ge=1, le=2, description="down-sampling stages of the generator; 1 for small images"
    )
    n_layers_D: int = Field(3, ge=1, le=5, description="down-sampling stages of the discriminator")
    antialias: bool = Field(True, description="blur before down-sampling (CycleGAN: false)")
    antialias_up: bool = Field(True, description="blur after up-sampling (CycleGAN: false)")
    init_gain: float = Field(0.02, gt=0, le=100, description="gain of the Xavier initialisation")
    # The paper's text says 0.002; its code, whose results the paper reports, uses 0.0002.
    lr: float = Field(0.0002, gt=0, le=1, description="Adam's learning rate before decay")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first-moment decay")
    beta2: float = Field(0.999, ge=0, lt=1, description="Adam's second-moment decay")

    def generator(self, back: bool = False) -> networks.Generator:
        """Return the ResNet generator of these options; with `back`, from target to source."""
        n_in, n_out = self.images.channels[::-1] if back else self.images.channels
        shape = (self.ngf, self.n_blocks, self.antialias, self.antialias_up)
        return networks.Generator(*shape, n_in, n_out, self.n_downsampling)

    def ends(self) -> tuple[int, int]:
        """Return the numbers of the generator's layers before and after its residual blocks."""
        return networks.Generator.ends(self.antialias, self.antialias_up, self.n_downsampling)

    def depth(self) -> int:
        """Return the number of the generator's layers, without building it."""
        return sum(self.ends()) + self.n_blocks

    def discriminator(self, of_source: bool = False) -> networks.Discriminator:
        """Return the PatchGAN discriminator of these options, of target (or source) images."""
        n_in = self.images.channels[0 if of_source else 1]
        return networks.Discriminator(self.ndf, self.n_layers_D, self.antialias, n_in)

    def check_layers(self, option: str, layers: Sequence[int]) -> None:
        """Refuse feature layers that the generator does not have.

        Raises:
            UserError: names the option, the layer and the range.
        """
        depth = self.depth()
        for layer in layers:
            if not 0 <= layer < depth:
                raise UserError(
                    f"option {option}: feature layer {layer} is outside the generator, whose layers"
                    f" are numbered 0 to {depth - 1}; choose layers in that range"
                )

    def check_size(self, size: tuple[int, int]) -> None:
        """Refuse images that the discriminator reduces to nothing, or to what has no deviation.

        Raises:
            UserError: the size, in (height, width), and the least one.
        """

        def fits(height: int, width: int) -> bool:
            return networks.Discriminator.fits((height, width), self.n_layers_D, self.antialias)

        if not fits(*size):
            least = next(side for side in itertools.count(4, 4) if fits(side, side))
            raise UserError(
                f"size {in_words(size)} is too small for the discriminator with n_layers_D"
                f" {self.n_layers_D}: use {least} or more, or a smaller n_layers_D"
            )


def parse_options(model: type[BaseModel], given: dict[str, Any], what: str) -> Any:
    """Build `model` from `given`, turning what is wrong into one sentence.

    Raises:
        UserError: an unknown name, a wrong type or a value out of range.
    """
    try:
        return model(**given)
    except ValidationError as error:
        raise UserError(explain(error, model, "option", what)) from None
