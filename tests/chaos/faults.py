"""Damage a finished benchmark in every way, run the command that meets the damage, and judge.

A command may make the damaged file again, end with what an undamaged benchmark has, or refuse with
one sentence and exit status 1. A different result without a word, or a traceback, is a loss.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from chaos import failing_machine
from chaos.digests import digests
from chaos.small_benchmark import (
    COMMANDS,
    CONTINUE,
    DATA,
    HALF,
    RUN,
    STATED,
    TEST,
    Ended,
    build,
    end,
    run,
    start,
)

# Each kind of file, and the commands that read it.
READERS: dict[str, tuple[str, ...]] = {
    f"{HALF}/state/*.pt": ("continue",),
    f"{HALF}/request.json": ("continue",),
    f"{DATA}/trainA/*.png": ("continue",),
    f"{DATA}/testA/*.png": ("translate", "export"),
    f"{DATA}/dataset.json": ("translate", "export", "prepare"),
    f"{RUN}/request.json": ("train",),
    f"{RUN}/run.json": ("translate", "tables", "train"),
    f"{RUN}/generator.pt": ("translate", "train"),
    f"{RUN}/embedding.pt": ("encoder",),
    f"{RUN}/history.csv": ("curves",),
    f"{RUN}/snapshots/*.pt": ("select",),
    f"{RUN}/features.npz": ("nearest",),
    f"{RUN}/translated/*.png": ("score", "page"),
    f"{RUN}/translated/manifest.json": ("score",),
    f"{RUN}/scores.json": ("tables", "page"),
    f"{RUN}/resamples.csv": ("tables", "page"),
    f"{RUN}/best.json": ("tables",),
    f"{RUN}/best/scores.json": ("tables", "collect"),
    f"{RUN}/epochs.csv": ("stability",),
    f"{TEST}/manifest.json": ("score",),
    f"{TEST}/source/*.png": ("score", "grid"),
    f"{TEST}/target/*.png": ("score", "features"),
    f"{TEST}/truth/*.png": ("score",),
    f"{TEST}/target.npz": ("score", "select"),
    STATED: ("score", "features"),
    "../weights.pth": ("score",),
}
# The files that a command writes, by the beginnings of their names.
WRITES: dict[str, tuple[str, ...]] = {
    "prepare": (DATA,),
    "export": (TEST,),
    "inception": (STATED,),
    "features": (f"{TEST}/target.npz",),
    "continue": (HALF,),
    "train": (RUN,),
    "translate": (f"{RUN}/translated",),
    "select": (f"{RUN}/best", f"{RUN}/epochs.csv"),
    "score": (f"{RUN}/scores.json", f"{RUN}/features.npz", f"{RUN}/resamples.csv"),
    "score best": (f"{RUN}/best/scores.json",),
    "collect": ("results/collected",),
    "page": ("results/site",),
}
TOGETHER = ("continue", "translate", "score", "select", "tables", "export", "prepare")


@dataclass(frozen=True)
class Outcome:
    """What became of one fault.

    Attributes:
        fault: what was damaged, and how.
        command: what ran then.
        end: "unharmed", "mended", "refused", "silent" (another result without a word),
            "traceback", "lost" (other files changed) or "skipped".
        words: the sentence, or what went wrong.
    """

    fault: str
    command: str
    end: str
    words: str = ""

    @property
    def line(self) -> str:
        """Return a line of the campaign's table."""
        return f"{self.end:9} | {self.command:10} | {self.fault:60} | {self.words}"


def words_of(command: str) -> tuple[str, ...]:
    """Return the arguments of a command by its name."""
    return CONTINUE if command == "continue" else COMMANDS[command]


# -- damages ---------------------------------------------------------------------------------------


def flip(path: Path, draw: random.Random) -> None:
    """Flip one bit."""
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def halve(path: Path, _: random.Random) -> None:
    """Cut the file to its first half."""
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path, _: random.Random) -> None:
    """Leave nothing of the content."""
    os.truncate(path, 0)


def remove(path: Path, _: random.Random) -> None:
    """Remove the file."""
    path.unlink()


def link(path: Path, _: random.Random) -> None:
    """Replace the file by a link that leads nowhere."""
    path.unlink()
    path.symlink_to("nowhere")


DAMAGES = {
    "bit flipped": flip,
    "cut": halve,
    "empty": empty,
    "missing": remove,
    "broken link": link,
}


# -- judging ---------------------------------------------------------------------------------------


class Campaign:
    """Runs commands in damaged copies of one benchmark."""

    def __init__(self, folder: Path, seed: int, names: Collection[str] = tuple(COMMANDS)) -> None:
        """Make the benchmark in `folder`, which is empty, by the commands `names`."""
        self.folder, self.draw = folder, random.Random(seed)
        self.whole = build(folder, names)
        self.pristine = digests(self.whole)
        self.expected: dict[str, dict[str, str]] = {}

    def copy(self, place: Path | None = None) -> Path:
        """Return a fresh copy of the benchmark, beside a link to the weights that it uses."""
        place = place or self.folder / "copy"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        (place / "weights.pth").symlink_to(self.folder / "weights.pth")
        return Path(shutil.copytree(self.whole, place / "benchmark", symlinks=True))

    def result(self, command: str) -> dict[str, str]:
        """Return the digests of an undamaged benchmark after a command."""
        if command not in self.expected:
            copy = self.copy()
            done = run(copy, words_of(command))
            assert done.status == 0, f"{command}: {done.output}"
            self.expected[command] = digests(copy)
        return self.expected[command]

    def judge(
        self, fault: str, command: str, copy: Path, done: Ended, damaged: str = "", beside: str = ""
    ) -> Outcome:
        """Say what became of a fault, by how the command ended and what it left in `copy`.

        The file `damaged`, and a file `beside` that was changed with it, may differ.
        """
        if "Traceback" in done.output or done.status not in (0, 1):
            last = [line for line in done.output.splitlines() if line.strip()][-1:]
            return Outcome(fault, command, "traceback", f"status {done.status}: {''.join(last)}")
        found, expected = digests(copy), self.result(command)
        if done.status:
            own = WRITES.get(command, ("results/tables", "results/figures"))
            same = self.pristine.items() - found.items()
            lost = [
                name
                for name, _ in same
                if name not in (damaged, beside) and not name.startswith(own)
            ]
            if lost:
                return Outcome(fault, command, "lost", f"{sorted(lost)[0]} of {len(lost)}")
            return Outcome(fault, command, "refused" if done.sentence else "silent", done.sentence)
        others = [
            name
            for name in sorted(found.keys() | expected.keys())
            if found.get(name) != expected.get(name) and name not in (damaged, beside)
        ]
        if others:
            return Outcome(fault, command, "silent", f"{others[0]} differs, of {len(others)}")
        mended = damaged and found.get(damaged) == expected.get(damaged)
        return Outcome(fault, command, "mended" if mended else "unharmed")

    def damage(self, pattern: str, how: str, command: str) -> Outcome:
        """Damage one file of a kind, and run a command that reads it."""
        copy = self.copy()
        paths = sorted(copy.glob(pattern)) if ".." not in pattern else [copy / pattern]
        path = self.draw.choice(paths)
        if ".." in pattern:
            path.unlink()  # the link
            shutil.copyfile(self.folder / "weights.pth", path)
            named = run(copy, COMMANDS["inception"])
            assert named.status == 0, named.output
        DAMAGES[how](path, self.draw)
        done = run(copy, words_of(command))
        name = os.path.relpath(path, copy)
        return self.judge(f"{name}: {how}", command, copy, done, name, STATED * (".." in pattern))

    def together(self, command: str) -> Outcome:
        """Run a command twice at the same time."""
        copy = self.copy()
        logs = [copy.parent / f"{i}.log" for i in range(2)]
        pids = [start(copy, words_of(command), log) for log in logs]
        ended = [end(pid, log) for pid, log in zip(pids, logs, strict=True)]
        worst = max(ended, key=lambda done: (("Traceback" in done.output), done.status))
        return self.judge("the same command at the same time", command, copy, worst)


def campaign(
    folder: Path,
    seed: int = 0,
    flips: int = 3,
    only: Callable[[str], bool] = lambda pattern: True,
    machine: bool = True,
) -> Iterator[Outcome]:
    """Yield what became of each fault.

    Args:
        folder: an empty folder.
        seed: of all random choices.
        flips: bits flipped per kind of file and command, each in a copy of its own.
        only: which kinds of files to damage, by their patterns in `READERS`.
        machine: whether to fail the machine too: no room, no permission, no memory, two at a time.
    """
    bench = Campaign(folder, seed)
    for pattern, commands in READERS.items():
        for command in commands if only(pattern) else ():
            for how in DAMAGES:
                for _ in range(flips if how == "bit flipped" else 1):
                    yield bench.damage(pattern, how, command)
    if machine:
        for command in TOGETHER:
            yield bench.together(command)
        for command in ("continue", *COMMANDS):
            yield from failing_machine.full_and_read_only(bench, command)
        for command in ("continue", "translate", "features"):
            yield failing_machine.without_memory(bench, command)
        yield failing_machine.killed_worker(bench)
