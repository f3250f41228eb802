"""The command line: `python -m cut COMMAND …`, installed also as `cutbench COMMAND …`.

A command's module is imported when it is called, so that each loads only what it needs.
"""

from __future__ import annotations

import fcntl
import gc
import importlib
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from cut.base.errors import UserError, unknown

# Command (of one or two words): its module, arguments that come first, and what it does.
COMMANDS: dict[str, tuple[str, list[str], str]] = {
    "prepare": ("cut.data.commands", ["prepare"], "fetch or generate a data set and verify it"),
    "datasets": ("cut.data.commands", ["list"], "list the data sets of the registry"),
    "export": ("cut.data.commands", ["export"], "write a data set's images at a size"),
    "scenes": ("cut.data.synthetic", [], "draw the synthetic data set"),
    "train": ("cut.training.train", [], "train one method on one data set with one seed"),
    "translate": ("cut.training.translate", [], "translate a test set with a trained run"),
    "external": ("cut.training.external_run", [], "images and records for methods of commands"),
    "inception": ("cut.metrics.inception.weights", [], "find or fetch the Inception weights"),
    "features": ("cut.metrics.inception.extract", [], "compute the features of a folder"),
    "score": ("cut.metrics.score", [], "score a folder of translations"),
    "select": ("cut.metrics.best_epoch", [], "score the generators kept, choose the best epoch"),
    "report tables": ("cut.report.dataset_tables", [], "write the tables of each data set"),
    "report seeds": ("cut.report.seed_tables", [], "write the tables over seeds"),
    "report overview": ("cut.report.overview_table", [], "write one table over all data sets"),
    "report figures": ("cut.report.figures.main", [], "draw a figure"),
    "report page": ("cut.report.site.main", [], "write the page of results"),
    "collect": ("cut.report.collect", [], "merge the runs of several machines into tables"),
    "status": ("cut.plan.status", [], "show the state of each run"),
    "methods": ("cut.methods.registry", [], "list the methods and their options"),
    "config": ("cut.plan.check_config", [], "check configurations and print their runs"),
    "parity": ("cut.methods.parity", [], "replay recorded steps of the authors' code"),
    "record": ("cut.records.commands", [], "check the records of runs, or print their schemas"),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command; a `UserError` becomes one line on standard error and exit status 1.

    Standard output stays locked meanwhile: where it is a log, `cut status` sees that this runs.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if not words or words[0] in ("-h", "--help"):
        print(usage())
        sys.exit(0 if words else 2)
    _lock_output()
    gc.disable()  # imports make many objects and no garbage
    try:
        run, rest = _command(words)
        gc.freeze()
        gc.enable()
        sys.exit(run(rest))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


def guarded(run: Callable[[Sequence[str] | None], Any]) -> None:
    """Run the `main` of a module outside of `cut` as `main` runs a command."""
    try:
        sys.exit(run(None))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)


def usage() -> str:
    """Return the list of commands."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {what}" for name, (_, _, what) in COMMANDS.items()]
    return "\n".join(["usage: python -m cut COMMAND …   (COMMAND --help says more)", "", *lines])


def _command(words: list[str]) -> tuple[Callable[[Sequence[str]], Any], list[str]]:
    for n in (2, 1):
        name = " ".join(words[:n])
        if name in COMMANDS:
            module, first, _ = COMMANDS[name]
            return importlib.import_module(module).main, [*first, *words[n:]]
    known = [name for name in COMMANDS if name.split()[0] == words[0]] or list(COMMANDS)
    raise UserError(unknown("command", " ".join(words[: 1 + (len(known) < 9)]), known))


def _lock_output() -> None:
    for _ in range(3):
        try:
            fcntl.flock(1, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:  # `cut status` looks at it just now
            time.sleep(0.01)
            continue
        except OSError:  # not every file system has locks
            pass
        break
