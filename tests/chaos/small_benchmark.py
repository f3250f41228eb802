"""A finished benchmark of one tiny row, made by commands alone, and commands to run in it."""

from __future__ import annotations

import os
import shutil
import sys
import traceback
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot  # noqa: F401 - so that the forks have it
import torch
from standin import write_weights
from training_runs import OPTIONS

from cut import cli
from cut.records.request import RequestRecord

SET = "results/coats2stripes"
PLAIN = f"{SET}/plain"  # the test images without their true counterparts
DATA, TEST = "data/coats2stripes", f"{SET}/test"
RUN, HALF = f"{SET}/cut/seed0", f"{SET}/half/seed0"
STATED = "data/inception.json"
TRAINING = {"epochs_constant": 2, "epochs_decay": 0, "log_every": 2, "snapshot_every": 1}
CPU = ("--device", "cpu")
REFERENCE = ("--reference", f"{TEST}/target.npz", "--weights-json", STATED, *CPU)
SCORED = ("--test", TEST, "--weights-json", STATED, *CPU)


def figure(kind: str, *given: str) -> tuple[str, ...]:
    """Return the command that draws a figure of the run."""
    out = f"results/figures/coats2stripes-{'nearest' if PLAIN in given else kind}.png"
    return ("report", "figures", kind, "--out", out, *given, RUN)


# By name, in the order of a benchmark.
COMMANDS: dict[str, tuple[str, ...]] = {
    "prepare": (
        *("prepare", "coats2stripes", "--out", DATA),
        *("--set", "size=32", "train=8", "test=5"),
    ),
    "export": ("export", f"{DATA}/dataset.json", TEST, "--size", "32"),
    "inception": ("inception", "--out", STATED, "--weights", "../weights.pth"),
    "features": (
        "features",
        f"{TEST}/target",
        f"{TEST}/target.npz",
        "--weights-json",
        STATED,
        *CPU,
    ),
    "train": ("train", f"{RUN}/request.json"),
    "translate": ("translate", "--dataset", f"{DATA}/dataset.json", "--run", RUN, *CPU),
    "select": ("select", "--dataset", f"{DATA}/dataset.json", "--run", RUN, *REFERENCE),
    "score": (
        *("score", f"{TEST}/target.npz", f"{RUN}/translated", *SCORED),
        *("--json", f"{RUN}/scores.json", "--features", f"{RUN}/features.npz"),
        *("--resamples", f"{RUN}/resamples.csv"),
    ),
    "score best": (
        *("score", f"{TEST}/target.npz", f"{RUN}/best/translated", *SCORED),
        *("--json", f"{RUN}/best/scores.json"),
    ),
    "tables": ("report", "tables", "--out", "results/tables", RUN),
    "seeds": ("report", "seeds", "--out", "results/tables", RUN),
    "overview": ("report", "overview", "--out", "results/tables", RUN),
    "collect": ("collect", "--out", "results/collected", "results"),
    "curves": figure("curves"),
    "stability": figure("stability"),
    "cases": figure("cases", "--test", TEST),
    # Without true counterparts, the features decide.
    "nearest": figure("cases", "--test", PLAIN),
    "grid": figure("grid", "--test", TEST, "--rows", "2"),
    "encoder": figure("encoder", "--test", TEST, "--rows", "2"),
    "page": ("report", "page", "--out", "results/site", RUN),
}
# Continues a training that was stopped; it ends with the weights of the run beside it.
CONTINUE = ("train", f"{HALF}/request.json")


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit status, and all that it printed."""

    status: int
    output: str

    @property
    def sentence(self) -> str:
        """Return the sentence of its error, or ""."""
        lines = [line for line in self.output.splitlines() if line.startswith("error: ")]
        return lines[-1] if lines else ""


def start(folder: Path, words: Sequence[str], log: Path, before=lambda: None) -> int:
    """Run a command in a fork of this process, in `folder`; return the process's number.

    A fork has torch imported already, which saves seconds per command.

    Args:
        folder: where it runs.
        words: the command.
        log: gets its output.
        before: is called in the fork, before the command.
    """
    pid = os.fork()
    if pid:
        return pid
    status = 99
    try:
        os.chdir(folder)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(output, 1)
        os.dup2(output, 2)
        sys.stdout, sys.stderr = (open(fd, "w", closefd=False) for fd in (1, 2))  # noqa: SIM115
        before()
        cli.main(words)
    except SystemExit as end:
        status = end.code or 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def end(pid: int, log: Path) -> Ended:
    """Wait for a command that `start` started."""
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return Ended(status, log.read_text(errors="replace"))


def run(folder: Path, words: Sequence[str], before=lambda: None) -> Ended:
    """Run a command in `folder` and return how it ended."""
    log = folder.parent / "command.log"
    return end(start(folder, words, log, before), log)


def build(folder: Path, names: Collection[str] = tuple(COMMANDS)) -> Path:
    """Make the benchmark in `folder/whole` by the commands `names`; return that folder."""
    torch.set_num_threads(1)  # a process with threads can't be forked
    whole = folder / "whole"
    write_weights(folder / "weights.pth")
    whole.mkdir()
    request = RequestRecord(
        dataset=f"{DATA}/dataset.json",
        row="cut",
        method="cut",
        size="32",
        options=OPTIONS,
        training=TRAINING,
        device="cpu",
    )
    request.write(whole / RUN / "request.json")
    for name, words in COMMANDS.items():
        if name in names:
            done = run(whole, words)
            assert done.status == 0, f"{name}: {done.output}"
        if name == "train":
            _train_half(whole, request)
        if name == "features":
            shutil.copytree(whole / TEST, whole / PLAIN, ignore=shutil.ignore_patterns("truth"))
    return whole


def _train_half(whole: Path, request: RequestRecord) -> None:
    """Stop a training of the same run in its second epoch, with its state saved."""
    often = {**request.training, "checkpoint_minutes": 0}
    request.model_copy(update={"training": often}).write(whole / HALF / "request.json")
    from cut.training.trainer import Trainer

    step = Trainer._step

    def stop_later(self, batch):
        step(self, batch)
        if self.loop.iteration == 11:
            self.stop.number = 15

    def before():
        Trainer._step = stop_later

    done = run(whole, CONTINUE, before)
    assert done.status == 143, done.output
