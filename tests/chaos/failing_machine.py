"""A machine that fails: no room on the disk, no permission, no memory, a process that is killed."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from chaos.small_benchmark import CONTINUE, HALF, end, run, start

from cut.records.request import RequestRecord

if TYPE_CHECKING:
    from chaos.faults import Campaign, Outcome

SPARE = 24 * 2**20  # bytes of memory that a command gets beyond what it has at its start


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[Path]:
    """Mount a file system of `size` bytes in memory.

    Raises:
        OSError: this user, or this system, can't.
    """
    place.mkdir(parents=True, exist_ok=True)
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True
    )
    if made.returncode:
        raise OSError(made.stderr.decode(errors="replace").strip())
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(place: Path) -> Path:
    """Write a file until there is no room left; return it."""
    path = place / "filler"
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"0" * 4096)
        except OSError:
            return path


def full_and_read_only(bench: Campaign, command: str) -> Iterator[Outcome]:
    """Run a command on a disk without room, and on one that is read-only.

    It has to refuse, and to end well when the disk has room again, or may be written to.
    """
    from chaos.faults import Outcome, words_of

    size = 2 * sum(path.stat().st_size for path in bench.whole.rglob("*")) + 2**24
    for fault in ("the disk is full", "the disk is read-only"):
        try:
            with small_disk(bench.folder / "disk", size) as disk:
                copy = bench.copy(disk / "copy")
                if command == "prepare":
                    shutil.rmtree(copy / "data" / "coats2stripes")
                free = _fail(disk, fault)
                # The log is written elsewhere: what a command prints is to be seen.
                log = bench.folder / "command.log"
                done = end(start(copy, words_of(command), log), log)
                free()
                outcome = bench.judge(fault, command, copy, done)
                yield outcome
                again = end(start(copy, words_of(command), log), log)
                if outcome.end == "refused" and again.status:
                    yield Outcome(f"{fault}, then not", command, "lost", again.sentence)
                else:
                    yield bench.judge(f"{fault}, then not", command, copy, again)
        except OSError as error:
            yield Outcome(fault, command, "skipped", str(error))


def _fail(disk: Path, fault: str):
    """Let a disk fail; return a function that ends it."""
    if fault == "the disk is full":
        return fill(disk).unlink
    remount = ["mount", "-o", "remount"]
    subprocess.run([*remount, "-r", str(disk)], check=True)
    return lambda: subprocess.run([*remount, "-w", str(disk)], check=True)


def without_memory(bench: Campaign, command: str) -> Outcome:
    """Run a command that gets little more memory than it has at its start."""
    from chaos.faults import words_of

    def limit() -> None:
        most = psutil.Process().memory_info().vms + SPARE
        resource.setrlimit(resource.RLIMIT_AS, (most, most))

    copy = bench.copy()
    return bench.judge("no memory", command, copy, run(copy, words_of(command), limit))


def killed_worker(bench: Campaign) -> Outcome:
    """Kill the process that loads the images of a training."""
    copy = bench.copy()
    request = RequestRecord.read(copy / HALF / "request.json")
    more = {**request.training, "workers": 1}
    request.model_copy(update={"training": more}).write(copy / HALF / "request.json")
    log = copy.parent / "worker.log"
    pid = start(copy, CONTINUE, log)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        children = psutil.Process(pid).children()
        if children:
            os.kill(children[0].pid, signal.SIGKILL)
            break
        time.sleep(0.001)
    done = end(pid, log)
    return bench.judge("its worker is killed", "continue", copy, done, f"{HALF}/request.json")
