"""What the runs of a benchmark are doing: done, running with the time left, failed or waiting.

It reads the status files of the jobs (`results/logs/*.log.json`), the progress of each training
(`state/progress.json`) and which outputs exist. It starts nothing and may be asked at any time,
also on another machine that sees the same folders. A killed job is noticed at once on the machine
where it ran; from another machine it looks like a running job.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cut.plan.config import read
from cut.plan.plan import make_plan
from cut.records.job import JobRecord
from cut.records.progress import ProgressRecord

QUIET = 300  # seconds without progress that are worth a remark


@dataclass(frozen=True)
class Stage:
    """A job of a run: its rule, the files of which one shows that it is done, and two words."""

    rule: str
    outputs: tuple[str, ...]
    running: str
    finished: str


TRAIN = Stage("train", ("run.json",), "training", "trained")
TRANSLATED = ("translated/manifest.json", "scores.json")
SCORE = Stage("score", ("scores.json",), "scoring", "scored")
BY_CLASS = (TRAIN, Stage("translate", TRANSLATED, "translating", "translated"), SCORE)
BY_COMMANDS = (
    Stage("train", ("trained", "run.json"), "training", "trained"),
    Stage("translate", ("translations", "run.json"), "translating", "translated"),
    Stage("record", ("run.json",), "recording", "translated"),
    SCORE,
)
BEST_EPOCH = (
    Stage("select", ("best.json", "best/scores.json"), "choosing", "scored"),
    Stage("score_best", ("best/scores.json",), "scoring", "scored"),
)


STEPS = Stage("steps", ("steps.json",), "scoring", "scored")


@dataclass(frozen=True)
class State:
    """The state of one run.

    Attributes:
        run: DATASET/ROW/seedN.
        word: "done", "failed", "stopped", "waiting", or what its jobs do or have done.
        detail: the progress of a training, or why a job failed.
        seconds: time left of its training, if it is known.
    """

    run: str
    word: str
    detail: str = ""
    seconds: float | None = None


def duration(seconds: float) -> str:
    """Return a time in minutes, or in hours from an hour and a half on."""
    minutes = seconds / 60
    return f"{minutes:.1f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


class RunJobs:
    """The jobs of one run, as their files describe them."""

    def __init__(self, folder: Path, logs: Path) -> None:
        self.folder, self.logs = folder, logs
        self.name = "/".join(folder.parts[-3:])
        path = folder / ProgressRecord.files[0]
        self.progress = ProgressRecord.read(path) if path.is_file() else None

    def job(self, stage: Stage) -> JobRecord | None:
        """Return the record of a job, or None if the job has not begun."""
        path = self.logs / f"{self.name.replace('/', '.')}.{stage.rule}.log.json"
        return JobRecord.read(path) if path.is_file() else None

    def done(self, stage: Stage) -> bool:
        """Return whether a job has ended well, or was run without a status file."""
        job = self.job(stage)
        written = any((self.folder / output).is_file() for output in stage.outputs)
        return written and (job is None or job.state == "done")

    def state(self, stage: Stage) -> State | None:
        """Return the run's state while `stage` is due, or None if the job has not begun."""
        job = self.job(stage)
        progress = self.progress if stage.rule == "train" else None
        place = f"epoch {progress.epoch}/{progress.epochs}  " if progress else ""
        place += f"step {progress.iteration}/{progress.iterations}" if progress else ""
        alive = progress is not None and progress.running  # perhaps started by hand
        if alive or (job is not None and job.state == "running" and not job.killed):
            return self._running(stage, progress, place)
        if job is None and progress is None or job is not None and job.state == "done":
            return None
        if job is not None and job.killed:
            return State(self.name, "failed", f"{stage.rule}: killed  {place}".rstrip())
        if job is not None and job.state == "failed":
            return State(self.name, "failed", f"{stage.rule}: {job.reason}")
        return State(self.name, "stopped", place or stage.rule)

    def _running(self, stage: Stage, progress: ProgressRecord | None, place: str) -> State:
        if progress is None:
            return State(self.name, stage.running)
        words = [place, f"{duration(progress.seconds_left)} left"]
        if (quiet := time.time() - progress.time) > QUIET:
            words.append(f"no step logged for {duration(quiet)}")
        return State(self.name, stage.running, "  ".join(words), progress.seconds_left)


def state_of(jobs: RunJobs, by_commands: bool = False, best: bool = False) -> State:
    """Return the state of a run.

    Args:
        jobs: its jobs.
        by_commands: its method runs by commands of its own.
        best: its best epoch is also chosen and scored.
    """
    main = BY_COMMANDS if by_commands else BY_CLASS
    chains = [main, BEST_EPOCH] if best and jobs.done(main[0]) else [main]
    # The first job of each chain that is not done: the later ones cannot have begun.
    due = [next((stage for stage in chain if not jobs.done(stage)), None) for chain in chains]
    if not any(due):
        return State(jobs.name, "done")
    states = [state for stage in due if stage and (state := jobs.state(stage))]
    if states:
        order = {"failed": 0, "stopped": 2}
        return min(states, key=lambda state: order.get(state.word, 1))
    finished = [stage.finished for stage in main if jobs.done(stage)]
    return State(jobs.name, finished[-1] if finished else "waiting")


def totals(states: Sequence[State]) -> str:
    """Return the number of runs in each state, and the time left of the trainings that run."""
    counts = Counter(state.word for state in states)
    words = ", ".join(f"{n} {word}" for word, n in counts.items())
    left = [state.seconds for state in states if state.seconds is not None]
    if not left:
        return words
    words += f"; {duration(sum(left))} left in the trainings that run"
    more = counts["waiting"] + counts["stopped"]
    return words + (f"; {more} more not counted" if more else "")


def show(config: Path, directory: Path) -> int:
    """Print one line per run, then the number in each state; return 1 if a run has failed.

    Args:
        config: the benchmark's configuration.
        directory: the folder that Snakemake runs in.
    """
    memory = directory / ".snakemake" / "rows"
    plan = make_plan(read(config), memory if memory.parent.is_dir() else None)
    logs = directory / plan.config.results / "logs"
    by_commands = {name for name, row in plan.rows.items() if row.commands is not None}
    best = set(plan.followed())
    states = [
        state_of(
            RunJobs(directory / run, logs),
            by_commands=Path(run).parent.name in by_commands,
            best=run in best,
        )
        for run in plan.runs()
    ]
    width = max(len(state.run) for state in states)
    for state in states:
        print(f"{state.run:{width}}  {state.word:11}  {state.detail}".rstrip())
    print(totals(states))
    return int(any(state.word == "failed" for state in states))
