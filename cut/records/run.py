"""run.json: what ran, on what, and how fast."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from cut.records.record import Count, Part, PixelSize, Record

Role = Literal["method", "floor", "ceiling"]


class Hardware(Part):
    """The machine of a run."""

    cpu: str = Field(description="name of the processor; empty where the system does not say")
    threads: int = Field(ge=1, description="CPU threads of torch")
    gpu: str | None = Field(None, description="name of the GPU, if the run used one")
    gpu_index: int | None = Field(
        None, ge=0, description="which of the GPUs that the process could see"
    )
    gpu_memory_bytes: int | None = Field(None, ge=0, description="memory of the GPU")
    cuda: str | None = Field(None, description="version of CUDA, if the run used a GPU")


class LossRecord(Part):
    """A loss of `history.csv`, as a figure shows it."""

    title: str = Field(description="title of its panel")
    unit: str = Field("loss", description="label of the axis")
    weight: str = Field("", description="the option that weights the loss in the sum, or empty")
    chance: float | None = Field(
        None, description="value, before the weight, of a network that has learned nothing"
    )
    at_chance: str = Field("", description="label of that value")
    total: bool = Field(False, description="whether it is the sum of other losses")


class RunRecord(Record):
    """`run.json`: everything that decides a run's numbers, and the cost of the run."""

    name: ClassVar[str] = "run"
    files: ClassVar[tuple[str, ...]] = ("run.json",)
    remedy: ClassVar[str] = "train this run"
    command: ClassVar[str] = "train"

    dataset: str = Field(description="name of the data set")
    dataset_digest: str = Field(description="sha256 over all its images and the direction")
    method: str = Field(description="name of the row")
    algorithm: str = Field(description="name of the method; a row is a method with options")
    description: str = Field(description="the method in one line")
    role: Role = Field(description="a method, or a control: the floor or the ceiling")
    seed: int = Field(description="every random draw of the run derives from it")
    options: dict[str, Any] = Field(description="every option of the method, defaults included")
    training: dict[str, Any] = Field(description="every option of the loop; empty for a control")
    size: PixelSize = Field(description="(height, width) of the images in pixels")
    epochs: Count = Field(description="epochs trained")
    iterations: Count = Field(description="steps trained")
    images_seen: Count = Field(description="pairs of images seen in training")
    seconds_per_iteration: float | None = Field(
        description="mean over the run in seconds; null without steps"
    )
    train_seconds: float = Field(
        ge=0, description="seconds spent in steps (methods of commands: in all commands)"
    )
    peak_memory_bytes: Count = Field(description="peak memory in bytes")
    peak_memory_kind: Literal["rss", "cuda"] = Field(
        description="resident memory of the process, or memory allocated on the GPU"
    )
    device: Literal["cpu", "cuda"] = Field(description="where the steps ran")
    hardware: Hardware = Field(description="the machine")
    versions: dict[str, str] = Field(description="versions of Python and of the packages")
    code_digest: str = Field(description="sha256 over the source files that decide the numbers")
    external: bool = Field(False, description="whether the method ran by its own commands")
    fingerprint: str = Field(
        "", description="digest of everything that decides the weights, except the code"
    )
    earlier_code_digests: tuple[str, ...] = Field(
        (), description="digests of the code before an interruption"
    )
    parameters: dict[str, int] = Field({}, description="number of parameters of each network")
    generator_sha256: str = Field("", description="sha256 of generator.pt")
    losses: dict[str, LossRecord] = Field({}, description="the losses of history.csv, by name")
    begun_from: str = Field(
        "", description="sha256 of the weights that the training began from, if any were given"
    )
    snapshots: dict[int, str] = Field(
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
