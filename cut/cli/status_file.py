"""`python -m cut --status FILE COMMAND …`: run a command and keep its state in a file."""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

from cut.base.errors import UserError
from cut.base.failures import explained
from cut.records.job import JobRecord

Outcome = tuple[Literal["done", "failed", "stopped"], str]
STOPPED = {128 + signal.SIGTERM, 128 + signal.SIGINT}


def watched(path: Path, function: Callable[..., int | None], *given: Any) -> int | None:
    """Return what `function` returns; `path` says that it runs, then how it ended.

    SIGTERM ends the command like an exit with status 143, so that the file says it too. Only a
    process that is killed leaves a file that says "running"; its process number tells them apart.
    """
    job = JobRecord.start()
    job.write(path)
    before = signal.signal(signal.SIGTERM, _exit)
    try:
        status = function(*given)
    except BaseException as error:
        with contextlib.suppress(OSError, UserError):  # the disk may be full; `error` says it
            job.end(path, *outcome(error))
        raise
    finally:
        signal.signal(signal.SIGTERM, before)
    job.end(path, *outcome(SystemExit(status)))
    return status


def outcome(error: BaseException) -> Outcome:
    """Return the state that an exception leaves a job in, and the reason in one line."""
    if isinstance(error, KeyboardInterrupt):
        return "stopped", "interrupted"
    if isinstance(error, SystemExit):
        if not error.code:
            return "done", ""
        state = "stopped" if error.code in STOPPED else "failed"
        return state, f"exit status {error.code}"
    sentence = explained(error)
    text = " ".join(str(sentence or error).split())
    return "failed", text if sentence else f"{type(error).__name__}: {text}"


def _exit(number: int, _: Any) -> None:
    sys.exit(128 + number)
