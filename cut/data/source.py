"""Where the images of a data set come from, and which settings count for that kind of source."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path

from cut.base.errors import UserError
from cut.base.files import user_path
from cut.base.image_files import check_regular
from cut.data import cityscapes
from cut.data.registry import Conversion, Entry
from cut.data.verify import is_laid_out

# Keys that bound or identify an archive.
OF_ARCHIVES = ("sha256", "max_bytes", "max_file_bytes", "max_files")


def source_folder(entry: Entry) -> Path | None:
    """Return the folder to use in place, or None if images have to be unpacked or made.

    Raises:
        UserError: there is no source, it is neither a folder nor an archive, or a setting does not
            count for this kind of source.
    """
    _check_address(entry)
    converted = cityscapes.sources(entry) is not None
    _check_given(entry, converted)
    if entry.generator is not None or entry.is_url or converted:
        return None
    how = f"give one as data_sources: {{{entry.name}: PATH_OR_URL}} or --source"
    if not entry.source:
        raise UserError(f"data set {entry.name} has no public source; {how}")
    if "://" in entry.source:
        raise UserError(f"{entry.source} can't be downloaded: only http and https; {how}")
    path = user_path(entry.source)
    if path.is_dir():
        return path if in_place(entry, path) else None
    if not path.exists() and not path.is_symlink():
        raise UserError(f"there is no file or folder {path} for data set {entry.name}; {how}")
    check_regular(path)
    if not (zipfile.is_zipfile(path) or tarfile.is_tarfile(path)):
        raise UserError(f"{path} is no complete zip or tar archive; fetch it again, or {how}")
    return None


def in_place(entry: Entry, folder: Path) -> bool:
    """Return whether the images of `folder` are used where they are.

    They are copied if their folders have other names, or if they have to be scaled or split.
    """
    if entry.conversion is not None and not is_laid_out(folder, any):
        return False
    if entry.scaled or entry.joint or ("folders" in entry.given and _moves(entry)):
        return False
    return not _moves(entry) or is_laid_out(folder)


def _moves(entry: Entry) -> bool:
    """Return whether a folder of the set has another name in the source."""
    return any(Path(inside) != Path(name) for name, inside in entry.folders.items())


def local_sources(entry: Entry) -> list[Path]:
    """Return the local archives or folders that the set is made from."""
    paths = list((cityscapes.sources(entry) or {}).values())
    if not paths and not entry.is_url and entry.source:
        paths = [user_path(entry.source)]
    return paths


def _check_address(entry: Entry) -> None:
    """Refuse an address over which anybody on the way could send other images."""
    known = entry.sha256 is not None or entry.digests is not None
    if entry.is_url and not entry.source.lower().startswith("https:") and not known:
        raise UserError(
            f"{entry.source} of data set {entry.name} is http, which anybody on the way can change;"
            " give an https address, or the sha256 of the archive, as data_sources:"
            f" {{{entry.name}: {{source: {entry.source}, sha256: …}}}}"
        )
    if entry.by_file and entry.digests is None:
        raise UserError(
            f"{entry.source} of data set {entry.name} is a folder, which a server does not list;"
            " give a list of its files as digests, or the address of an archive"
        )


def _check_given(entry: Entry, converted: bool) -> None:
    """Refuse settings of a config that have no effect for the kind of source."""
    given, name = set(entry.given), entry.name
    if entry.conversion is not None:
        both = {"gtFine", "leftImg8bit"} <= given
        if both and "source" in given:
            raise UserError(
                f"data set {name} has source beside gtFine and leftImg8bit; give either"
            )
        wrong = sorted(given & set(Conversion.model_fields)) if not converted else []
        if wrong and entry.source:
            raise UserError(
                f"data set {name} has {wrong[0]}, an option of the conversion, but {entry.source}"
                f" is converted already; leave {wrong[0]} out, or give the official archives"
            )
    folder = None if entry.is_url or not entry.source else user_path(entry.source)
    wrong = [key for key in OF_ARCHIVES if key in given]
    if wrong and not converted and folder is not None and folder.is_dir():
        raise UserError(
            f"data set {name} has {wrong[0]}, which is of an archive, but {folder} is a folder;"
            f" leave {wrong[0]} out"
        )
