"""Bring an archive, or a folder of another layout, to trainA, trainB, testA and testB."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.image_files import files_below
from cut.data.archives import extract
from cut.data.registry import FOLDERS, Entry
from cut.data.verify import extras

Keep = Callable[[PurePosixPath], PurePosixPath | None]


def archive_name(entry: Entry) -> str:
    """Return the file name of the archive in a URL, without the query."""
    return (entry.source or "").split("?")[0].rstrip("/").rsplit("/", 1)[-1] or entry.name


def unpack(source: Path, work: Path, entry: Entry) -> None:
    """Write the files of an archive's or folder's image folders into trainA and so on of `work`.

    `entry.folders` names these folders in the source; those that it leaves out have their own
    names. A registry's `folders` are not used if the source has none of them. All may be inside one
    more folder. Images that two folders share (training images that are also test images) are
    copied. Other files than images are written too: `verify` names or ignores them as in a folder.
    Both domains of a joint set take the files of `train`, and of `test` or else `val`;
    `cut.data.joint` splits them.

    Raises:
        UserError: the archive has an unexpected sha256, is unsafe or damaged, or lacks one of these
            folders.
    """
    if entry.sha256 is not None and not entry.is_url and sha256_of(source) != entry.sha256:
        raise UserError(f"{source} has not the sha256 of data set {entry.name}; fetch it again")
    layouts = _layouts(entry)
    wanted, enough = layouts[0], all if entry.joint else any
    for folders in layouts:
        _bring(source, work, entry, _Places(source, folders))
        _share(work, folders)
        if enough((work / name).is_dir() for name in FOLDERS):
            break
        shutil.rmtree(work)
        work.mkdir()
    else:
        folders = wanted
    moved = {name: folders[name] for name in FOLDERS if folders[name] != name}
    lacking = [folders[name] for name in FOLDERS if not (work / name).is_dir()]
    if len(lacking) == len(FOLDERS) or (lacking and moved):
        named = " ".join(dict.fromkeys(lacking))
        raise UserError(f"{source} holds no images in {named}; expected those folders")


def _layouts(entry: Entry) -> list[dict[str, str]]:
    """Return what the folders of the set may be called in the source, the likeliest first."""
    if entry.joint:
        splits = [{"train": "train", "test": test} for test in ("test", "val")]
        return [{name: split[name[:-1]] for name in FOLDERS} | entry.folders for split in splits]
    own = {name: name for name in (*FOLDERS, *extras(entry))}
    wanted = {**own, **entry.folders}
    return [wanted] if wanted == own or "folders" in entry.given else [wanted, own]


def _bring(source: Path, work: Path, entry: Entry, keep: Keep) -> None:
    """Extract or copy the files that `keep` gives a place."""
    if not source.is_dir():
        extract(source, work, keep, **entry.limits)
        return
    for path in files_below(source):
        where = keep(PurePosixPath(path.relative_to(source).as_posix()))
        if where is not None:
            (work / where).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, work / where)


class _Places:
    """Gives the place of a file of the source, or None to leave it out."""

    def __init__(self, source: Path, folders: dict[str, str]) -> None:
        self.source = source
        self.first: dict[tuple[str, ...], str] = {}
        for folder, inside in folders.items():
            self.first.setdefault(PurePosixPath(inside).parts, folder)
        # A folder inside another one is the more exact place.
        self.order = sorted(self.first, key=len, reverse=True)
        self.around: dict[str, tuple[str, ...]] = {}  # what is around each folder, in the source

    def __call__(self, member: PurePosixPath) -> PurePosixPath | None:
        """Return the place of `member`.

        Raises:
            UserError: the source has the folder twice, inside different folders.
        """
        parts = member.parts
        if any(part.startswith(".") for part in parts) or parts[0] == "__MACOSX":
            return None
        for inside in self.order:
            for depth in (0, 1):
                end = depth + len(inside)
                if parts[depth:end] == inside and len(parts) > end:
                    self._check_around(inside, parts[:depth])
                    # A folder inside is for `verify`.
                    return PurePosixPath(self.first[inside], *parts[end:])
        return None

    def _check_around(self, inside: tuple[str, ...], around: tuple[str, ...]) -> None:
        name = "/".join(inside)
        other = self.around.setdefault(name, around)
        if other != around:
            both = " and ".join("/".join((*place, name)) for place in (other, around))
            raise UserError(f"{self.source} holds both {both}; give one of them, by folders")


def _share(work: Path, folders: dict[str, str]) -> None:
    """Copy the images of folders that have the same source as another one."""
    for folder, inside in folders.items():
        origin = next(name for name, place in folders.items() if place == inside)
        if origin != folder and (work / origin).is_dir():
            shutil.copytree(work / origin, work / folder)
