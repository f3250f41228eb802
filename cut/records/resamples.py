"""resamples.csv: scores over the bootstrap's resamples of the images."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field

from cut.records.fields import Count, Key
from cut.records.record import Table


class Resample(Table):
    """One row of `resamples.csv`: a resample of the images. Every further column is a score.

    Rows of one data set share the images of a resample. A score is centred on that of all images.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Key, float] = Field(init=False)

    name: ClassVar[str] = "resamples"
    files: ClassVar[tuple[str, ...]] = ("resamples.csv",)
    remedy: ClassVar[str] = "score this run"
    command: ClassVar[str] = "score"

    resample: Count = Field(description="0-based")

    @property
    def scores(self) -> dict[str, float]:
        """Return each score of the resample, by name."""
        return dict(self.__pydantic_extra__)
