"""Kill a benchmark at random moments, give the same command again, and compare what it leaves."""

from __future__ import annotations

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from chaos.digests import digests
from workflow_runs import TINY, start

# Every kind of job: rows with and without training, a method of commands, kept generators. A
# training state after every step, so that a kill often meets a state that is being written.
CONFIG = {
    **TINY,
    "run": ["copy", "cut", "reinhard", "real"],
    "training": {**TINY["training"], "checkpoint_minutes": 0},
}
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
TARGETS = ("snakemake", "group", "job")
CAMPAIGN = "CUTBENCH_CAMPAIGN"  # marks the processes of a campaign, to end those that are left
PATIENCE = 600  # seconds after which an undisturbed call counts as hanging


@dataclass
class Tally:
    """What a campaign has seen.

    Attributes:
        kills: signals sent.
        passes: benchmarks that came to their end.
        lost: what went wrong, one line each.
    """

    kills: int = 0
    passes: int = 0
    lost: list[str] = field(default_factory=list)


def campaign(
    folder: Path,
    kills: int,
    seed: int = 0,
    longest: float = 20.0,
    config: dict | None = None,
    expected: dict[str, str] | None = None,
    names: str = "",
    say: Callable[[str], None] = print,
) -> Tally:
    """Send `kills` signals to a benchmark in `folder` and return what was lost.

    After each signal the same command runs again, and nothing else. A benchmark that ends is
    compared with an undisturbed one and begins anew.

    Args:
        folder: an empty folder.
        kills: the number of signals.
        seed: of the moments, the signals and the processes that get them.
        longest: seconds; a signal comes at a uniform moment up to this after a start.
        config: the benchmark.
        expected: digests of the undisturbed benchmark, if it has run already.
        names: a pattern for the beginnings of the files' names to compare.
        say: gets one line per event.
    """
    rng, tally = random.Random(seed), Tally()
    os.environ[CAMPAIGN] = f"{os.getpid()}-{seed}"
    # A shell starts programs in the background with SIGINT ignored, and they pass that on.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    config = config or CONFIG
    try:
        if expected is None:
            _complete(folder / "straight", config, tally, "undisturbed")
            expected = digests(folder / "straight")
            say(f"undisturbed: {len(expected)} files")
            if tally.lost:  # there is nothing to compare with
                return tally
        while tally.kills < kills and len(tally.lost) < 10:
            killed = folder / f"killed{tally.passes}"
            _one_pass(killed, config, kills, longest, rng, tally, say)
            both = expected, digests(killed)
            _compare(
                *({n: d for n, d in of.items() if re.match(names, n)} for of in both), tally, say
            )
            tally.passes += 1
            shutil.rmtree(killed)
    finally:
        del os.environ[CAMPAIGN]
        signal.signal(signal.SIGINT, before)
    return tally


def _one_pass(
    folder: Path,
    config: dict,
    kills: int,
    longest: float,
    rng: random.Random,
    tally: Tally,
    say: Callable[[str], None],
) -> None:
    """Run one benchmark to its end, with signals on the way."""
    while tally.kills < kills:
        process = start(folder, config=config)
        moment = rng.uniform(0, longest)
        with contextlib.suppress(subprocess.TimeoutExpired):
            output, _ = process.communicate(timeout=moment)
            if process.returncode == 0:
                return
            tally.lost.append(f"a call without a signal failed: {_end(output)}")
            say(tally.lost[-1])
            return
        what = _send(process, rng.choice(SIGNALS), rng.choice(TARGETS), rng)
        if what is None:  # there was no job at this moment
            what = _send(process, rng.choice(SIGNALS), "group", rng)
        tally.kills += 1
        # After the kill of a job alone, Snakemake ends by itself with an error.
        try:
            process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            tally.lost.append(f"hangs after {what}")
            process.kill()
            process.communicate()
        say(f"{tally.kills:4} at {moment:5.1f} s: {what}, exit status {process.returncode}")
        if process.returncode == 0:
            return
    _complete(folder, config, tally, "after the last signal")
    _end_all()


def _complete(folder: Path, config: dict, tally: Tally, when: str) -> None:
    """Run the command until its end without a signal."""
    process = start(folder, config=config)
    try:
        output, _ = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        output = f"hangs. {output}"
    if process.returncode != 0:
        tally.lost.append(f"{when}: exit status {process.returncode}: {_end(output)}")


def _send(
    process: subprocess.Popen, number: signal.Signals, target: str, rng: random.Random
) -> str | None:
    """Send a signal and return a line about it, or None if there is no process to get it."""
    if target == "group":
        os.killpg(process.pid, number)
        return f"{number.name} to the group"
    if target == "snakemake":
        process.send_signal(number)
        return f"{number.name} to Snakemake"
    with contextlib.suppress(psutil.Error):
        children = psutil.Process(process.pid).children(recursive=True)
        jobs = [child for child in children if "cut" in child.cmdline()]
        if jobs:
            job = rng.choice(jobs)
            command = " ".join(job.cmdline()[2:])[-70:]
            job.send_signal(number)
            return f"{number.name} to a job ({command})"
    return None


def _compare(
    expected: dict[str, str], found: dict[str, str], tally: Tally, say: Callable[[str], None]
) -> None:
    """Note the files that are missing, left over or of other content."""
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            state = "missing" if name not in found else "left over"
            state = "differs" if name in found and name in expected else state
            tally.lost.append(f"{name} {state}")
            say(tally.lost[-1])


def _end(output: str) -> str:
    return " | ".join(line.strip() for line in output.strip().splitlines()[-12:])


def _end_all() -> None:
    """End what is left of the campaign: jobs that outlived their Snakemake."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            same = process.environ().get(CAMPAIGN) == os.environ[CAMPAIGN]
            if same and process.pid != os.getpid():
                process.kill()
