"""From a registry entry to verified images on disk; `prepare` is the way in.

`out/.verified.json` remembers what was verified: the entry, and size and time of every file.
While they stand, a second run reads no image. The file also marks `out` as ours to write in, and
says what the set in it was made from.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import shutil
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cut.base.errors import UserError
from cut.base.files import read_json, sha256_of, write_json
from cut.base.images import is_image
from cut.data import cityscapes
from cut.data.dataset import Dataset
from cut.data.download import download
from cut.data.registry import FOLDERS, Entry, registry
from cut.data.unpack import archive_name, unpack
from cut.data.verify import content_digest, extras, find_root, is_laid_out, listing, verify
from cut.records.dataset import DatasetRecord

MARK = ".verified.json"


def verified_record(entry: Entry, out: Path) -> DatasetRecord:
    """Return what `dataset.json` says of the data set, after preparing it where that is needed.

    Raises:
        UserError: see `prepare`.
    """
    mark, wanted = out / MARK, _fingerprint(entry)
    made = {"fingerprint": wanted, "made_from": made_from(entry)}
    made |= {"source_digest": source_digest(entry)}
    if mark.is_file():
        known = _read_mark(mark)
        if known.get("fingerprint") == wanted and known.get("stamps") == _stamps(
            entry, out / known["record"]["root"]
        ):
            if any(known.get(key) != value for key, value in made.items()):
                write_json(mark, {**known, **made})
            return DatasetRecord(**known["record"])
    folder = source_folder(entry)
    if folder is not None:
        root = find_root(folder)
        images = verify(root, entry)
    else:
        root = out
        images = _place(entry, out)
    record = _record(entry, root, out, images)
    stamps = _stamps(entry, out / record.root)
    write_json(mark, {**made, "stamps": stamps, "record": record.model_dump(mode="json")})
    return record


def made_from(entry: Entry) -> dict[str, Any]:
    """Return what a config may choose about the images of a set, by name.

    The source is among it for a user's own set alone: the registry's sets are the same set wherever
    they come from.
    """
    chosen: dict[str, Any] = {"direction": entry.direction, "domains": list(entry.domains)}
    if entry.conversion is not None:  # whether its archives are at hand or not
        chosen |= entry.conversion.model_dump(exclude=set(cityscapes.ARCHIVES))
    else:
        chosen |= _options(entry)
    if entry.name in registry() or entry.source is None:
        return chosen
    source = entry.source if entry.is_url else os.path.abspath(Path(entry.source).expanduser())
    return {**chosen, "source": source, "folders": dict(entry.folders)}


def stands(entry: Entry, out: Path) -> bool:
    """Return whether `out` holds the set as `entry` wants it, by what it was made from."""
    there = _read_mark(out / MARK).get("made_from")
    return (out / "dataset.json").is_file() and there == made_from(entry)


def refuse_other(entry: Entry, out: Path) -> None:
    """Raise if `out` holds the set as another config wanted it: each would undo the other's runs.

    Raises:
        UserError: how the two differ, and what to do.
    """
    there, here = _read_mark(out / MARK).get("made_from"), made_from(entry)
    if not isinstance(there, dict):
        return
    keys = [key for key in {**here, **there} if here.get(key) != there.get(key)]
    # A folder that is gone was moved, as the whole project may have been.
    moved = "://" not in str(there.get("source", "://")) and not Path(there["source"]).exists()
    keys = [key for key in keys if not (key == "source" and moved)]
    if keys:
        old, new = (", ".join(f"{k} {of.get(k)}" for k in keys) for of in (there, here))
        raise UserError(
            f"{out} holds {entry.name} with {old}, and this config wants {new}: give this config"
            f" a folder of its own, as data: FOLDER, or delete {out} to have it made anew"
        )


def _record(entry: Entry, root: Path, out: Path, images: dict[str, str]) -> DatasetRecord:
    """Return the content of `dataset.json`: the same on every machine unless used in place."""
    absolute, base = root.resolve(), out.resolve()
    inside = absolute.is_relative_to(base)
    folders = [name.split("/")[0] for name in images]
    source, target = entry.task
    return DatasetRecord(
        dataset=entry.name,
        root=str(absolute.relative_to(base) if inside else absolute),
        source=source,
        target=target,
        direction=entry.direction,
        digest=content_digest(images, entry.direction),
        counts=dict(Counter(folders)),
        licence=entry.licence,
        citation=entry.citation,
        options=_options(entry),
        images=images,
    )


def _place(entry: Entry, out: Path) -> dict[str, str]:
    """Unpack or make images beside `out`, verify, then move the folders in; return the digests."""
    _refuse_foreign(out)
    work = out.parent / f".{out.name}.tmp"  # one name: what a killed run left is cleared here
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    try:
        archives = cityscapes.sources(entry)
        if entry.generator is not None:
            importlib.import_module(entry.generator).generate(work, **_options(entry))
        elif archives is not None:
            cityscapes.convert(entry, archives, work)
        else:
            _unpack(entry, work, out)
        try:
            images = verify(work, entry)
        except UserError as error:
            # The user gave an archive: speak of what is in it, not of a folder soon gone.
            raise UserError(
                str(error).replace(f"{work}{os.sep}", f"{entry.source or entry.name}: ")
            ) from None
        out.mkdir(parents=True, exist_ok=True)
        write_json(out / MARK, {})  # ours from here on, even if a kill comes between two moves
        for old in (*FOLDERS, *extras(entry)):
            shutil.rmtree(out / old, ignore_errors=True)
        for new in sorted(path for path in work.iterdir() if path.is_dir()):
            os.replace(new, out / new.name)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return images


def _options(entry: Entry) -> dict[str, Any]:
    """Return what decides the images of a generated or converted set, without paths."""
    if entry.options is not None:
        return entry.options.model_dump()
    if entry.conversion is not None and cityscapes.sources(entry) is not None:
        return entry.conversion.model_dump(exclude=set(cityscapes.ARCHIVES))
    return {}


def _refuse_foreign(out: Path) -> None:
    """Raise if `out` has image folders that no earlier run wrote: they would be replaced."""
    for folder in FOLDERS:
        if (out / folder).exists() and not (out / MARK).is_file():
            raise UserError(
                f"{out / folder} is there and was not written by this command; give another --out, "
                f"or --source {out} to use the images where they are"
            )


def _unpack(entry: Entry, work: Path, out: Path) -> None:
    """Bring the images of the entry's source into `work`, downloading it first if it is a URL."""
    advice = f"give a local archive or folder, as data_sources: {{{entry.name}: PATH}} or --source"
    if not entry.is_url:
        unpack(Path(entry.source).expanduser(), work, entry)
        return
    folder = out.parent / f".{out.name}.download"
    archive = download(entry.source, folder / archive_name(entry), entry.sha256, advice=advice)
    try:
        unpack(archive, work, entry)
    except UserError as error:
        archive.unlink()  # or the next run would stumble over it again
        raise UserError(f"{error}; or {advice}") from None
    shutil.rmtree(folder)


def source_folder(entry: Entry) -> Path | None:
    """Return the folder to use in place, or None where images have to be brought or made.

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
        raise UserError(f"{path} is no whole zip or tar archive; fetch it again, or {how}")
    return None


def _fingerprint(entry: Entry) -> str:
    """Return a digest of what decides the images: entry, archive, the code that makes them."""
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
    """Return a digest of name, size and time of each file of a local source, "" without one.

    No file is opened: this is how a workflow notices that images were changed.
    """
    try:
        folder = source_folder(entry)
        if folder is not None:
            parts = [f"{name} {stamp}" for name, stamp in _stamped(find_root(folder), entry)]
        else:
            parts = [line for path in _local_sources(entry) for line in _trace(path, entry)]
    except (UserError, OSError):
        return ""  # the command that prepares the set says what is wrong with it
    return hashlib.sha256("\n".join(parts).encode()).hexdigest() if parts else ""


def known_source_digest(entry: Entry, out: Path) -> str:
    """Return `source_digest`; of a source that is gone, the one that `out` was made from."""
    return source_digest(entry) or str(_read_mark(out / MARK).get("source_digest", ""))


def _local_sources(entry: Entry) -> list[Path]:
    """Return the archives or folders on this machine that the set is brought from."""
    found = list((cityscapes.sources(entry) or {}).values())
    if not found and not entry.is_url and entry.source:
        found = [Path(entry.source).expanduser()]
    return found


def _trace(path: Path, entry: Entry) -> list[str]:
    """Return size and time of an archive, or of each image of a folder that isn't used in place."""
    files = [path] if path.is_file() else []
    if path.is_dir() and (entry.folders or entry.conversion) and not is_laid_out(path):
        files = sorted(file for file in path.rglob("*") if is_image(file))
    return [f"{file} {file.stat().st_size} {file.stat().st_mtime_ns}" for file in files]


def _stamps(entry: Entry, root: Path) -> dict[str, list[int]] | None:
    """Return [bytes, time in ns] of every image, or None if the folders aren't in order."""
    try:
        return dict(_stamped(root, entry))
    except (UserError, OSError):
        return None


def _stamped(root: Path, entry: Entry) -> Iterator[tuple[str, list[int]]]:
    """Yield ("FOLDER/NAME", [bytes, time in ns]) of every image."""
    for folder, paths in listing(root, entry).items():
        for path in paths:
            stat = path.stat()
            yield f"{folder}/{path.name}", [stat.st_size, stat.st_mtime_ns]


def _read_mark(mark: Path) -> dict[str, Any]:
    """Return the content of a mark file, or nothing if it is damaged."""
    try:
        known = read_json(mark)
        return known if isinstance(known["record"]["root"], str) else {}
    except (UserError, KeyError, TypeError):
        return {}


def prepare(entry: Entry, out: Path) -> Dataset:
    """Fetch, unpack or generate the data set, verify it, and write `out/dataset.json`.

    A set that was verified here before and whose files have not changed since is not read again.

    Raises:
        UserError: the first thing that is wrong, with the name of the file.
    """
    out = Path(out)
    record = verified_record(entry, out)
    path = out / "dataset.json"
    # An equal record keeps its time stamp: nothing that depends on it has to run again.
    if not path.is_file() or read_json(path) != record.model_dump(mode="json"):
        record.write(path)
    return Dataset.load(path)
