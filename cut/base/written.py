"""Folders that a command fills: it replaces and removes only what an earlier call of it wrote.

`.written` in the folder has one name per line, each before its file is written, so that after a
kill the files of the killed call are known too. Snakemake does not know `.written`; the manifest it
removes before each job.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from cut.base.errors import UserError
from cut.base.files import replacing
from cut.base.image_files import is_image, is_plain

MARK = ".written"


def claim(folder: Path, names: Iterable[str], parts: Iterable[str] = (".",)) -> None:
    """Remove what an earlier call wrote into `folder`, and note what will be written now.

    Args:
        folder: the folder to fill.
        names: paths of the files to write, relative to it; `note` adds further ones.
        parts: the sub-folders that images will be written into; "." is the folder itself.

    Raises:
        UserError: the folder holds a file of one of these names, or in one of these parts an image,
            that no earlier call wrote. Nothing is changed.
    """
    names, earlier = list(names), _noted(folder)
    present = [name for name in names if (folder / name).exists()]
    for part in parts:
        if (folder / part).is_dir():
            images = sorted(path for path in (folder / part).iterdir() if is_image(path))
            present += [path.relative_to(folder).as_posix() for path in images]
    if foreign := [name for name in dict.fromkeys(present) if name not in earlier]:
        more = f" (and {len(foreign) - 1} more)" if len(foreign) > 1 else ""
        raise UserError(
            f"{folder / foreign[0]}{more} was not written by this command, which would replace or"
            " mix it; give another folder, or move it away"
        )
    for name in earlier:
        (folder / name).unlink(missing_ok=True)
    with replacing(folder / MARK) as temporary:
        temporary.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def note(folder: Path, name: str) -> None:
    """Note one more file, before it is written.

    Raises:
        UserError: a file of this name is there already, and no earlier call wrote it.
    """
    if (folder / name).exists():
        raise UserError(f"{folder / name} exists and was not written by this command; move it away")
    with open(folder / MARK, "a", encoding="utf-8") as file:
        file.write(f"{name}\n")


def _noted(folder: Path) -> set[str]:
    """Return the names that earlier calls noted; none that leaves the folder."""
    try:
        lines = (folder / MARK).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return set()
    places = {line: PurePosixPath(line) for line in lines if line and is_plain(line)}
    return {
        line
        for line, place in places.items()
        if not place.is_absolute() and ".." not in place.parts
    }
