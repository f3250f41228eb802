"""What ran, on what, and how fast: the form of `run.json`, and the parts that any run has.

The schema is published as `docs/run.schema.json`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cut.base.errors import UserError


class RunRecord(BaseModel):
    """`run.json`: all that decides a run's numbers, and what it cost."""

    model_config = ConfigDict(extra="forbid", strict=True, title="run.json of cutbench")

    dataset: str = Field(description="name of the data set")
    dataset_digest: str = Field(description="sha256 over all its images and the direction")
    method: str = Field(description="name of the row")
    algorithm: str = Field(description="name of the method; a row is a method with options")
    description: str = Field(description="the method in a line")
    role: Literal["method", "floor", "ceiling"] = Field(
        description="a method to compare, or a control: the floor (copy) or the ceiling (real)"
    )
    seed: int = Field(description="every draw of the run derives from it")
    options: dict[str, Any] = Field(description="every option of the method, defaults included")
    training: dict[str, Any] = Field(description="every option of the loop; empty for a control")
    size: list[int] = Field(min_length=2, max_length=2, description="(height, width) in pixels")
    epochs: int = Field(ge=0, description="epochs trained")
    iterations: int = Field(ge=0, description="steps trained")
    images_seen: int = Field(ge=0, description="pairs that the training took")
    seconds_per_iteration: float | None = Field(description="mean over the run; null without steps")
    train_seconds: float = Field(ge=0, description="time in steps (of commands: in all of them)")
    peak_memory_bytes: int = Field(ge=0, description="most memory held at a time")
    peak_memory_kind: Literal["rss", "cuda"] = Field(description="resident, or allocated on a GPU")
    device: Literal["cpu", "cuda"] = Field(description="where the steps ran")
    hardware: dict[str, Any] = Field(description="processor, threads, GPU")
    versions: dict[str, str] = Field(description="Python's and the packages' versions")
    code_digest: str = Field(description="sha256 over the source files that the method runs")
    external: bool = Field(False, description="the method ran by its own commands")
    fingerprint: str = Field("", description="digest of all that decides the weights but the code")
    earlier_code_digests: list[str] = Field([], description="of code that an interrupted part ran")
    parameters: dict[str, int] = Field({}, description="parameters of each network")
    generator_sha256: str = Field("", description="sha256 of generator.pt")
    snapshots: dict[str, str] = Field(
        {}, description="sha256 of the generator kept at the end of each of these epochs"
    )


def check(facts: Any, path: Path) -> dict[str, Any]:
    """Return `facts` if they are a run's record.

    Raises:
        UserError: one sentence about the first thing that is wrong.
    """
    if not isinstance(facts, dict):
        raise UserError(f"{path} holds no JSON object; it is no run's record, so train again")
    try:
        RunRecord.model_validate(facts)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        if first["type"] == "missing":
            text = f"{path} has no {name!r}; it is no run's record, so train the run again"
        elif first["type"] == "extra_forbidden":
            text = f"{path} has {name!r}, which no run's record of this version has; train again"
        else:
            reason = first["msg"][0].lower() + first["msg"][1:]
            text = f"{path} has {name} = {first['input']!r}: {reason}; train again"
        raise UserError(text) from None
    return facts


CONTROLS = ("copy", "real")
