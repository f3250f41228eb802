"""The options of the training loop, and what each of them decides.

This module loads no torch: plans, tables and records read the options too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cut.base.errors import UserError, explain
from cut.base.image_size import LoadSize, height_width, in_words

if TYPE_CHECKING:
    from cut.methods.contract import Method

Epochs = Annotated[int, Field(ge=0, le=100_000)]
Decides = Literal["weights", "bits", "files", "nothing"]


def _option(default: Any, decides: Decides, description: str, **bounds: Any) -> Any:
    """Return the field of an option.

    Args:
        default: its default.
        decides: "weights", what is learned; "bits", the rounding of the same computation;
            "files", what is kept besides the final weights; "nothing", how the run is shown or how
            fast it is.
        description: one line for a list of options.
        bounds: the range, as pydantic takes it.
    """
    extra = {"decides": decides}
    return Field(default, description=description, json_schema_extra=extra, **bounds)


class TrainingOptions(BaseModel):
    """The options of the loop, for any method. A method may have its own defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    epochs_constant: Epochs = _option(200, "weights", "epochs at the full learning rate")
    epochs_decay: Epochs = _option(200, "weights", "epochs of linear decay after them")
    batch_size: int = _option(
        1, "weights", "pairs per step (the authors: best at 1)", ge=1, le=4096
    )
    load_size: LoadSize | None = _option(
        None,
        "weights",
        "images are resized to this before cropping: one number, or HEIGHTxWIDTH;"
        " default size*286/256",
    )
    crops: Literal["resize", "zoom"] = _option(
        "resize",
        "weights",
        "resize: each image is resized, then cropped once; zoom: patches of images that are zoomed"
        " at random, for single images",
    )
    crop_size: LoadSize | None = _option(
        None,
        "weights",
        "height and width of training crops: one number, or HEIGHTxWIDTH; default size",
    )
    zoom_out: float = _option(
        3.0, "weights", "crops: zoom shrinks each side by a factor of up to this", ge=1, le=100
    )
    images_per_epoch: int | None = _option(
        None,
        "weights",
        "pairs of training crops in an epoch; default the number of images of the larger domain",
        ge=1,
        le=100_000_000,
    )
    average: float = _option(
        0.0,
        "weights",
        "translate with a moving average of the generator's weights: the share of it that a step"
        " keeps, such as 0.999; 0 takes the last weights",
        ge=0,
        lt=1,
    )
    flip: bool = _option(True, "weights", "mirror training images at random")
    precision: str = _option(
        "float32",
        "weights",
        "float32; tf32 or bfloat16 (autocast) are faster on a GPU and less exact",
        pattern="^(float32|tf32|bfloat16)$",
    )
    cuda_graph: bool = _option(
        True,
        "bits",
        "on a GPU, repeat the step of a method whose step allows it (CUT, FastCUT) as a CUDA graph",
    )
    threads: int = _option(1, "bits", "CPU threads of the training step", ge=1, le=1024)
    workers: int = _option(0, "nothing", "processes that load images", ge=0, le=256)
    cache_images: bool = _option(
        False, "nothing", "keep decoded and resized training images in memory"
    )
    log_every: int = _option(
        100, "nothing", "steps that one row of history.csv averages", ge=1, le=10_000_000
    )
    snapshot_every: int = _option(
        0,
        "files",
        "epochs between generators kept for scoring; 0 keeps only the last one",
        ge=0,
        le=100_000,
    )
    held_out: int = _option(
        0,
        "weights",
        "images of each domain left out of training, to choose an epoch by",
        ge=0,
        le=1_000_000,
    )
    checkpoint_minutes: float = _option(
        10, "nothing", "minutes between saved training states", ge=0, le=100_000
    )
    keep_state: bool = _option(
        False, "nothing", "keep the final training state, so that the run can be extended"
    )
    extends: tuple[tuple[Epochs, Epochs], ...] = _option(
        (),
        "weights",
        "[epochs_constant, epochs_decay] of the finished run to add epochs to; its epochs stay as"
        " they were. Several if that run extends another, the shortest first",
    )
    begin_from: str | None = _option(
        None, "weights", "first weights of the generator: a run's folder, or a generator.pt"
    )
    tensorboard: bool = _option(False, "nothing", "write scalars and sample images to tensorboard/")

    @property
    def epochs(self) -> int:
        """Return the length of the whole schedule."""
        return self.epochs_constant + self.epochs_decay

    def crop(self, size: tuple[int, int]) -> tuple[int, int]:
        """Return the (height, width) of training crops in a run of `size`."""
        return size if self.crop_size is None else height_width(self.crop_size)


def deciding(*kinds: Decides) -> tuple[str, ...]:
    """Return the names of the options that decide one of `kinds`, in order."""
    fields = TrainingOptions.model_fields.items()
    return tuple(name for name, field in fields if field.json_schema_extra["decides"] in kinds)


# The default of each option, as JSON has it.
DEFAULTS: dict[str, Any] = TrainingOptions().model_dump(mode="json")
# The options that a published row and the seeds of one row have to share.
WEIGHTS_DEPEND_ON = deciding("weights")
# Options that enter a fingerprint only where they are given: the fingerprints of runs from before
# there were any stay as they were.
WHERE_GIVEN = ("crops", "crop_size", "zoom_out", "images_per_epoch", "average", "cuda_graph")
# The options that may change without a new training. The workflow does not compare them with those
# of the last run.
WITHOUT_EFFECT = frozenset(deciding("nothing"))


def training_options(
    method: type[Method], given: dict[str, Any], size: tuple[int, int] | None = None
) -> TrainingOptions:
    """Return the loop's options: `given`, else the method's own defaults, else the general ones.

    Raises:
        UserError: an unknown name, a wrong type, a value out of range, no epoch at all, an option
            of other crops, or, if `size` (height, width) is given, a `load_size` that is smaller
            than the crops.
    """
    try:
        options = TrainingOptions(**{**method.schedule._asdict(), **given})
    except ValidationError as error:
        raise UserError(explain(error, TrainingOptions, "option", "training")) from None
    if method.trained and options.epochs == 0:
        raise UserError("epochs_constant and epochs_decay are both 0; a training needs an epoch")
    if options.crops == "zoom" and "second" in method.Batch._fields:
        raise UserError(
            f"{method.name} needs other source images beside the batch's, which crops: zoom does"
            " not give; leave crops out"
        )
    _check_crops(options, size)
    lengths = [constant + decay for constant, decay in options.extends]
    if method.trained and lengths != sorted({n for n in lengths if 0 < n < options.epochs}):
        raise UserError(
            f"extends is {[list(pair) for pair in options.extends]} in a training of"
            f" {options.epochs} epochs; give shorter schedules, the shortest first"
        )
    return options


def _check_crops(options: TrainingOptions, size: tuple[int, int] | None) -> None:
    """Refuse options that do not fit the kind of crops."""
    zoomed = options.crops == "zoom"
    if zoomed and options.load_size is not None:
        raise UserError(
            f"load_size is {options.load_size} with crops: zoom, which zooms images of their own"
            " size; leave load_size out"
        )
    if not zoomed and options.zoom_out != DEFAULTS["zoom_out"]:
        raise UserError(f"zoom_out is {options.zoom_out} without crops: zoom; give crops: zoom too")
    if size is not None and options.load_size is not None:
        load, crop = height_width(options.load_size), options.crop(size)
        if load[0] < crop[0] or load[1] < crop[1]:
            raise UserError(
                f"load_size {in_words(load)} is smaller than the training size {in_words(crop)};"
                f" use a load_size of at least {in_words(crop)}"
            )


def shorter_options(options: TrainingOptions) -> TrainingOptions:
    """Return the options of the run that this one extends."""
    return options.model_copy(update=shorter_schedule(options.extends))


def shorter_schedule(extends: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Return the options that a run with this `extends` does not share with the one it extends."""
    *earlier, (constant, decay) = extends
    return {"epochs_constant": constant, "epochs_decay": decay, "extends": tuple(earlier)}
