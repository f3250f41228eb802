"""What a data set is made from, and whether its files have changed since.

Two things are compared. The identity is what an entry asks for: its settings, and the code that
makes its images. The witness is name, size and modification time of every file that is read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.image_files import is_image
from cut.data import cityscapes
from cut.data.registry import Entry, registry
from cut.data.verify import find_root, is_laid_out, listing

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
    if entry.name in registry() or entry.source is None:
        return chosen
    source = entry.source if entry.is_url else os.path.abspath(Path(entry.source).expanduser())
    return {**chosen, "source": source, "folders": dict(entry.folders)}


def options_of(entry: Entry) -> dict[str, Any]:
    """Return the options that decide the images of a generated or converted set, without paths."""
    if entry.options is not None:
        return entry.options.model_dump()
    if entry.conversion is not None and cityscapes.sources(entry) is not None:
        return entry.conversion.model_dump(exclude=set(cityscapes.ARCHIVES))
    return {}


def source_folder(entry: Entry) -> Path | None:
    """Return the folder to use in place, or None if images have to be unpacked or made.

    Raises:
        UserError: there is no source, or it is neither a folder nor an archive.
    """
    if entry.generator is not None or entry.is_url or cityscapes.sources(entry) is not None:
        return None
    how = f"give one as data_sources: {{{entry.name}: PATH_OR_URL}} or --source"
    if not entry.source:
        raise UserError(f"data set {entry.name} has no public source; {how}")
    path = Path(entry.source).expanduser()
    if path.is_dir():
        return None if entry.folders and not is_laid_out(path) else path
    if "://" in entry.source:
        raise UserError(f"{entry.source} can't be downloaded: only http and https; {how}")
    if not path.is_file():
        raise UserError(f"there is no file or folder {path} for data set {entry.name}; {how}")
    if not (zipfile.is_zipfile(path) or tarfile.is_tarfile(path)):
        raise UserError(f"{path} is no complete zip or tar archive; fetch it again, or {how}")
    return None


def fingerprint(entry: Entry) -> str:
    """Return a digest of everything that decides the images: entry, archive, generating code."""
    parts = [entry.model_dump_json(exclude={"archive_bytes", "counts_source"})]
    if entry.digests is not None:
        parts.append(repr(sorted((entry.expected_digests() or {}).items())))
    code = entry.generator or ("cut.data.cityscapes" if cityscapes.sources(entry) else None)
    if code is not None:
        spec = importlib.util.find_spec(code)
        if spec is not None and spec.origin:
            parts.append(sha256_of(Path(spec.origin)))
    for path in _local_sources(entry):
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
            parts = [f"{name} {list(stamp)}" for name, stamp in stamps]
        else:
            parts = [line for path in _local_sources(entry) for line in _trace(path, entry)]
    except (UserError, OSError):
        return ""  # `prepare` reports what is wrong with the source
    return hashlib.sha256("\n".join(parts).encode()).hexdigest() if parts else ""


def stamps(entry: Entry, root: Path) -> dict[str, Stamp] | None:
    """Return the witness of the images below `root`, or None if its folders are not in order."""
    try:
        return dict(_stamped(root, entry))
    except (UserError, OSError):
        return None


def _stamped(root: Path, entry: Entry) -> Iterator[tuple[str, Stamp]]:
    """Yield ("FOLDER/NAME", stamp) of every image."""
    for folder, paths in listing(root, entry).items():
        for path in paths:
            stat = path.stat()
            yield f"{folder}/{path.name}", (stat.st_size, stat.st_mtime_ns)


def _local_sources(entry: Entry) -> list[Path]:
    """Return the local archives or folders that the set is made from."""
    paths = list((cityscapes.sources(entry) or {}).values())
    if not paths and not entry.is_url and entry.source:
        paths = [Path(entry.source).expanduser()]
    return paths


def _trace(path: Path, entry: Entry) -> list[str]:
    """Return the witness of an archive, or of the images of a folder that is not used in place."""
    files = [path] if path.is_file() else []
    if path.is_dir() and (entry.folders or entry.conversion) and not is_laid_out(path):
        files = sorted(file for file in path.rglob("*") if is_image(file))
    return [f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]
