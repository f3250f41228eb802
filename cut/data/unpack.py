"""Bring an archive, or a folder of another layout, to trainA, trainB, testA and testB."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.image_files import is_image
from cut.data.archives import extract
from cut.data.registry import FOLDERS, Entry
from cut.data.verify import extras

Keep = Callable[[PurePosixPath], PurePosixPath | None]


def archive_name(entry: Entry) -> str:
    """Return the file name of the archive in a URL, without the query."""
    return (entry.source or "").split("?")[0].rstrip("/").rsplit("/", 1)[-1] or entry.name


def unpack(source: Path, work: Path, entry: Entry) -> None:
    """Write the images of an archive or a folder into trainA and so on below `work`.

    `entry.folders` names their folders in the source. Without it, or if the source has none of
    those, they are in trainA, trainB and so on. All may be inside one more folder. Images that two
    folders share (training images that are also test images) are copied.

    Raises:
        UserError: the archive has an unexpected sha256, is unsafe or damaged, or has no image in
            any of those folders.
    """
    if entry.sha256 is not None and not entry.is_url and sha256_of(source) != entry.sha256:
        raise UserError(f"{source} has not the sha256 of data set {entry.name}; fetch it again")
    own = {name: name for name in (*FOLDERS, *extras(entry))}
    for folders in [entry.folders, own] if entry.folders else [own]:
        if _bring(source, work, entry, _keep(folders)):
            _share(work, folders)
            return
    wanted = " ".join(dict.fromkeys(entry.folders.values() if entry.folders else FOLDERS))
    raise UserError(f"{source} holds no images in {wanted}; expected those folders")


def _bring(source: Path, work: Path, entry: Entry, keep: Keep) -> int:
    """Extract or copy the images that `keep` gives a place; return their number."""
    if not source.is_dir():
        return extract(source, work, keep, max_bytes=entry.max_bytes, max_files=entry.max_files)
    count = 0
    for path in sorted(path for path in source.rglob("*") if path.is_file()):
        where = keep(PurePosixPath(path.relative_to(source).as_posix()))
        if where is not None:
            (work / where).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, work / where)
            count += 1
    return count


def _keep(folders: dict[str, str]) -> Keep:
    """Return a function that gives the place of a file of the source, or None to leave it out."""
    first: dict[tuple[str, ...], str] = {}
    for folder, inside in folders.items():
        first.setdefault(PurePosixPath(inside).parts, folder)

    def keep(member: PurePosixPath) -> PurePosixPath | None:
        parts = member.parts
        if not is_image(Path(member.name)) or parts[0] == "__MACOSX":
            return None
        for inside, folder in first.items():
            for depth in (0, 1):
                end = depth + len(inside)
                if parts[depth:end] == inside and len(parts) > end:
                    return PurePosixPath(folder, *parts[end:])  # a folder inside: for `verify`
        return None

    return keep


def _share(work: Path, folders: dict[str, str]) -> None:
    """Copy the images of folders that have the same source as another one."""
    for folder, inside in folders.items():
        origin = next(name for name, place in folders.items() if place == inside)
        if origin != folder and (work / origin).is_dir():
            shutil.copytree(work / origin, work / folder)
