"""networks.json: where the weights of further networks for scores are on this machine."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from cut.records.fields import Key, Text
from cut.records.record import Record


class NetworksRecord(Record):
    """`networks.json`: the file of each network's weights, or the reason why there is none."""

    name: ClassVar[str] = "networks"
    files: ClassVar[tuple[str, ...]] = ("networks.json",)
    remedy: ClassVar[str] = "look for the weights"
    command: ClassVar[str] = "networks"

    paths: dict[Key, Text] = Field(description="the file of the weights, by network")
    missing: dict[Key, Text] = Field(description="why a network has none, by network")
