"""What a data set is made from, and whether its files have changed since.

Two things are compared. The identity is what an entry asks for: its settings, and the code that
makes its images. The witness is name, size and modification time of every file that is read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cut.base.errors import UserError
from cut.base.files import sha256_of, user_path
from cut.base.image_files import files_below, is_image
from cut.data import cityscapes
from cut.data.registry import OF_FORM, Entry, registry
from cut.data.source import in_place, local_sources, source_folder
from cut.data.verify import find_root, listed_names

# What an entry says that decides neither the images nor their record.
WITHOUT_EFFECT = {
    "archive_bytes",
    "counts_source",
    "max_bytes",
    "max_file_bytes",
    "max_files",
    "mirrors",
}
# Keys that count where they are given, so that the other sets keep the identity that they had.
WHERE_GIVEN = ("joint", "paired", *OF_FORM)

Stamp = tuple[int, int]  # (bytes, modification time in ns)


def made_from(entry: Entry) -> dict[str, Any]:
    """Return the settings of a config that decide the images of a set, by name.

    The source counts only for a user's own set. A set of the registry is the same set wherever it
    comes from.
    """
    chosen: dict[str, Any] = {"direction": entry.direction, "domains": list(entry.domains)}
    if entry.conversion is not None:  # whether its archives are available or not
        chosen |= entry.conversion.model_dump(exclude=set(cityscapes.ARCHIVES))
    else:
        chosen |= options_of(entry)
    own = entry.name not in registry() and entry.source is not None
    if own:
        chosen["source"] = (
            entry.source if entry.is_url else os.path.abspath(user_path(entry.source))
        )
    if own or "folders" in entry.given:
        chosen["folders"] = dict(entry.folders)
    decide = (*WHERE_GIVEN, *(["bits"] if entry.channels is not None else []))
    given = entry.model_dump(mode="json", include=set(entry.given))
    return chosen | {key: given[key] for key in decide if key in given}


def options_of(entry: Entry) -> dict[str, Any]:
    """Return the options that decide the images that are made or changed here, without paths."""
    if entry.options is not None:
        return entry.options.model_dump()
    if entry.conversion is not None and cityscapes.sources(entry) is not None:
        return entry.conversion.model_dump(exclude=set(cityscapes.ARCHIVES))
    return {"bits": entry.bits} if entry.scaled else {}


def fingerprint(entry: Entry) -> str:
    """Return a digest of everything that decides the images: entry, archive, generating code."""
    absent = {key for key in WHERE_GIVEN if not getattr(entry, key)}
    parts = [entry.model_dump_json(exclude=WITHOUT_EFFECT | absent)]
    if entry.digests is not None:
        parts.append(repr(sorted((entry.expected_digests() or {}).items())))
    code = entry.generator or ("cut.data.cityscapes" if cityscapes.sources(entry) else None)
    if code is not None:
        spec = importlib.util.find_spec(code)
        if spec is not None and spec.origin:
            parts.append(sha256_of(Path(spec.origin)))
    for path in local_sources(entry):
        parts += [str(path.absolute()), *_trace(path, entry)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def source_digest(entry: Entry) -> str:
    """Return a digest of the witness of a local source, "" without one.

    No file is opened. The workflow notices by it that images were changed.
    """
    try:
        folder = source_folder(entry)
        if folder is not None:
            stamps = _stamped(find_root(folder), entry)
            return _digest(f"{name} {list(stamp)}" for name, stamp in stamps)
        return _digest(line for path in local_sources(entry) for line in _trace(path, entry))
    except (UserError, OSError):
        return ""  # `prepare` reports what is wrong with the source


def _digest(lines: Iterable[str]) -> str:
    """Return the sha256 over the lines, joined by line feeds; "" without any."""
    digest, between = hashlib.sha256(), b""
    for line in lines:
        digest.update(between + line.encode())
        between = b"\n"
    return digest.hexdigest() if between else ""


def stamps(entry: Entry, root: Path) -> dict[str, Stamp] | None:
    """Return the witness of the images below `root`, or None if its folders are not in order."""
    try:
        return dict(_stamped(root, entry))
    except (UserError, OSError):
        return None


def _stamped(root: Path, entry: Entry) -> Iterator[tuple[str, Stamp]]:
    """Yield ("FOLDER/NAME", stamp) of every image."""
    for folder, names in listed_names(root, entry).items():
        inside = os.path.join(root, folder, "")
        for name in names:
            stat = os.stat(inside + name)
            yield f"{folder}/{name}", (stat.st_size, stat.st_mtime_ns)


def _trace(path: Path, entry: Entry) -> list[str]:
    """Return the witness of an archive, or of the images of a folder that is not used in place."""
    files = [path] if path.is_file() else []
    if path.is_dir() and not in_place(entry, path):
        files = [file for file in files_below(path) if is_image(file)]
    return [f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
