"""Atomic writes, JSON and digests. After a kill at any moment a file is the old or the new one."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from functools import cache
from glob import escape
from pathlib import Path
from typing import Any

from cut.base import processes
from cut.base.errors import UserError
from cut.base.failures import first_line, unwritten


def user_path(text: str | Path) -> Path:
    """Return the path that a user wrote, with `~` expanded.

    Raises:
        UserError: the path begins with the home folder of a user that does not exist.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UserError(f"the home folder in {str(text)!r} is not known; give the path") from None


def check_writable(path: Path) -> None:
    """Make the folder of a file, before the work whose result will be written there.

    Raises:
        UserError: the path is a folder, or its parent can't be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path} can't be written: {error}") from None
    if path.is_dir():
        raise UserError(f"{path} can't be written: it is a folder; give a file's name")
    if not os.access(path.parent, os.W_OK):
        raise UserError(f"{path} can't be written: there is no write permission in {path.parent}")


def temporary_of(path: Path) -> Path:
    """Return the hidden file beside `path` that this process writes in its place."""
    return path.with_name(f"{_beginning(path)}{os.getpid()}.tmp")


def _beginning(path: Path) -> str:
    return f".{path.name}.{_machine()}-"


@contextlib.contextmanager
def replacing(path: Path, sync: bool = True) -> Iterator[Path]:
    """Yield a temporary path beside `path`. What is written there replaces `path` at the end.

    After a failure `path` is as before, and an error of the system names it. The temporary name is
    hidden, so a file left by a kill is never taken for an image. The next write of `path` on this
    machine removes it. Without `sync` the content may be lost in a power failure, and nothing is
    removed; that is fine for files that are cheap and many.
    """
    check_writable(path)
    temporary = temporary_of(path)
    if sync:
        _remove_dead(path.parent, _beginning(path))
    try:
        yield temporary
        if sync:
            with open(temporary, "rb") as file:
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise
    except RuntimeError as error:
        if not unwritten(error):
            raise
        raise UserError(
            f"{path} can't be written ({first_line(error)}); free some room and run the same"
            " command again"
        ) from None
    finally:
        with contextlib.suppress(OSError):  # a read-only file system, which has no such file
            temporary.unlink(missing_ok=True)


@cache
def _machine() -> str:
    """Return a short name of this machine: numbers of processes mean nothing on another one."""
    return hashlib.sha256(processes.host().encode()).hexdigest()[:6]


def _remove_dead(folder: Path, begin: str) -> None:
    """Remove the temporary files with these names whose processes are gone."""
    for path in folder.glob(f"{escape(begin)}*.tmp"):
        with contextlib.suppress(OSError, ValueError):
            pid = int(path.name.removeprefix(begin).removesuffix(".tmp"))
            if not processes.alive(pid, path.stat().st_mtime):
                path.unlink()


def remove_unfinished(folder: Path, *names: str) -> None:
    """Remove what `replacing` left in `folder` when it was killed.

    No other process may be writing these files.

    Args:
        folder: may be missing.
        names: the files that were being written; without any, all of the folder.
    """
    for name in map(escape, names) if names else ("*",):
        for path in folder.glob(f".{name}.*.tmp"):
            path.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n")


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file.

    Raises:
        UserError: the file is missing, not readable, or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from None


def sha256_of(*paths: Path) -> str:
    """Return the sha256, in hexadecimal, over the contents of `paths` in order."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            hashlib.file_digest(file, lambda: digest)
    return digest.hexdigest()
