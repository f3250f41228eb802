"""The lock of a killed workflow is released, and its jobs are waited for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from cut.plan import workflow_lock
from cut.records.job import JobRecord


@pytest.fixture
def snakemake(tmp_path):
    """Return a folder `.snakemake` with a lock."""
    folder = tmp_path / ".snakemake"
    (folder / "locks").mkdir(parents=True)
    for name in ("0.input.lock", "0.output.lock"):
        (folder / "locks" / name).write_text("results/x\n")
    return folder


@pytest.fixture
def gone() -> int:
    """Return the number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def locked(snakemake) -> bool:
    return any((snakemake / "locks").iterdir())


def workflow(snakemake, pid, **more):
    """Write the file of another workflow and return its path."""
    path = snakemake / "workflows" / f"here.{pid}.json"
    JobRecord.start().model_copy(update={"pid": pid, **more}).write(path)
    return path


def test_the_lock_of_a_dead_workflow_is_released(snakemake, gone):
    old = workflow(snakemake, gone)
    own = workflow_lock.enter(snakemake)
    assert not locked(snakemake)
    assert not old.exists() and JobRecord.read(own).pid == os.getpid()


def test_a_workflow_that_runs_keeps_its_lock(snakemake, gone):
    workflow(snakemake, gone)
    running = workflow(snakemake, os.getppid(), started=time.time())
    workflow_lock.enter(snakemake)
    assert locked(snakemake) and running.exists()


def test_a_workflow_of_another_machine_keeps_its_lock(snakemake, gone):
    workflow(snakemake, gone)
    other = workflow(snakemake, gone + 1, host="another machine", started=0.0)
    workflow_lock.enter(snakemake)
    assert locked(snakemake) and other.exists()
    for lock in (snakemake / "locks").iterdir():
        lock.unlink()
    workflow_lock.enter(snakemake)
    assert not other.exists(), "without a lock, an old file is a remainder"


def test_a_lock_of_unknown_origin_stays(snakemake):
    workflow_lock.enter(snakemake)
    assert locked(snakemake)


@pytest.mark.parametrize("command, waits", [("score", True), ("train", False)])
def test_jobs_of_a_dead_workflow_are_waited_for(snakemake, gone, command, waits):
    old = workflow(snakemake, gone)
    own = workflow_lock.enter(snakemake)
    # The arguments after the program are those of a job; the program only waits to be ended.
    job = subprocess.Popen(
        [sys.executable, "-c", "input()", "-m", "cut", command, "x"],
        stdin=subprocess.PIPE,
        env={**os.environ, workflow_lock.MARK: str(old.resolve())},
    )
    said = []
    try:
        assert job.pid in workflow_lock.orphans(own)
        waiting = threading.Thread(target=workflow_lock.wait_for_orphans, args=(own, said.append))
        waiting.start()
        waiting.join(2)
        assert waiting.is_alive() == waits
    finally:
        job.communicate(b"\n")
        waiting.join(20)
    assert not waiting.is_alive()
    assert [str(job.pid) in line for line in said] == [True] * waits


def test_a_signal_does_not_wait_for_the_thread_that_it_interrupts():
    lock, handled = threading.Lock(), threading.Event()

    def handler(*_):
        with lock:
            handled.set()

    before = signal.signal(signal.SIGTERM, handler)
    try:
        workflow_lock.handle_sigterm_in_a_thread()
        with lock:
            os.kill(os.getpid(), signal.SIGTERM)
            assert not handled.wait(0.2)
        assert handled.wait(20)
    finally:
        signal.signal(signal.SIGTERM, before)


def test_own_jobs_are_no_orphans(snakemake):
    own = workflow_lock.enter(snakemake)
    job = subprocess.Popen(
        [sys.executable, "-c", "input()"],
        stdin=subprocess.PIPE,
        env={**os.environ, workflow_lock.MARK: str(own)},
    )
    assert job.pid not in workflow_lock.orphans(own)
    job.communicate(b"\n")
