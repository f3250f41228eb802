"""dataset.json: a verified data set."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from cut.base.image_form import Form
from cut.records.fields import Count, Digest, ImageName, Key, Options, Text
from cut.records.names import SetName
from cut.records.record import LARGE, Record


class DatasetRecord(Record):
    """`dataset.json`: a verified data set. The same on every machine, unless used in place."""

    name: ClassVar[str] = "dataset"
    files: ClassVar[tuple[str, ...]] = ("dataset.json",)
    remedy: ClassVar[str] = "prepare the data set"
    command: ClassVar[str] = "prepare"
    most: ClassVar[int] = LARGE

    dataset: SetName = Field(description="name of the data set")
    root: Text = Field(description="folder of the images; relative to this file, or absolute")
    source: Text = Field(description="word for the source domain")
    target: Text = Field(description="word for the target domain")
    direction: Literal["AtoB", "BtoA"] = Field(description="which folders are the source")
    digest: Digest = Field(description="sha256 over all images and the direction")
    counts: dict[Key, Count] = Field(description="number of images in each folder")
    paired: bool = Field(False, description="whether test images of one name are true counterparts")
    licence: Text = Field(description="licence of the images")
    citation: Text = Field(description="who to cite")
    options: Options = Field(
        description="what decides the images that are made or changed here; else empty"
    )
    forms: dict[Literal["A", "B"], Form] = Field(
        {}, description="the form of each domain's images, by its letter, unless 8-bit RGB"
    )
    images: dict[ImageName, Digest] = Field(description='sha256 of each "FOLDER/NAME"')
