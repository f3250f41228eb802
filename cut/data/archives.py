"""Extracting files from an untrusted zip or tar archive."""

from __future__ import annotations

import io
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from cut.base.errors import UserError
from cut.base.image_files import is_plain

CHUNK = 1 << 20
BROKEN = (zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError)
UNREADABLE = (NotImplementedError, RuntimeError, ValueError)  # encryption, unknown compression


@dataclass
class _Budget:
    """The number of bytes and files that an archive may still unpack to."""

    archive: Path
    max_bytes: int
    max_files: int
    max_file_bytes: int
    advice: str

    def spend(self, name: str, size: int) -> None:
        """Count one member of `size` bytes; `_write` never writes more for it."""
        if size > self.max_file_bytes:
            raise UserError(
                f"{self.archive} holds {name} of {size} bytes, more than one file is allowed"
                f" ({self.max_file_bytes}); {self.advice.format('max_file_bytes')}"
            )
        self.max_bytes, self.max_files = self.max_bytes - size, self.max_files - 1
        if self.max_bytes < 0 or self.max_files < 0:
            what, key = ("bytes", "max_bytes") if self.max_bytes < 0 else ("files", "max_files")
            raise UserError(
                f"{self.archive} unpacks to more {what} than allowed; {self.advice.format(key)}"
            )


def extract(
    archive: Path,
    out: Path,
    keep: Callable[[PurePosixPath], PurePosixPath | None],
    *,
    max_bytes: int,
    max_files: int,
    max_file_bytes: int,
    advice: str = "if that is right, give the data set a higher {}",
    write: Callable[[IO[bytes], int, Path], None] | None = None,
) -> int:
    """Extract a zip or tar archive (any compression of tarfile) into `out`.

    A single absolute path, `..`, link or device in the archive refuses all of it.

    Args:
        archive: the file.
        out: the folder to write into.
        keep: returns where a file goes below `out`, or None to leave it out.
        max_bytes: most bytes that the archive may unpack to.
        max_files: most files that it may hold.
        max_file_bytes: most bytes that one of them may have.
        advice: what to do about a bound that is met, with {} for its name.
        write: `write(stream, declared size, path)` in place of copying a file.

    Returns:
        The number of files written.

    Raises:
        UserError: the archive is unsafe, too large, damaged, or no archive.
    """
    budget = _Budget(archive, max_bytes, max_files, max_file_bytes, advice)
    member, written = "", set()
    try:
        members = _zip_members if zipfile.is_zipfile(archive) else _tar_members
        for member, size, content in members(archive, budget):
            where = keep(PurePosixPath(member))
            if where in written:
                raise UserError(f"{archive} holds {where} twice; unpack it and give the folder")
            if where is not None:
                written.add(where)
                with content() as stream:
                    (write or _write)(stream, size, out / where)
    except (*BROKEN, *UNREADABLE) as error:
        raise UserError(_reason(error, archive, out, member)) from None
    return len(written)


def _reason(error: Exception, archive: Path, out: Path, member: str) -> str:
    """Return the sentence for an archive that could not be unpacked; `member` was the last file."""
    if not isinstance(error, BROKEN):
        return f"{archive} can't be unpacked ({error}); unpack it and give the folder"
    if isinstance(error, OSError) and error.errno is not None:  # a full disk, no permission
        return f"could not unpack {archive} into {out}: {error.strerror}"
    at = f" at {member}" if member else ""
    reason = str(error).partition("\n")[0].rstrip(":") or type(error).__name__
    return (
        f"{archive} is no complete zip or tar archive: it is damaged or cut short{at} ({reason});"
        " fetch it again"
    )


def _safe(archive: Path, name: str) -> None:
    """Raise for a name that could leave the folder, on any system."""
    parts = re.split(r"[/\\]", name)
    if not name or name[0] in "/\\" or re.match("[A-Za-z]:", name) or ".." in parts:
        raise UserError(f"{archive} holds {name!r}, a path that leaves the folder; don't use it")
    if "\\" in name or not is_plain(name):
        raise UserError(f"{archive} holds {name!r}, no plain name; unpack it and give the folder")


Member = tuple[str, int, Callable[[], IO[bytes]]]


def _zip_members(archive: Path, budget: _Budget) -> Iterator[Member]:
    """Yield (name, declared size, opener) of each file; all are checked before the first."""
    with zipfile.ZipFile(archive) as file:
        infos = file.infolist()
        for info in infos:
            _safe(archive, info.filename)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise UserError(
                    f"{archive} holds {info.filename!r}, a link or device; don't use it"
                )
            budget.spend(info.filename, info.file_size)
        for info in infos:
            if not info.is_dir():
                yield info.filename, info.file_size, lambda info=info: file.open(info)


def _tar_members(archive: Path, budget: _Budget) -> Iterator[Member]:
    """Yield (name, declared size, opener) of each file; each is checked when it is reached."""
    with tarfile.open(archive) as file:
        for info in file:
            _safe(archive, info.name)
            if not (info.isreg() or info.isdir()):
                raise UserError(f"{archive} holds {info.name!r}, a link or device; don't use it")
            tarfile.data_filter(info, "/nowhere")  # Python's own rules too; raises a TarError
            # Files that are left out count too: skipping them in a compressed archive unpacks them.
            budget.spend(info.name, info.size)
            if info.isreg():
                yield info.name, info.size, lambda info=info: file.extractfile(info) or io.BytesIO()


def _write(stream: IO[bytes], size: int, path: Path) -> None:
    """Copy one member to `path`; stop when it has more bytes than it declares."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with open(path, "xb") as file:
        while chunk := stream.read(CHUNK):
            written += len(chunk)
            if written > size:
                raise EOFError(f"more than the {size} bytes it declares")
            file.write(chunk)
    if written != size:
        raise EOFError(f"{written} of {size} bytes")
