"""A lock on a run's folder: one process trains it at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cut.base import processes

INTERVAL = 0.5  # seconds between two attempts


@contextlib.contextmanager
def only_one(run: Path, stopped: Callable[[], Any] = lambda: False) -> Iterator[bool]:
    """Hold the lock of a run's folder, after waiting for the process that has it.

    A workflow that was killed may leave its training behind. The next workflow waits for that
    training and continues from what it leaves. Yields False, without the lock, if `stopped()`
    becomes true while it waits.
    """
    run.mkdir(parents=True, exist_ok=True)
    with open(run / ".lock", "a+") as lock:
        announced = False
        while not _acquire(lock.fileno()):
            if stopped():
                yield False
                return
            if not announced:
                lock.seek(0)
                holder = lock.read().strip() or "another process"
                print(f"waiting for {holder}, which trains {run}", flush=True)
                announced = True
            time.sleep(INTERVAL)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {processes.host()}")
        lock.flush()
        yield True


def _acquire(descriptor: int) -> bool:
    """Return whether the lock is held now, or the file system has no locks."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        print(f"note: files can't be locked here ({error}); don't start a run twice", flush=True)
    return True
