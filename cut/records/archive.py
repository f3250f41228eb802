"""archive.json: what an archive of one run's results holds, each file with its digest."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from cut.records.fields import Digest, PixelSize, Seed
from cut.records.names import Name, RowName, SetName
from cut.records.record import LARGE, Record

# A file of the archive, or of its folder of translations.
Member = Annotated[str, Field(pattern=r"^(translated/)?[^/\x00]+$", max_length=300)]
WholeDigest = Annotated[Digest, Field(min_length=64)]


class ArchiveRecord(Record):
    """`archive.json`: the run that an archive holds, and the sha256 of every other file in it."""

    name: ClassVar[str] = "archive"
    files: ClassVar[tuple[str, ...]] = ("archive.json",)
    remedy: ClassVar[str] = "pack the run"
    command: ClassVar[str] = "pack"
    most: ClassVar[int] = LARGE

    dataset: SetName = Field(description="name of the data set")
    dataset_digest: Digest = Field(description="sha256 over all its images and the direction")
    method: RowName = Field(description="name of the row")
    algorithm: Name = Field(description="name of the method")
    seed: Seed = Field(description="seed of the run")
    size: PixelSize = Field(description="(height, width) of the images in pixels")
    files_sha256: dict[Member, WholeDigest] = Field(
        description="sha256 of every other file of the archive, by its path there"
    )
