"""dataset.json: a verified data set."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from cut.records.record import Count, Record


class DatasetRecord(Record):
    """`dataset.json`: a verified data set. The same on every machine, unless used in place."""

    name: ClassVar[str] = "dataset"
    files: ClassVar[tuple[str, ...]] = ("dataset.json",)
    remedy: ClassVar[str] = "prepare the data set"
    command: ClassVar[str] = "prepare"

    dataset: str = Field(description="name of the data set")
    root: str = Field(description="folder of the images; relative to this file, or absolute")
    source: str = Field(description="word for the source domain")
    target: str = Field(description="word for the target domain")
    direction: Literal["AtoB", "BtoA"] = Field(description="which folders are the source")
    digest: str = Field(description="sha256 over all images and the direction")
    counts: dict[str, Count] = Field(description="number of images in each folder")
    licence: str = Field(description="licence of the images")
    citation: str = Field(description="who to cite")
    options: dict[str, Any] = Field(
        description="what decides the images that are made or changed here; else empty"
    )
    images: dict[str, str] = Field(description='sha256 of each "FOLDER/NAME"')
