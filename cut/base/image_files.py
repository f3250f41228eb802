"""Which files of a folder are images. No image is decoded here."""

from __future__ import annotations

import functools
import os
import re
import stat
from collections.abc import Sequence
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
    ".ai .arw .avif .avifs .bpg .cdr .cr2 .cr3 .dcm .dng .emf .eps .exr .hdr .heic .heif .hif "
    ".j2k .jls .jp2 .jpx .jxl .jxr .kra .mrw .nef .nrrd .orf .pef .psb .raf .raw .rw2 .sr2 "
    ".svg .svgz .wdp .webp .wmf .xcf".split()
)
# The first bytes of the usual image formats: a file of another name that has them is an image too.
SIGNATURES = re.compile(
    rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|GIF8[79]a|BM.{4}\0{4}|II\*\0|MM\0\*|RIFF.{4}WEBP|8BPS"
    rb"|.{4}ftypavi[fs]|\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    re.DOTALL,
)
# Those of formats that Pillow does not read: HEIF, JPEG XL, OpenEXR, Radiance.
OTHER_SIGNATURES = re.compile(
    rb".{4}ftyp(hei[cfmsx]|hev[cx]|mif1|msf1)|\0\0\0\x0cJXL |\xff\x0a|v/1\x01|#\?RADIANCE",
    re.DOTALL,
)
# Extensions of formats that hold animations and pages.
OF_FRAMES = frozenset({".apng", ".avif", ".gif", ".tif", ".tiff", ".webp"})
ARRAY = ".npy"
HOW = "convert it to PNG, or remove it"


@functools.cache
def readable_extensions() -> frozenset[str]:
    """Return the extensions, as ".png", of the image formats that this Pillow reads."""
    Image.init()  # imports all plug-ins, about 50 ms
    built = {name: library for name, library in BUILT_WITH.items() if name in Image.OPEN}
    lacking = {name for name, library in built.items() if not features.check(library)}
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
    return SIGNATURES.match(_head(path)) is not None or is_other_kind(path)


def is_other_kind(path: Path) -> bool:
    """Return whether a regular file begins like an image of a kind that Pillow does not read."""
    return OTHER_SIGNATURES.match(_head(path)) is not None


def _head(path: Path) -> bytes:
    """Return the first bytes of a regular file; none of any other, or without permission."""
    if not path.is_file():
        return b""
    try:
        with open(path, "rb") as file:
            return file.read(32)
    except OSError:
        return b""


def frames(path: Path) -> int:
    """Return the number of frames or pages of an image file; only its header is read."""
    with Image.open(path) as image:
        return getattr(image, "n_frames", 1)


def split_names(folder: Path) -> tuple[list[str], list[str]]:
    """Return names: (the images of `folder`, its other files), each sorted; hidden ones in none.

    NumPy arrays (.npy) are images in a folder that has no others.

    Most names of a large folder need no further look: a regular file, by its entry in the folder,
    with the extension of an image. That makes a million names a matter of seconds.

    Raises:
        UserError: the folder is missing or can't be read, has sub-folders, or has an image that
            can't be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; expected a folder of images")
    known, images, unclear, others = readable_extensions(), [], [], []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name = entry.name
                if name[0] == ".":
                    continue
                plain = os.path.splitext(name)[1].lower() in known and name.isprintable()
                clear = plain and entry.is_file(follow_symlinks=False)
                (images if clear else unclear).append(name)
    except OSError as error:
        raise UserError(f"{folder} can't be read: {error.strerror}") from None
    for name in sorted(unclear):
        (images if _checked(folder / name) else others).append(name)
    # Arrays beside images may be anything; alone they are the images.
    arrays = [] if images else [name for name in others if name.lower().endswith(ARRAY)]
    others = [name for name in others if name not in set(arrays)] if arrays else others
    return sorted(images or arrays), others


def _checked(path: Path) -> bool:
    """Return whether an entry of a folder is an image.

    Raises:
        UserError: it is a folder, an image that can't be read, or an image of another name.
    """
    if path.is_dir():
        raise UserError(
            f"{path} is a folder inside a folder of images; move its images up into {path.parent}"
        )
    if is_image(path):
        check_file(path)
        return True
    if looks_like_image(path):
        raise UserError(
            f"{path} is an image without the extension of one; rename it, as NAME.png, or remove it"
        )
    return False


def split_files(folder: Path) -> tuple[list[Path], list[Path]]:
    """Return the paths of `split_names`, with the same errors."""
    images, others = split_names(folder)
    return [Path(folder, name) for name in images], [Path(folder, name) for name in others]


def image_names(folder: Path) -> list[str]:
    """Return the names of the images of `folder`, sorted. Hidden and other files are ignored.

    Raises:
        UserError: the folder is missing, has no images, has sub-folders, or has an image that can't
            be read.
    """
    images, others = split_names(folder)
    if not images:
        found = f"it holds {others[0]}" if others else "it is empty"
        raise UserError(
            f"{folder} has no images ({found}); expected files such as NAME.png or NAME.jpg"
        )
    return images


def list_images(folder: Path) -> list[Path]:
    """Return the paths of `image_names`, with the same errors."""
    return [Path(folder, name) for name in image_names(folder)]


def files_below(folder: Path) -> list[Path]:
    """Return every regular file below `folder`, sorted, also in linked folders.

    Hidden files and folders are left out.

    Raises:
        UserError: a folder can't be read, or an image is a broken link, pipe or device.
    """

    def refuse(error: OSError) -> None:
        raise UserError(f"{error.filename} can't be read: {error.strerror}") from None

    found: list[Path] = []
    seen: set[str] = set()  # a linked folder may hold itself
    for place, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        real = os.path.realpath(place)
        folders[:] = [] if real in seen else [name for name in folders if name[0] != "."]
        paths = [Path(place, name) for name in names if name[0] != "." and real not in seen]
        for path in filter(is_image, paths):
            check_regular(path)
        found += filter(Path.is_file, paths)
        seen.add(real)
    return sorted(found)


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
