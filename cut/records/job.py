"""LOG.json: the state of the job that writes LOG."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field

from cut.base import processes
from cut.base.errors import UserError
from cut.records.fields import ProcessNumber, Seconds, Text
from cut.records.record import Record

LONGEST = 2000  # characters of a reason


class JobRecord(Record):
    """`logs/NAME.log.json`: the state of the job that writes `logs/NAME.log`."""

    name: ClassVar[str] = "job"
    files: ClassVar[tuple[str, ...]] = ("logs/*.log.json",)
    remedy: ClassVar[str] = "run this job"
    command: ClassVar[str] = "--status FILE COMMAND"

    state: Literal["running", "done", "failed", "stopped"] = Field(
        description="stopped: a signal ended the job, and the same command continues it"
    )
    pid: ProcessNumber = Field(description="number of the process")
    host: Text = Field(description="machine of the process")
    started: Seconds = Field(description="seconds since 1970")
    ended: Seconds | None = Field(None, description="seconds since 1970; null while the job runs")
    reason: Text = Field("", description="why the job failed or stopped, in one line")

    @classmethod
    def start(cls) -> JobRecord:
        """Return the record of a job that this process has just begun."""
        now = time.time()
        return cls(state="running", pid=os.getpid(), host=processes.host(), started=now)

    def end(
        self, path: Path, state: Literal["done", "failed", "stopped"], reason: str = ""
    ) -> None:
        """Write how the job ended, unless another process has begun the same job meanwhile."""
        try:
            mine = not path.is_file() or JobRecord.read(path) == self
        except UserError:  # damaged, so it says nothing of another process
            mine = True
        if mine:
            ended = {"state": state, "ended": time.time(), "reason": reason[:LONGEST]}
            self.model_copy(update=ended).write(path)

    @property
    def killed(self) -> bool:
        """Return whether the process of a running job of this machine is gone.

        A job of another machine counts as running.
        """
        here = self.host == processes.host()
        return self.state == "running" and here and not processes.alive(self.pid, self.started)
