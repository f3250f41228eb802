"""What a benchmark's runs are doing: done, running with time left, failed, or waiting.

    python -m cut.status [CONFIG.yaml] [--directory DIR]

Reads the runs' records, locks and logs; it starts nothing and may be asked at any time, also on
another machine that sees the same folders.
"""

from __future__ import annotations

import argparse
import fcntl
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cut.config import make_plan, read
from cut.errors import command

PROGRESS = re.compile(r"^(epoch \S+)  (step \S+)  .*?(\S+ min left)$", re.MULTILINE)
ERROR = re.compile(r"^error: (.+)$", re.MULTILINE)
LAST = 4000  # bytes of a log that are looked at


@dataclass(frozen=True)
class State:
    """One run: its name as DATASET/ROW/seedN, its state in a word, and more about it."""

    run: str
    word: str
    detail: str = ""


def _tail(path: Path) -> str:
    """Return the end of a file, or "" where there is none."""
    if not path.is_file():
        return ""
    with open(path, "rb") as file:
        file.seek(max(0, path.stat().st_size - LAST))
        return file.read().decode(errors="replace")


def locked(run: Path) -> bool:
    """Return whether a training holds the run's lock."""
    lock = run / ".lock"
    if not lock.is_file():
        return False
    with open(lock) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def state_of(run: Path, logs: Path, followed: bool = False) -> State:
    """Return the state of the run in `run`, whose logs lie in `logs`.

    `followed`: its best epoch is to be chosen and scored too.
    """
    name = "/".join(run.parts[-3:])

    def log(stage: str) -> str:
        return _tail(logs / f"{name.replace('/', '.')}.{stage}.log")

    # What stands there, the last stage first; its word, and the logs of what follows it.
    stages = [
        ("scores.json", "scored", ("select", "score_best")),
        ("translated/manifest.json", "translated", ("score",)),
        ("run.json", "trained", ("translate",)),
    ]
    if (run / "scores.json").is_file() and (not followed or (run / "best/scores.json").is_file()):
        return State(name, "done")
    for found, word, following in stages:
        if (run / found).is_file():
            errors = [error for stage in following for error in ERROR.findall(log(stage))]
            return State(name, "failed", errors[-1]) if errors else State(name, word)
    training = log("train")
    progress = PROGRESS.findall(training)
    if locked(run):
        return State(name, "training", "  ".join(progress[-1]) if progress else "starting")
    if errors := ERROR.findall(training):
        return State(name, "failed", errors[-1])
    if any((run / "state").glob("*.pt")):
        return State(name, "stopped", "  ".join(progress[-1][:2]) if progress else "")
    return State(name, "waiting")


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line a run, and how many are in which state; 1 where one has failed."""
    parser = argparse.ArgumentParser(
        prog="python -m cut.status", description="Say what a benchmark's runs are doing."
    )
    parser.add_argument("config", nargs="?", type=Path, default=Path("config/config.yaml"))
    parser.add_argument("--directory", type=Path, default=Path(), help="as Snakemake's")
    args = parser.parse_args(argv)
    plan = make_plan(read(args.config))
    logs = args.directory / plan.config.results / "logs"
    followed = set(plan.followed())
    states = [state_of(args.directory / run, logs, run in followed) for run in plan.runs()]
    width = max(len(state.run) for state in states)
    for state in states:
        print(f"{state.run:{width}}  {state.word:10}  {state.detail}".rstrip())
    counts = Counter(state.word for state in states)
    print(", ".join(f"{n} {word}" for word, n in counts.items()))
    return int("failed" in counts)


if __name__ == "__main__":
    command(main)
