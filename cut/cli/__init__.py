"""The command line: `python -m cut COMMAND …`, installed also as `cutbench COMMAND …`.

Each command is one module of this package: `cut.cli.score` is `python -m cut score`, and
`cut.cli.report_tables` is `python -m cut report tables`. The module's docstring is the help text,
`arguments` adds the arguments to a parser, and `run` does the work and returns the exit status. It
imports the work inside `run`, so that `--help` needs no torch.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import io
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO

from cut.base.errors import UserError, unknown
from cut.base.failures import explained

COMMANDS = (
    "prepare",
    "datasets",
    "export",
    "export generator",
    "scenes",
    "train",
    "translate",
    "external images",
    "external record",
    "inception",
    "networks",
    "features",
    "score",
    "select",
    "steps",
    "diversity",
    "report tables",
    "report seeds",
    "report overview",
    "report figures",
    "report page",
    "report all",
    "pack",
    "collect",
    "variance",
    "status",
    "doctor",
    "methods",
    "config",
    "parity",
    "shell",
    "record",
)


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command and exit with its status.

    A `UserError`, and a failure of the machine such as a full disk, becomes one line on standard
    error and exit status 1. An error of the code keeps its traceback. With `--status FILE` before
    the command, FILE has the state of the job for `cut status`.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    for stream in (sys.stdout, sys.stderr):  # a file's name need not be text
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    _collect_seldom()
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        sys.exit(0 if words else 2)
    if words[0] == "--status":
        if len(words) < 3:
            print("error: --status needs a file and a command", file=sys.stderr)
            sys.exit(1)
        from cut.cli.status_file import watched

        guarded(watched, Path(words[1]), run, words[2:])
    guarded(run, words)


def _collect_seldom() -> None:
    """Keep the garbage collector from walking through torch's 300,000 objects again and again.

    They live as long as the process. Of 3.1 s of CPU time for a command's imports and its end this
    saves 0.7 s.
    """
    gc.set_threshold(100_000, 50, 50)
    atexit.register(gc.freeze)


def guarded(function: Callable[..., Any], *given: Any) -> None:
    """Call `function` and exit with what it returns.

    What `explained` has a sentence for is printed, with exit status 1; Ctrl-C exits with 130.
    """
    try:
        status = function(*given)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        _close(sys.stdout)
        sys.exit(1)
    except KeyboardInterrupt:
        _say("interrupted")
        sys.exit(128 + signal.SIGINT)
    except Exception as error:
        sentence = explained(error)
        if sentence is None:
            raise
        _say(f"error: {sentence}")
        sys.exit(1)
    sys.exit(status)


def _say(sentence: str) -> None:
    """Print a sentence to standard error, if it can be written to: a log may be on a full disk."""
    for stream, text in ((sys.stdout, ""), (sys.stderr, f"{sentence}\n")):
        try:
            stream.write(text)
            stream.flush()
        except OSError:
            _close(stream)


def _close(stream: TextIO) -> None:
    """Let what is left in a stream go nowhere, so that Python does not fail at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def run(words: Sequence[str]) -> int:
    """Run one command in this process and return its exit status.

    Args:
        words: the command, of one or two words, then its arguments.

    Raises:
        UserError: there is no such command, or the command fails.
        SystemExit: the arguments are wrong, or ask for help.
    """
    name, rest = _split(words)
    module = _module(name)
    parser = argparse.ArgumentParser(
        prog=f"python -m cut {name}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.arguments(parser)
    return module.run(parser.parse_args(rest))


def usage() -> str:
    """Return the list of commands."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {_summary(name)}" for name in COMMANDS]
    return "\n".join(
        ["usage: python -m cut [--status FILE] COMMAND …   (COMMAND --help says more)", "", *lines]
    )


def _summary(name: str) -> str:
    return (_module(name).__doc__ or "").partition("\n")[0]


def _module(name: str) -> ModuleType:
    return importlib.import_module(f"cut.cli.{name.replace(' ', '_')}")


def _split(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the command and its arguments."""
    for n in (2, 1):
        name = " ".join(words[:n])
        if name in COMMANDS:
            return name, list(words[n:])
    group = [name for name in COMMANDS if name.split()[0] == words[0]]
    if group and (len(words) == 1 or words[1] in ("-h", "--help")):
        width = max(map(len, group))
        print("\n".join(f"{name:{width}}  {_summary(name)}" for name in group))
        sys.exit(0 if len(words) > 1 else 2)
    asked = " ".join(words[:2]) if group else words[0]
    raise UserError(unknown("command", asked, group or list(COMMANDS)))
