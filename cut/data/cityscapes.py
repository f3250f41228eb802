"""Cityscapes for label-to-photo, made from the two archives that only its owners distribute.

This follows the authors' datasets/prepare_cityscapes_dataset.py: the official training split, and
the validation split as test set (the official test split has blank labels); photographs in A,
coloured label maps in B; 256x256, saved as JPEG of quality 100 without chroma subsampling.

That script leaves the resampling filter open: it uses Pillow's default, which was nearest before
Pillow 7.0 (its environment has 6.1.0) and is bicubic since. Here it is an option, bicubic by
default. Images keep their Cityscapes names (CITY_SEQUENCE_FRAME), so that a translation can be
compared with its label map. Resized colours in a JPEG are no labels any more, so the label ids of
the validation split are also copied unchanged into labelsB. Translations are scored by them.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

from PIL import Image
from tqdm import tqdm

from cut.base.errors import UserError
from cut.base.files import user_path
from cut.base.image_files import check_regular, files_below
from cut.base.image_size import height_width
from cut.base.images import decode_image
from cut.data.archives import extract
from cut.data.registry import Conversion, Entry
from cut.data.verify import is_laid_out

HOME = "https://www.cityscapes-dataset.com"
ARCHIVES = {"leftImg8bit": "leftImg8bit_trainvaltest.zip", "gtFine": "gtFine_trainvaltest.zip"}
SUFFIXES = {"leftImg8bit": "_leftImg8bit.png", "gtFine": "_gtFine_color.png"}
LABEL_IDS = "_gtFine_labelIds.png"
LETTERS = {"leftImg8bit": "A", "gtFine": "B"}  # CycleGAN's layout
SPLITS = {"train": "train", "val": "test"}
Keep = Callable[[PurePosixPath], PurePosixPath | None]
Write = Callable[[IO[bytes], int, Path], None]


def sources(entry: Entry) -> dict[str, Path] | None:
    """Return the archive or folder of "leftImg8bit" and of "gtFine".

    None if there is nothing to convert: for another data set, or for a source that has trainA,
    trainB, testA and testB already.

    Raises:
        UserError: one of the two is not given, or not there.
    """
    if entry.conversion is None:
        return None
    given = {kind: getattr(entry.conversion, kind) for kind in ARCHIVES}
    folder = user_path(entry.source) if entry.source and not entry.is_url else None
    ready = folder is None or not folder.is_dir() or is_laid_out(folder, any)
    if entry.source and ready and not any(given.values()):
        return None
    found = {}
    for kind, path in given.items():
        found[kind] = user_path(path) if path else _inside(folder, kind)
        if found[kind] is None:
            raise UserError(
                f"data set {entry.name} lacks {kind}: register at {HOME}, download "
                f"{ARCHIVES[kind]}, and give it as data_sources: {{{entry.name}: {{{kind}: "
                "PATH.zip}} beside the other, or a folder that holds both as --source"
            )
        if not found[kind].exists():
            raise UserError(f"there is no file or folder {found[kind]} for {kind} of {entry.name}")
        if not found[kind].is_dir():
            check_regular(found[kind])
    return found


def _inside(folder: Path | None, kind: str) -> Path | None:
    """Return the archive of one kind in a folder, or the unpacked archive."""
    names = [ARCHIVES[kind], f"{kind}.zip", kind, ARCHIVES[kind].removesuffix(".zip")]
    paths = [folder / name for name in names] if folder is not None else []
    return next((path for path in paths if path.exists()), None)


def convert(entry: Entry, found: dict[str, Path], out: Path) -> None:
    """Write trainA, trainB, testA and testB into `out`, and labelsB if there are label ids.

    Raises:
        UserError: an archive is damaged or the wrong one, or an image has no partner.
    """
    _check_pairs({kind: _images(entry, path, kind) for kind, path in found.items()}, found)
    for kind, path in found.items():
        with tqdm(desc=f"convert {path.name}", unit="image", disable=None, leave=False) as bar:
            _each(entry, path, out, _keep(kind), _writer(entry.conversion, path, bar))
    _each(entry, found["gtFine"], out, _keep_ids, _copy)


def _keep_ids(member: PurePosixPath) -> PurePosixPath | None:
    """Return the place of the label ids of a validation image, or None for another file."""
    if member.parts[-3:-2] != ("val",) or not member.name.endswith(LABEL_IDS):
        return None
    return PurePosixPath(f"labels{LETTERS['gtFine']}", f"{member.name.removesuffix(LABEL_IDS)}.png")


def _copy(stream: IO[bytes], size: int, to: Path) -> None:
    """Save a file unchanged."""
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(stream.read(size))


def _writer(settings: Conversion, path: Path, bar: tqdm) -> Write:
    """Return the function that resizes and saves one image of `path`."""
    h, w = height_width(settings.size)
    resample = Image.Resampling[settings.filter.upper()]

    def write(stream: IO[bytes], size: int, to: Path) -> None:
        name = f"{to.stem} in {path}"
        image = decode_image(io.BytesIO(stream.read(size)), name).resize((w, h), resample)
        to.parent.mkdir(parents=True, exist_ok=True)
        image.save(to, format="JPEG", quality=settings.quality, subsampling=0)
        bar.update()

    return write


def _images(entry: Entry, path: Path, kind: str) -> set[str]:
    """Return "train/NAME" or "test/NAME" of each image of one kind. No image is opened.

    Raises:
        UserError: there is none, so this is the other archive, or the one of coarse labels.
    """
    keep, names = _keep(kind), set()

    def note(member: PurePosixPath) -> None:
        if where := keep(member):
            names.add(f"{where.parent.name[:-1]}/{where.stem}")

    _each(entry, path, path, note, None)
    for split in SPLITS.values():
        if not any(name.startswith(split) for name in names):
            official = next(theirs for theirs, ours in SPLITS.items() if ours == split)
            raise UserError(
                f"{path} has no {official}/CITY/*{SUFFIXES[kind]}; expected the files of "
                f"{ARCHIVES[kind]} from {HOME}"
            )
    return names


def _check_pairs(names: dict[str, set[str]], found: dict[str, Path]) -> None:
    """Refuse label maps without a photograph, and photographs without a label map."""
    labels, photos = names["gtFine"], names["leftImg8bit"]
    for have, lack, what, path in (
        (labels, photos, "label map {} has no photograph", found["leftImg8bit"]),
        (photos, labels, "photograph {} has no label map", found["gtFine"]),
    ):
        if missing := sorted(have - lack):
            more = f" (and {len(missing) - 1} more)" if len(missing) > 1 else ""
            name = missing[0].partition("/")[2]
            raise UserError(f"{what.format(name)} in {path}{more}; fetch that archive again")


def _keep(kind: str) -> Keep:
    """Return a function that gives the place of an image SPLIT/CITY/NAME of train or val."""

    def keep(member: PurePosixPath) -> PurePosixPath | None:
        split = member.parts[-3] if len(member.parts) >= 3 else ""
        if split not in SPLITS or not member.name.endswith(SUFFIXES[kind]):
            return None
        name = member.name.removesuffix(SUFFIXES[kind])
        return PurePosixPath(f"{SPLITS[split]}{LETTERS[kind]}", f"{name}.jpg")

    return keep


def _each(entry: Entry, path: Path, out: Path, keep: Keep, write: Write | None) -> None:
    """Call `write` for each file of an archive or a folder that `keep` gives a place."""
    if not path.is_dir():
        extract(path, out, keep, **entry.limits, write=write)
        return
    for file in files_below(path):
        where = keep(PurePosixPath(file.relative_to(path.parent).as_posix()))
        if where is not None and write is not None:
            with open(file, "rb") as stream:
                write(stream, file.stat().st_size, out / where)
