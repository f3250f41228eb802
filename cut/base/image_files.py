"""Which files of a folder are images. No image is decoded here."""

from __future__ import annotations

import functools
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, features

from cut.base.errors import UserError

# Formats with an extension that Pillow knows, but that hold no pixels it can give: data, text,
# videos, and drawings that it passes on to other programs.
NO_PIXELS = frozenset({"BUFR", "EPS", "GRIB", "HDF5", "IPTC", "MPEG", "PDF", "WMF"})
# Formats that Pillow reads only where it was built with a library, by that library's name.
BUILT_WITH = {"AVIF": "avif", "JPEG2000": "jpg_2000", "WEBP": "webp"}
# Extensions of images that Pillow reads only with other programs or packages, or not at all.
OTHER_IMAGES = frozenset(
    ".ai .arw .bpg .cdr .cr2 .cr3 .dcm .dng .emf .eps .exr .hdr .heic .heif .hif .jls .jxl .jxr"
    " .kra .mrw .nef .nrrd .orf .pef .psb .raf .raw .rw2 .sr2 .svg .svgz .wdp .wmf .xcf".split()
)
# The first bytes of the usual image formats: a file of another name that has them is an image too.
SIGNATURES = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|BM.{4}\0{4}|II\*\0|MM\0\*|RIFF.{4}WEBP|8BPS"
    rb"|.{4}ftyp(avif|avis|hei[cfmsx]|hev[cx]|mif1|msf1)|\0\0\0\x0c(jP  |JXL )|\xff\x4f\xff\x51"
    rb"|\xff\x0a|v/1\x01|#\?RADIANCE",
    re.DOTALL,
)
HOW = "convert it to PNG, or remove it"


@functools.cache
def readable_extensions() -> frozenset[str]:
    """Return the extensions, as ".png", of the image formats that this Pillow reads."""
    Image.init()  # imports all plug-ins, about 50 ms
    lacking = {name for name, library in BUILT_WITH.items() if not features.check(library)}
    # MPO, a JPEG with further images, is opened by the plug-in for JPEG.
    formats = {*Image.OPEN, "MPO"} - NO_PIXELS - lacking
    return frozenset(e for e, name in Image.registered_extensions().items() if name in formats)


def is_image(path: Path) -> bool:
    """Return whether the name is that of an image: its extension, in any case, and not hidden.

    Images that Pillow can't read are included; `check_file` refuses them.
    """
    suffix = path.suffix.lower()
    known = suffix in readable_extensions() or suffix in OTHER_IMAGES
    return known and not path.name.startswith(".")


def check_file(path: Path) -> None:
    """Refuse what has the name of an image and can't be read as one.

    Raises:
        UserError: a broken link, a pipe or device, a format that Pillow does not read, or a name
            that is not UTF-8 or has control characters.
    """
    check_name(path)
    check_regular(path)
    if path.suffix.lower() not in readable_extensions():
        raise UserError(f"{path} is an image of a kind that Pillow does not read here; {HOW}")


def check_name(path: Path) -> None:
    """Refuse a name that manifests and tables can't hold.

    Raises:
        UserError: the name is not UTF-8, or has control characters.
    """
    if not is_plain(path.name):
        raise UserError(
            f"the file name {str(path)!r} is not UTF-8 or has control characters; rename the file"
        )


def is_plain(name: str) -> bool:
    """Return whether a name is UTF-8 without control characters."""
    return re.search(r"[\0-\x1f\x7f\ud800-\udfff]", name) is None


def check_regular(path: Path) -> None:
    """Refuse what is no regular file: opening a pipe would wait for ever.

    Raises:
        UserError: the file is missing, a broken link, or neither file nor link to a file.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if path.is_symlink():
            raise UserError(f"{path} is a broken link: its target does not exist") from None
        raise UserError(f"there is no file {path}") from None
    except OSError as error:
        raise UserError(f"{path} can't be read: {error.strerror}") from None
    if not stat.S_ISREG(mode):
        kind = "a folder" if stat.S_ISDIR(mode) else "a pipe, socket or device"
        raise UserError(f"{path} is {kind}; expected a regular file")


def looks_like_image(path: Path) -> bool:
    """Return whether a regular file begins like an image, whatever its name."""
    if not path.is_file():
        return False
    try:
        with open(path, "rb") as file:
            return SIGNATURES.match(file.read(32)) is not None
    except OSError:
        return False


def split_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return (the images of `folder`, its other files), each sorted by name; hidden ones in none.

    Raises:
        UserError: the folder is missing, has sub-folders, or has an image that can't be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; expected a folder of images")
    entries = sorted((p for p in folder.iterdir() if p.name[0] != "."), key=lambda p: p.name)
    images, others = [], []
    for entry in entries:
        if entry.is_dir():
            raise UserError(
                f"{entry} is a folder inside a folder of images; move its images up into {folder}"
            )
        if is_image(entry):
            check_file(entry)
            images.append(entry)
        elif looks_like_image(entry):
            raise UserError(
                f"{entry} is an image without the extension of one; rename it, as NAME.png, or"
                " remove it"
            )
        else:
            others.append(entry)
    return images, others


def list_images(folder: Path) -> list[Path]:
    """Return the images of `folder`, sorted by name. Hidden and other files are ignored.

    Raises:
        UserError: the folder is missing, has no images, has sub-folders, or has an image that can't
            be read.
    """
    images, others = split_files(folder)
    if not images:
        found = f"it holds {others[0].name}" if others else "it is empty"
        raise UserError(
            f"{folder} has no images ({found}); expected files such as NAME.png or NAME.jpg"
        )
    return images


def files_below(folder: Path) -> Iterator[Path]:
    """Yield every regular file below `folder`, sorted; hidden files and folders are left out.

    Raises:
        UserError: an image that is a broken link, pipe or device.
    """
    for path in sorted(folder.rglob("*")):
        if any(part.startswith(".") for part in path.relative_to(folder).parts) or path.is_dir():
            continue
        if is_image(path):
            check_regular(path)
        if path.is_file():
            yield path


def counterparts(
    translations: Sequence[Path], others: Sequence[Path], what: str = "true image"
) -> list[tuple[Path, Path]]:
    """Return pairs (translation, other image of its name), sorted by name without extension.

    Each of the two lists is one folder. `what` is what an error calls the other images.

    Raises:
        UserError: an image has no counterpart, or two have the same name.
    """
    ours, theirs = _by_stem(translations), _by_stem(others)
    for name, these, those in (("translation", ours, theirs), (what, theirs, ours)):
        if alone := sorted(these.keys() - those.keys()):
            folder = next(iter(those.values())).parent
            raise UserError(
                f"{these[alone[0]]} has no counterpart {alone[0]}.* in {folder} ({len(alone)} such"
                f" {name}{'s' * (len(alone) > 1)}); expected one image per name"
            )
    return [(ours[stem], theirs[stem]) for stem in sorted(ours)]


def by_stem(folder: Path) -> dict[str, Path]:
    """Return the images of `folder` by name without extension, in the order of the names.

    Raises:
        UserError: there are no images, or two have the same name.
    """
    return _by_stem(list_images(folder))


def _by_stem(paths: Sequence[Path]) -> dict[str, Path]:
    images: dict[str, Path] = {}
    for path in paths:
        if path.stem in images:
            raise UserError(
                f"{path} and {images[path.stem].name} have the same name; images are matched by"
                " name without extension, so keep one of them"
            )
        images[path.stem] = path
    return images
