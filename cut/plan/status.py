"""What a benchmark's runs are doing: done, at work with time left, failed, stopped or waiting.

    python -m cut status [CONFIG.yaml] [--directory DIR]

Reads the runs' records, locks and logs; it starts nothing and may be asked at any time, also on
another machine that sees the same folders. A job that was killed without a word counts as running
for five minutes more (`job_logs.FRESH`); a method's own command, until `snakemake --unlock`.
"""

from __future__ import annotations

import fcntl
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cut.plan import job_logs
from cut.plan.config import read
from cut.plan.plan import make_plan


@dataclass(frozen=True)
class Stage:
    """A job of a run: its log's name, what shows that it is done, and words for both."""

    log: str
    outputs: tuple[str, ...]  # any of them
    running: str
    finished: str


TRAIN = Stage("train", ("run.json",), "training", "trained")
TRANSLATE = Stage("translate", ("translated/manifest.json", "scores.json"), "translating",
                  "translated")  # fmt: skip
SCORE = Stage("score", ("scores.json",), "scoring", "scored")
BY_CLASS = (TRAIN, TRANSLATE, SCORE)
BY_COMMANDS = (
    Stage("train", ("trained", "run.json"), "training", "trained"),
    Stage("translate", ("translations", "run.json"), "translating", "translated"),
    Stage("record", ("run.json",), "recording", "translated"),
    SCORE,
)
FOLLOWED = (
    Stage("select", ("best.json", "best/scores.json"), "choosing", "scored"),
    Stage("score_best", ("best/scores.json",), "scoring", "scored"),
)
# Folders that a job at work writes into.
SIGNS = ("state", "model", "translated", "best", "best/translated")


@dataclass(frozen=True)
class State:
    """One run: its name as DATASET/ROW/seedN, its state in a word, and more about it."""

    run: str
    word: str
    detail: str = ""
    minutes: float | None = None  # that its training has before it


def locked(run: Path) -> bool:
    """Return whether a training holds the run's lock."""
    return job_logs.held(run / ".lock", fcntl.LOCK_SH)


def duration(minutes: float) -> str:
    """Return a time in words: minutes up to an hour and a half, then hours."""
    return f"{minutes:.1f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


class Look:
    """A look at one run: `folder`, and `places`, the folder of all logs.

    `own`: its stages are a method's own commands, which hold no lock; they run while `workflow`
    does, that is while Snakemake holds the folder.
    """

    def __init__(self, folder: Path, places: Path, own: bool, workflow: bool) -> None:
        self.folder, self.own, self.workflow = folder, own, workflow
        self.name = "/".join(folder.parts[-3:])
        self.stem = places / self.name.replace("/", ".")

    def log(self, stage: Stage) -> Path:
        """Return the log of a stage."""
        return self.stem.with_name(f"{self.stem.name}.{stage.log}.log")

    def has(self, stage: Stage) -> bool:
        """Return whether a stage is done."""
        return any((self.folder / output).is_file() for output in stage.outputs)

    def runs(self, stage: Stage) -> bool:
        """Return whether a stage that is not done is at work."""
        if job_logs.held(self.log(stage)) or stage.log == "train" and locked(self.folder):
            return True
        text = job_logs.tail(self.log(stage))
        ended = job_logs.reason(text) or "\nstopped by signal" in text
        if ended or not self.log(stage).is_file():
            return False
        signs = [self.folder / sign for sign in SIGNS]
        fresh = job_logs.age(self.log(stage), *signs) < job_logs.FRESH
        return fresh or self.own and stage.log in ("train", "translate") and self.workflow

    def state(self, stage: Stage) -> State | None:
        """Return the run's state as a stage that is due has it, or None where it has not begun."""
        text = job_logs.tail(self.log(stage))
        progress = job_logs.PROGRESS.findall(text) if stage.log == "train" else []
        *place, minutes = progress[-1] if progress else ("",)
        if self.runs(stage):
            quiet = job_logs.age(self.log(stage)) if self.log(stage).is_file() else 0.0
            words = [f"last word {duration(quiet / 60)} ago"] if quiet > job_logs.FRESH else []
            if progress:
                left = float(minutes)
                words = [*place, f"{duration(left)} left", *words]
                return State(self.name, stage.running, "  ".join(words), left)
            if stage.log == "train" and not self.own:
                words = words or ["starting"]
            return State(self.name, stage.running, "".join(words))
        why = job_logs.reason(text)
        if why and why != "KeyboardInterrupt":
            return State(self.name, "failed", f"{stage.log}: {why}")
        begun = stage.log == "train" and any((self.folder / "state").glob("*.pt"))
        if begun or self.log(stage).is_file():
            return State(self.name, "stopped", "  ".join(place) or stage.log)
        return None


def state_of(look: Look, followed: bool = False) -> State:
    """Return the state of a run; `followed`: its best epoch is to be chosen and scored too."""
    main = BY_COMMANDS if look.own else BY_CLASS
    chains = [main, FOLLOWED] if followed and look.has(main[0]) else [main]
    # The first stage of each chain that is not done: those after it cannot have begun.
    due = [next((stage for stage in chain if not look.has(stage)), None) for chain in chains]
    if not any(due):
        return State(look.name, "done")
    states = [state for stage in due if stage and (state := look.state(stage))]
    order = {"failed": 0, "stopped": 2}
    if states:
        return min(states, key=lambda state: order.get(state.word, 1))
    finished = [stage.finished for stage in main if look.has(stage)]
    return State(look.name, finished[-1] if finished else "waiting")


def totals(states: Sequence[State]) -> str:
    """Return how many runs are in which state, and what is known of the time left."""
    counts = Counter(state.word for state in states)
    words = ", ".join(f"{n} {word}" for word, n in counts.items())
    left = [state.minutes for state in states if state.minutes is not None]
    if not left:
        return words
    more = counts["waiting"] + counts["stopped"]
    words += f"; at least {duration(sum(left))} of training left, the sum of those that run"
    return words + (f" at their rate so far; {more} more not counted" if more else "")


def show(config: Path, directory: Path) -> int:
    """Print one line per run, then the number in each state; return 1 if a run has failed.

    Args:
        config: the benchmark's configuration.
        directory: the folder that Snakemake runs in.
    """
    plan = make_plan(read(config))
    places = directory / plan.config.results / "logs"
    workflow = any((directory / ".snakemake" / "locks").glob("*"))
    own = {name for name, row in plan.rows.items() if row.commands is not None}
    followed = set(plan.followed())
    states = [
        state_of(
            Look(directory / run, places, Path(run).parent.name in own, workflow), run in followed
        )
        for run in plan.runs()
    ]
    width = max(len(state.run) for state in states)
    for state in states:
        print(f"{state.run:{width}}  {state.word:11}  {state.detail}".rstrip())
    print(totals(states))
    return int(any(state.word == "failed" for state in states))
