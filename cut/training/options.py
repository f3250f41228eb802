"""The options of the training loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from cut.base.errors import UserError, unknown
from cut.base.image_size import LoadSize, height_width, in_words
from cut.methods.contract import Method, parse_options

if TYPE_CHECKING:
    from cut.training.options import TrainingOptions

# Options of the loop that change what a run shows and how fast it is, and never its weights. The
# workflow gives them as --loop, outside of what makes a training run again.
WITHOUT_EFFECT = frozenset(
    ("log_every", "checkpoint_minutes", "tensorboard", "workers", "cache_images")
)


class TrainingOptions(BaseModel):
    """What the loop decides, for any method; a method's own defaults come first."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs_constant: int = Field(200, ge=0, description="epochs at the full learning rate")
    epochs_decay: int = Field(200, ge=0, description="epochs of linear decay after them")
    batch_size: int = Field(1, ge=1, description="pairs a step (the authors: best at 1)")
    load_size: LoadSize | None = Field(
        None,
        description="images are resized to this before cropping: one number, or HEIGHTxWIDTH;"
        " default size*286/256",
    )
    flip: bool = Field(True, description="mirror training images at random")
    precision: str = Field(
        "float32",
        pattern="^(float32|tf32|bfloat16)$",
        description="float32; tf32 or bfloat16 (autocast) are faster on a GPU and less exact",
    )
    threads: int = Field(1, ge=1, description="CPU threads of the training step")
    workers: int = Field(0, ge=0, description="processes that load images")
    cache_images: bool = Field(False, description="keep decoded training images in memory")
    log_every: int = Field(100, ge=1, description="steps a row of history.csv averages")
    snapshot_every: int = Field(
        0, ge=0, description="epochs between generators kept for scoring; 0 keeps the last alone"
    )
    held_out: int = Field(
        0, ge=0, description="images of each domain left out of training, to choose an epoch by"
    )
    checkpoint_minutes: float = Field(10, ge=0, description="time between saved training states")
    tensorboard: bool = Field(False, description="write scalars and sample images to tensorboard/")

    @property
    def epochs(self) -> int:
        """Return the length of the whole schedule."""
        return self.epochs_constant + self.epochs_decay


def training_options(method: type[Method], given: dict[str, Any]) -> TrainingOptions:
    """Return the loop's options: `given` over the method's own defaults over the general ones."""
    options = parse_options(TrainingOptions, {**method.training, **given}, "training")
    if method.trained and options.epochs == 0:
        raise UserError("epochs_constant and epochs_decay are both 0; a training needs an epoch")
    return options


def merge_loop(loop: dict[str, Any], training: dict[str, Any]) -> dict[str, Any]:
    """Return the options of --loop with those of --training over them.

    Raises:
        UserError: --loop has an option that decides the weights.
    """
    for name in loop:
        if name not in WITHOUT_EFFECT:
            sentence = unknown("option of --loop", name, sorted(WITHOUT_EFFECT))
            raise UserError(f"{sentence}; what decides the weights belongs into --training")
    return {**loop, **training}


def check_size(method: type[Method], size: int | str, name: str) -> tuple[int, int]:
    """Return (height, width) of `size` after checking that the networks can take it.

    Raises:
        UserError: it is no size, or a side is no multiple of the method's stride.
    """
    h, w = height_width(size, "size")
    if h % method.stride or w % method.stride:
        raise UserError(
            f"size {in_words(size)} is no multiple of {method.stride}, which {name} needs"
        )
    return h, w
