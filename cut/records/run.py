"""run.json: what ran, on what, and how fast."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cut.base.image_form import Fit, Form
from cut.records.fields import Count, Digest, Epoch, Key, Options, PixelSize, Seconds, Seed, Text
from cut.records.names import Name, RowName, SetName
from cut.records.record import Part, Record

Threads = Annotated[Count, Field(ge=1)]
Role = Literal["method", "floor", "ceiling"]


class Hardware(Part):
    """The machine of a run."""

    cpu: Text = Field(description="name of the processor; empty where the system does not say")
    threads: Threads = Field(description="CPU threads of torch")
    gpu: Text | None = Field(None, description="name of the GPU, if the run used one")
    gpu_index: Count | None = Field(
        None, description="which of the GPUs that the process could see"
    )
    gpu_memory_bytes: Count | None = Field(None, description="memory of the GPU")
    cuda: Text | None = Field(None, description="version of CUDA, if the run used a GPU")


class LossRecord(Part):
    """A loss of `history.csv`, as a figure shows it."""

    title: Text = Field(description="title of its panel")
    unit: Text = Field("loss", description="label of the axis")
    weight: Text = Field("", description="the option that weights the loss in the sum, or empty")
    chance: float | None = Field(
        None, description="value, before the weight, of a network that has learned nothing"
    )
    at_chance: Text = Field("", description="label of that value")
    total: bool = Field(False, description="whether it is the sum of other losses")


class RunRecord(Record):
    """`run.json`: everything that decides a run's numbers, and the cost of the run."""

    name: ClassVar[str] = "run"
    files: ClassVar[tuple[str, ...]] = ("run.json",)
    remedy: ClassVar[str] = "train this run"
    command: ClassVar[str] = "train"

    dataset: SetName = Field(description="name of the data set")
    dataset_digest: Digest = Field(description="sha256 over all its images and the direction")
    method: RowName = Field(description="name of the row")
    algorithm: Name = Field(description="name of the method; a row is a method with options")
    description: Text = Field(description="the method in one line")
    role: Role = Field(description="a method, or a control: the floor or the ceiling")
    seed: Seed = Field(description="every random draw of the run derives from it")
    options: Options = Field(description="every option of the method, defaults included")
    training: Options = Field(description="every option of the loop; empty for a control")
    size: PixelSize = Field(description="(height, width) of the images in pixels")
    fit: Fit = Field(
        "stretch", description="how images of another aspect ratio were brought to the size"
    )
    source_form: Form | None = Field(
        None, description="the form of the source images; null for 8-bit RGB"
    )
    target_form: Form | None = Field(
        None, description="the form of the target images and of translations; null for 8-bit RGB"
    )
    epochs: Count = Field(description="epochs trained")
    iterations: Count = Field(description="steps trained")
    images_seen: Count = Field(description="pairs of images seen in training")
    seconds_per_iteration: Seconds | None = Field(
        description="mean over the run in seconds; null without steps"
    )
    train_seconds: Seconds = Field(
        description="seconds spent in steps (methods of commands: in all commands)"
    )
    waiting_seconds: Seconds | None = Field(
        None,
        description="seconds that the loop waited for batches, besides train_seconds; null where"
        " part of the training did not measure it",
    )
    operations_per_pair: Annotated[float, Field(ge=0)] | None = Field(
        None,
        description="floating-point operations of a training step per pair of images (a"
        " multiply-add is two): mean over one step of each interval of the log",
    )
    scored: Text = Field(
        "", description="which of several possible translations of an image is scored, if any"
    )
    peak_memory_bytes: Count = Field(description="peak memory in bytes")
    peak_memory_kind: Literal["rss", "cuda"] = Field(
        description="resident memory of the process, or memory allocated on the GPU"
    )
    device: Literal["cpu", "cuda"] = Field(description="where the steps ran")
    hardware: Hardware = Field(description="the machine")
    versions: dict[Key, Text] = Field(description="versions of Python and of the packages")
    code_digest: Digest = Field(description="sha256 over the source files that decide the numbers")
    external: bool = Field(False, description="whether the method ran by its own commands")
    fingerprint: Digest = Field(
        "", description="digest of everything that decides the weights, except the code"
    )
    earlier_code_digests: tuple[Digest, ...] = Field(
        (), description="digests of the code before an interruption"
    )
    parameters: dict[Key, Count] = Field({}, description="number of parameters of each network")
    generator_sha256: Digest = Field("", description="sha256 of generator.pt")
    history_sha256: Digest = Field("", description="sha256 of history.csv")
    losses: dict[Key, LossRecord] = Field({}, description="the losses of history.csv, by name")
    begun_from: Digest = Field(
        "", description="sha256 of the weights that the training began from, if any were given"
    )
    snapshots: dict[Epoch, Digest] = Field(
        {}, description="sha256 of the generator kept at the end of each of these epochs"
    )

    @property
    def control(self) -> bool:
        """Return whether this is a control (floor or ceiling) and not a method to compare."""
        return self.role != "method"

    @property
    def trained(self) -> bool:
        """Return whether the training loop took steps."""
        return self.iterations > 0
