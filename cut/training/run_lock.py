"""What keeps a run whole while workflows come and go: one process at a time, finished outputs.

Snakemake removes a job's outputs before it runs the job again, and it does so as well where it was
killed alone and the training went on to its end: days of work would go. So the outputs of a
finished training have second names (hard links, which take no space) in a folder that no rule
declares, and a training that finds them there takes them back.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cut.base.errors import UserError
from cut.base.files import read_json, replacing, sha256_of
from cut.training import snapshots

OUTPUTS = ("generator.pt", "embedding.pt", "history.csv", "run.json")  # the record last


def place(run: Path) -> Path:
    """Return the folder with the second names of a run's outputs."""
    return run / "finished"


def kept(path: Path) -> bool:
    """Return whether a file is a second name, and no output in its place."""
    return path.parent.name == place(Path()).name


def keep(run: Path) -> None:
    """Give the outputs of the training that has just finished their second names.

    Where that fails, the run is whole all the same.
    """
    try:
        clear(run)
        place(run).mkdir(exist_ok=True)
        for name in OUTPUTS:
            if (run / name).is_file():
                (place(run) / name).unlink(missing_ok=True)
                _link(run / name, place(run) / name)
    except OSError as error:
        print(f"note: the outputs have no second names ({error})", flush=True)


def restore(run: Path, fits: Callable[[dict[str, Any]], bool]) -> bool:
    """Take the outputs back if their record `fits`, and all generators are the record's."""
    from_there = place(run)
    try:
        record = read_json(from_there / "run.json")
        kept = {int(epoch): digest for epoch, digest in record["snapshots"].items()}
        whole = (
            sha256_of(from_there / "generator.pt") == record["generator_sha256"]
            and snapshots.digests(run, list(kept)) == kept
        )
    except (UserError, OSError, KeyError, TypeError, ValueError):
        return False
    if not whole or not fits(record):
        return False
    for name in OUTPUTS:
        if (from_there / name).is_file():
            with replacing(run / name) as temporary:
                _link(from_there / name, temporary)
    return True


def clear(run: Path) -> None:
    """Remove the second names: of another training, or before new ones."""
    shutil.rmtree(place(run), ignore_errors=True)


def _link(file: Path, to: Path) -> None:
    try:
        os.link(file, to)
    except OSError:  # a file system without hard links
        shutil.copyfile(file, to)


@contextlib.contextmanager
def only_one(run: Path, stopped: Callable[[], Any] = lambda: False) -> Iterator[bool]:
    """Hold the run's lock, after waiting for a process that has it; yield False if `stopped`.

    A workflow that was killed may leave its training behind. It is at work on this very run, so
    the next one waits for what it leaves.
    """
    run.mkdir(parents=True, exist_ok=True)
    with open(run / ".lock", "a+") as lock:
        told = False
        while not _lock(lock.fileno()):
            if stopped():
                yield False
                return
            if not told:
                lock.seek(0)
                print(f"waiting for {lock.read().strip() or 'another process'}, which trains {run};"
                      " when it ends, this goes on from what it leaves", flush=True)  # fmt: skip
                told = True
            time.sleep(0.5)
        lock.truncate(0)
        lock.write(f"process {os.getpid()} on {socket.gethostname()}")
        lock.flush()
        yield True


def _lock(descriptor: int) -> bool:
    """Return whether the lock is ours now, or can't be had at all on this file system."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        print(f"note: files can't be locked here ({error}); don't start a run twice", flush=True)
    return True
