"""inception.json: where FID's Inception weights are on this machine."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from cut.records.fields import Digest, Text
from cut.records.record import Record


class InceptionRecord(Record):
    """`inception.json`: the file of the weights, or the reason why there is none."""

    name: ClassVar[str] = "inception"
    files: ClassVar[tuple[str, ...]] = ("inception.json",)
    remedy: ClassVar[str] = "look for the weights"
    command: ClassVar[str] = "inception"

    path: Text | None = Field(None, description="the file of the weights")
    source: Text | None = Field(None, description="where they come from")
    tensors_sha256: Digest | None = Field(
        None, description="sha256 over the tensors that features depend on"
    )
    reason: Text | None = Field(None, description="why there are no weights, or null")

    @model_validator(mode="after")
    def _found_or_not(self) -> Self:
        found = [self.path, self.source, self.tensors_sha256]
        if self.reason is None and None in found or self.reason and any(found):
            raise ValueError("expected path, source and tensors_sha256, or a reason alone")
        return self
