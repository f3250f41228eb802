"""Errors a user can act on, and the one place where a command turns them into an exit status."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

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
