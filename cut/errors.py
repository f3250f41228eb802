"""Errors a user can act on, and the one place where a command turns them into an exit status."""

from __future__ import annotations

import fcntl
import gc
import sys
import time
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any

MANY = 40  # names, as of a set's images: more of them are not listed


class UserError(Exception):
    """A mistake in what was given: one sentence with what was given, expected, and what to do."""


class NothingToShow(UserError):
    """A figure has nothing to draw: no mistake of a workflow's, which goes on and says so there."""


def unknown(kind: str, given: str, known: Sequence[str]) -> str:
    """Return the sentence for an unknown name, with the nearest known one when there is one."""
    if not known:
        return f"unknown {kind} {given!r}; there is none to give"
    if near := get_close_matches(given, known, n=1):
        return f"unknown {kind} {given!r}; did you mean {near[0]!r}?"
    shown = sorted(known) if len(known) <= MANY else sorted(known)[:5]
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    return f"unknown {kind} {given!r}; known: {', '.join(shown)}{more}"


def command(main: Callable[[Sequence[str] | None], Any]) -> None:
    """Run `main(None)`; print a `UserError` as one line on standard error and exit with 1.

    Standard output stays locked meanwhile: where it is a log, `cut.status` sees that this runs.
    """
    for _ in range(3):
        try:
            fcntl.flock(1, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:  # `cut.status` looks at it just now
            time.sleep(0.01)
            continue
        except OSError:  # not every file system has locks
            pass
        break
    gc.freeze()  # what the imports made stays to the end; on leaving too it need not be looked at
    gc.enable()
    try:
        sys.exit(main(None))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
