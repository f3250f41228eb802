"""epochs.csv, best.json and steps.json: scores of generators kept, and of steps of translations."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cut.records.fields import Count, Digest, Epoch, Text
from cut.records.record import Part, Record, Table


class EpochScores(Table):
    """One row of `epochs.csv`: the scores of the generator kept at the end of an epoch."""

    name: ClassVar[str] = "epochs"
    files: ClassVar[tuple[str, ...]] = ("epochs.csv",)
    remedy: ClassVar[str] = "choose the best epoch"
    command: ClassVar[str] = "select"

    epoch: Epoch = Field(description="1-based")
    iteration: Count = Field(description="steps trained by then")
    fid: float | None = Field(None, description="over the whole test set")
    kid: float | None = Field(None, description="over the whole test set")
    fid_held_out: float | None = Field(
        None, description="over training images that were held out, if there are any"
    )


class BestRecord(Record):
    """`best.json`: the best epoch, and which images it was chosen by."""

    name: ClassVar[str] = "best"
    files: ClassVar[tuple[str, ...]] = ("best.json",)
    remedy: ClassVar[str] = "choose the best epoch"
    command: ClassVar[str] = "select"

    epoch: Count = Field(description="the best epoch; the last where none could be scored")
    iteration: Count = Field(description="steps trained by then")
    chosen_on: Literal["test", "held_out"] = Field(
        description="the test images, or training images that were held out"
    )
    images: Count = Field(description="number of source images that chose it")
    every: Epoch = Field(description="epochs between two kept generators")
    fid: float | None = Field(description="that chose it, or null where none could be scored")
    missing: Text | None = Field(description="why no epoch could be scored, or null")
    fingerprint: Digest = Field(description="of the training, as in run.json")
    epochs_sha256: Digest = Field("", description="sha256 of epochs.csv")


class StepScores(Part):
    """The scores of the images after one step of a translation."""

    step: Annotated[Count, Field(ge=1)] = Field(description="1-based")
    fid: float | None = Field(None, description="over the whole test set")
    kid: float | None = Field(None, description="over the whole test set")


class StepsRecord(Record):
    """`steps.json`: the scores after each step, for a method that translates in several."""

    name: ClassVar[str] = "steps"
    files: ClassVar[tuple[str, ...]] = ("steps.json",)
    remedy: ClassVar[str] = "score the steps"
    command: ClassVar[str] = "steps"

    steps: tuple[StepScores, ...] = Field(description="in order")
    missing: Text | None = Field(description="why there are no scores, or null")
    fingerprint: Digest = Field(description="of the training, as in run.json")
