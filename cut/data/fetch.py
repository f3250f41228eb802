"""Bring the images of a source into the folders of a set; try the mirrors if the source fails.

An address is that of an archive, or, if it ends in "/", that of a folder on a server. A server does
not list a folder, so its files are those in the set's list of digests, and each is compared with
its digest.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from urllib.parse import quote

from cut.base.errors import UserError
from cut.base.files import user_path
from cut.base.parallel import in_threads
from cut.data.download import download
from cut.data.registry import Entry
from cut.data.unpack import archive_name, unpack


def bring(entry: Entry, work: Path, out: Path) -> None:
    """Put the source's images into trainA and so on of `work`; download them first from an address.

    What was downloaded is kept beside `out` until it is complete, so that a later call continues.

    Raises:
        UserError: the source and every mirror fail, or the local source is not this set.
    """
    if not entry.is_url:
        unpack(user_path(entry.source), work, entry)
        return
    folder = out.parent / f".{out.name}.download"
    addresses = [entry.source, *entry.mirrors]
    for address, following in zip(addresses, [*addresses[1:], None], strict=True):
        try:
            _bring_from(entry.model_copy(update={"source": address}), work, folder)
            break
        except UserError as error:
            if following is None:
                raise
            print(f"note: {error}; now trying {following}", flush=True)
            shutil.rmtree(work)
            work.mkdir()
    shutil.rmtree(folder)


def _bring_from(entry: Entry, work: Path, folder: Path) -> None:
    """Put the images of one address into `work`, by way of `folder`."""
    advice = f"give a local archive or folder, as data_sources: {{{entry.name}: PATH}} or --source"
    if entry.by_file:
        _bring_files(entry, work, folder / "files", advice)
        return
    archive = download(
        entry.source,
        folder / archive_name(entry),
        entry.sha256,
        advice=advice,
        # An archive of images is about as large as what it unpacks to.
        max_bytes=entry.archive_bytes or entry.max_bytes,
    )
    try:
        unpack(archive, work, entry)
    except UserError as error:
        archive.unlink()  # the next run would fail at it again
        raise UserError(f"{error}; or {advice}") from None


def _bring_files(entry: Entry, work: Path, folder: Path, advice: str) -> None:
    """Download every file of the list of digests, and put it where the set has it."""
    digests = entry.expected_digests() or {}
    inside = {name: _inside(entry, name) for name in digests}  # by name in the set

    def get(name: str) -> None:
        place = inside[name]
        address = entry.source + quote(place)
        most = entry.max_file_bytes
        download(address, folder / place, digests[name], advice=advice, max_bytes=most)

    # Two folders of the set may share the files of one.
    once = {place: name for name, place in inside.items()}
    in_threads(get, once.values(), f"download {entry.name}")
    for name, place in inside.items():
        (work / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(folder / place, work / name)


def _inside(entry: Entry, name: str) -> str:
    """Return the path inside the source of "FOLDER/FILE" of the set."""
    folder, _, file = name.partition("/")
    return f"{entry.folders.get(folder, folder)}/{file}"
