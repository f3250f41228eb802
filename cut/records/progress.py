"""state/progress.json: how far a training is."""

from __future__ import annotations

import os
import time
from typing import ClassVar

from pydantic import Field

from cut.base import processes
from cut.records.fields import Count, ProcessNumber, Seconds, Text
from cut.records.record import Record


class ProgressRecord(Record):
    """`state/progress.json`: how far a training is. It is removed when the training is done."""

    name: ClassVar[str] = "progress"
    files: ClassVar[tuple[str, ...]] = ("state/progress.json",)
    remedy: ClassVar[str] = "continue this training"
    command: ClassVar[str] = "train"

    iteration: Count = Field(description="steps taken")
    iterations: Count = Field(description="steps of the whole training")
    epoch: Count = Field(description="1-based epoch of the last step")
    epochs: Count = Field(description="epochs of the whole training")
    images_per_second: float = Field(ge=0, description="pairs per second since the last record")
    seconds_left: Seconds = Field(description="time left at the mean rate so far")
    time: Seconds = Field(
        default_factory=time.time, description="when this was written, in seconds since 1970"
    )
    pid: ProcessNumber = Field(default_factory=os.getpid, description="number of the process")
    host: Text = Field(default_factory=processes.host, description="machine of the process")

    @property
    def running(self) -> bool:
        """Return whether the training's process runs on this machine."""
        return self.host == processes.host() and processes.alive(self.pid, self.time)
