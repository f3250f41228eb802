"""history.csv: the losses of a training."""

from __future__ import annotations

from typing import ClassVar

from pydantic import ConfigDict, Field

from cut.records.fields import Count, Key, Seconds
from cut.records.record import Table


class HistoryRow(Table):
    """One row of `history.csv`: means over an interval of steps. Every further column is a loss."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[Key, float] = Field(init=False)

    name: ClassVar[str] = "history"
    files: ClassVar[tuple[str, ...]] = ("history.csv",)
    remedy: ClassVar[str] = "train this run"
    command: ClassVar[str] = "train"
    added: ClassVar[tuple[str, ...]] = ("waiting_seconds",)

    iteration: Count = Field(description="last step of the interval")
    epoch: Count = Field(description="1-based epoch of that step")
    lr_factor: float = Field(description="learning rate as a share of the initial one")
    images_per_second: float = Field(ge=0, description="over the interval, without waiting")
    waiting_seconds: Seconds | None = Field(
        None, description="seconds of the interval spent waiting for batches, not in steps"
    )

    @property
    def losses(self) -> dict[str, float]:
        """Return the mean of each loss over the interval, by name."""
        return dict(self.__pydantic_extra__)
