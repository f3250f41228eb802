"""diversity.json: how far the translations of one input differ from each other."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cut.records.fields import Count, Digest, Text
from cut.records.record import Record


class DiversityRecord(Record):
    """`diversity.json`: ST-LPIPS between translations of one input by a method with several."""

    name: ClassVar[str] = "diversity"
    files: ClassVar[tuple[str, ...]] = ("diversity.json",)
    remedy: ClassVar[str] = "compare several translations per input"
    command: ClassVar[str] = "diversity"

    st_lpips: float | None = Field(
        description="mean over inputs and over all pairs of their translations; null without one"
    )
    samples: Count = Field(description="translations per input")
    images: Count = Field(description="number of inputs")
    network: Text | None = Field(description="the network of ST-LPIPS, or null")
    missing: Text | None = Field(description="why there is no score, or null")
    fingerprint: Digest = Field(description="of the training, as in run.json")
