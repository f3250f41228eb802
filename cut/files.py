"""Writing files so that a kill at any moment leaves the old one or the new one, never half."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from cut.errors import UserError


def check_writable(path: Path) -> None:
    """Make the folder of a file that is to be written: before the work whose result it holds.

    Raises:
        UserError: the file is a folder, or its folder can't be made or written to.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{path} can't be written: {error}") from None
    if path.is_dir():
        raise UserError(f"{path} can't be written: it is a folder; give a file's name")
    if not os.access(path.parent, os.W_OK):
        raise UserError(f"{path} can't be written: {path.parent} allows no writing")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; what is written there replaces `path` at the end."""
    check_writable(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(value, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        UserError: it is missing or not JSON.
    """
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"{path} is not a readable JSON file: {error}") from None


def sha256_of(*paths: Path) -> str:
    """Return the sha256 over the contents of `paths`, in order."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def read_tensors(path: Path, expected: str) -> Any:
    """Return what `torch.save` wrote, on the CPU; it runs no code that the file holds.

    Raises:
        UserError: it is missing or can't be read; `expected` says what it should be.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}; expected {expected}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    # For a file that is no archive torch.load raises almost anything.
    except (OSError, RuntimeError, ValueError, EOFError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise UserError(
            f"{path} can't be read as weights ({reason[0][:80]}); expected {expected}"
        ) from None


def save_tensors(path: Path, state: Any) -> None:
    """Write tensors with `torch.save`, atomically: the same state gives the same bytes."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        torch.save(state, file)  # given a path, it would write that name into the file
