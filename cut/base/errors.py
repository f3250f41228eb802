"""Errors that a user can act on, and how their sentences are made."""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

MANY = 40  # a longer list of known names is cut to its first five
LONGEST = 80  # characters of a wrong value that a sentence quotes


class UserError(Exception):
    """A mistake in the input: one sentence with what was given, what was expected, what to do."""


class NothingToShow(UserError):
    """A figure has no data. The workflow draws a placeholder and continues."""


def unknown(kind: str, given: str, known: Sequence[str]) -> str:
    """Return the sentence for an unknown name, with the nearest known one when there is one."""
    given = given[:LONGEST]  # searching for a name like a text of megabytes takes minutes
    if not known:
        return f"unknown {kind} {given!r}; there is none to give"
    if near := get_close_matches(given, known, n=1):
        return f"unknown {kind} {given!r}; did you mean {near[0]!r}?"
    shown = sorted(known) if len(known) <= MANY else sorted(known)[:5]
    more = f" and {len(known) - len(shown)} more" if len(known) > len(shown) else ""
    return f"unknown {kind} {given!r}; known: {', '.join(shown)}{more}"


def explain(
    error: ValidationError,
    model: type[BaseModel],
    kind: str,
    owner: str,
    hidden: Collection[str] = (),
) -> str:
    """Return the sentence for the first thing that `model` refused.

    Args:
        error: what pydantic raised.
        model: the model that was validated; its fields are the known names.
        kind: what a field is called, such as "option".
        owner: what has the fields, such as "cut" or a file's path.
        hidden: parts of a nested name that the user did not write.
    """
    errors = error.errors(include_url=False)
    # A misspelt name also leaves the right one missing, so it is the mistake to report.
    first = min(errors, key=lambda each: each["type"] != "extra_forbidden")
    place = [_shown(part) for part in first["loc"] if str(part) not in {*hidden, "[key]"}]
    name = ".".join(place)
    if first["type"] == "extra_forbidden":
        inside = f"{'.'.join(place[:-1])} in {owner}" if place[1:] else owner
        known = list(_innermost(model, first["loc"][:-1]).model_fields)
        return unknown(f"{kind} of {inside}", str(first["loc"][-1]), known)
    if first["type"] == "missing":
        return f"{owner} has no {kind} {name!r}"
    reason = first["msg"].removeprefix("Value error, ")
    reason = reason[:1].lower() + reason[1:]
    if not place:
        return f"{owner}: {reason}"
    return f"{kind} {name} of {owner} is {quoted(first['input'])}: {reason}"


def quoted(value: object) -> str:
    """Return a wrong value for a sentence: on one line, and cut where it is long."""
    text = _short(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _shown(part: int | str) -> str:
    """Return a part of a name for a sentence: on one line, and not longer than one."""
    text = str(part)[:LONGEST]
    return text if text.isprintable() else repr(text)


def _short(value: Any) -> str:
    """Return `repr(value)`, without walking through all of a large value."""
    short = reprlib.Repr()
    short.maxlevel, short.maxstring, short.maxlong, short.maxother = 6, 200, 200, 200
    short.maxdict = short.maxlist = short.maxtuple = 50
    return short.repr(value)


def _innermost(model: type[BaseModel], place: Sequence[int | str]) -> type[BaseModel]:
    """Return the model that holds the field at `place`; keys of dictionaries are passed over."""
    for part in place:
        if part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the first model inside a type such as `dict[str, Model] | None`."""
    if hasattr(annotation, "model_fields"):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _model_in(arg))), None)
