"""Print how far replays agree with recordings: a line per file, or a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cut.base.errors import UserError
from cut.methods.parity import KINDS, Replay, replay


def report(paths: Sequence[Path], tol: float, table: bool = False) -> bool:
    """Replay files and print their errors; return whether all are within `tol`.

    Args:
        paths: the recordings.
        tol: the largest relative error allowed.
        table: print a Markdown table instead of lines.

    Raises:
        UserError: a file is no recording, or has something without counterpart.
    """
    within = True
    if table:
        print(f"| method | recording | {' | '.join(KINDS)} |")
        print("| --- | --- |" + " ---: |" * len(KINDS))
    for path in paths:
        found = _replays(path, tol)
        within = within and found[-1].within(tol)
        print(_row(path, found[-1]) if table else _lines(path, found, tol))
    return within


def _replays(path: Path, tol: float) -> list[Replay]:
    """Return the replay of a file, and where needed the one in the recording's memory layout."""
    try:
        with np.load(path) as archive:
            arrays = dict(archive)
        found = [replay(arrays)]
        one_image = len(arrays["step0/A"]) == 1 and any("/patch_ids/" in key for key in arrays)
        if not found[0].within(tol) and one_image:
            found.append(replay(arrays, as_recorded=True))
    except (OSError, ValueError, KeyError) as error:
        raise UserError(f"{path} is not a readable parity file: {error}") from None
    return found


def _row(path: Path, found: Replay) -> str:
    errors = [f"{found.errors[kind]:.0e}" if kind in found.errors else "–" for kind in KINDS]
    return f"| `{found.method}` | {path.name} | {' | '.join(errors)} |"


def _lines(path: Path, found: list[Replay], tol: float) -> str:
    notes = [f"{'within' if found[-1].within(tol) else 'ABOVE'} {tol:g}"]
    if len(found) == 2:
        notes = ["(the derivative of the loss)", f"{notes[0]} in the recording's memory layout"]
    lines = []
    for one, note in zip(found, notes, strict=True):
        errors = "  ".join(f"{kind} {value:.1e}" for kind, value in one.errors.items())
        lines.append(f"{path.name}: {errors}  {note}")
    if found[-1].unused:
        lines.append(f"{path.name}: not compared: {', '.join(found[-1].unused)}")
    return "\n".join(lines)
