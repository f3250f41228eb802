"""Continue after a Snakemake that was killed: its lock, and jobs that outlived it.

Snakemake locks the files that it makes. SIGKILL leaves the lock behind, and the next call would
ask for `--unlock`. Therefore each Snakemake of this project keeps a file in
`.snakemake/workflows/` while it runs. A lock is released when every workflow of the folder is
known to be dead. A workflow on another machine that shares the folder counts as running.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cut.base import processes
from cut.records.job import JobRecord

# The environment variable by which jobs tell which workflow started them: the path of its file.
MARK = "CUTBENCH_WORKFLOW"
FORGOTTEN = 3600.0  # seconds after which the file of another machine's workflow without lock goes
INTERVAL = 0.5  # seconds between two looks at the jobs


def enter(snakemake: Path) -> Path:
    """Release a dead workflow's lock and keep a file for this one until it ends.

    Args:
        snakemake: the folder `.snakemake` of the working directory.

    Returns:
        The absolute path of this workflow's file, the value of `MARK` for its jobs.
    """
    folder = snakemake.resolve() / "workflows"
    own = folder / f"{processes.host()}.{os.getpid()}.json"
    # Written before the others are read: of two that start at once, neither counts as dead.
    JobRecord.start().write(own)
    atexit.register(_leave, own, os.getpid())
    _release(snakemake, folder, own)
    return own


def wait_for_orphans(own: Path, say: Callable[[str], None] = print) -> None:
    """Wait for the jobs of dead workflows in this folder: they write the files of the next jobs.

    Trainings are left alone. A training has a lock of its own, and the new training waits for it.
    """
    announced: set[int] = set()
    while jobs := {pid for pid, command in orphans(own).items() if not _is_training(command)}:
        for pid in sorted(jobs - announced):
            say(f"waiting for process {pid} of a workflow that was killed")
        announced |= jobs
        time.sleep(INTERVAL)


def handle_sigterm_in_a_thread() -> None:
    """Let Snakemake's handler of SIGTERM run in a thread of its own; call it in the main thread.

    The handler waits for a lock. Run by the main thread while that thread holds the lock, as when a
    job has just finished, it would wait for ever, and Snakemake would hang.
    """
    handler = signal.getsignal(signal.SIGTERM)
    if callable(handler):
        signal.signal(
            signal.SIGTERM,
            lambda *given: threading.Thread(target=handler, args=given).start(),
        )


def orphans(own: Path) -> dict[int, str]:
    """Return the command of each process here that a dead workflow of the same folder started."""
    import psutil  # a plan does without it

    found = {}
    for process in psutil.process_iter():
        # A process may end meanwhile, or be another user's.
        with contextlib.suppress(psutil.Error, OSError):
            mark = Path(process.environ().get(MARK, ""))
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and mark.parent == own.parent and not _runs(mark, own):
                found[process.pid] = " ".join(process.cmdline())
    return found


def _release(snakemake: Path, folder: Path, own: Path) -> None:
    """Remove the files of dead workflows, and their lock if no workflow runs."""
    records = {path: JobRecord.find(path) for path in folder.glob("*.json") if path != own}
    locks = sorted((snakemake / "locks").glob("*.lock"))
    dead = [path for path, job in records.items() if job is None or job.killed]
    if len(dead) < len(records):
        # Without a lock, the file of another machine's workflow is a remainder after some time.
        old = time.time() - FORGOTTEN
        dead += [p for p, job in records.items() if not locks and job and job.started < old]
    elif dead:
        for lock in locks:
            lock.unlink(missing_ok=True)
        if locks:
            print("released the lock of a workflow that was killed", flush=True)
    for path in dead:
        path.unlink(missing_ok=True)


def _runs(mark: Path, own: Path) -> bool:
    """Return whether the workflow of the file `mark` runs."""
    if mark == own:
        return True
    job = JobRecord.find(mark)
    return job is not None and not job.killed


def _is_training(command: str) -> bool:
    """Return whether a job, or the shell that runs it, is `python -m cut train`."""
    return "-m cut " in command and " train " in command


def _leave(own: Path, pid: int) -> None:
    if os.getpid() == pid:  # a fork that ends is not the workflow
        own.unlink(missing_ok=True)
