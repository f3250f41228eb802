"""Reading, resizing and writing images: the one way that every stage does it.

An image is a Pillow RGB image; a tensor is float32 (3, H, W) in [-1, 1].
"""

from __future__ import annotations

import hashlib
import os
import warnings
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps

from cut.base.errors import UserError
from cut.base.image_size import height_width

IMAGE_EXTENSIONS = frozenset(
    ".bmp .gif .jfif .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm .tif .tiff .webp".split()
)


def is_image(path: Path) -> bool:
    """Return whether the name is an image's: an extension in any case, and not hidden."""
    return path.suffix.lower() in IMAGE_EXTENSIONS and not path.name.startswith(".")


def list_images(folder: Path) -> list[Path]:
    """Return the images of `folder`, sorted by name; hidden files and other files are ignored.

    Raises:
        UserError: the folder is missing, has no images, or has sub-folders.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; expected a folder of images")
    entries = sorted((p for p in folder.iterdir() if p.name[0] != "."), key=lambda p: p.name)
    for entry in entries:
        if entry.is_dir():
            raise UserError(
                f"{entry} is a folder inside a folder of images; move its images up into {folder}"
            )
    images = [entry for entry in entries if is_image(entry)]
    if not images:
        found = f"it holds {entries[0].name}" if entries else "it is empty"
        kinds = " ".join(sorted(IMAGE_EXTENSIONS))
        raise UserError(f"{folder} has no images ({found}); expected files named {kinds}")
    return images


def read_image(path: Path) -> Image.Image:
    """Return the image, decoded to its last byte, upright, as 8-bit RGB.

    Greyscale becomes three equal channels, 16-bit values are scaled to 8 bits, transparent pixels
    show white, and of an animation the first frame is taken.

    Raises:
        UserError: the file is missing, empty, truncated or no image.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f"there is no image {path}")
    if path.stat().st_size == 0:
        raise UserError(f"{path} has zero bytes; fetch it again or remove it")
    return decode_image(path, path)


def read_labels(path: Path) -> Image.Image:
    """Return a map of label ids as 8-bit grey: the stored numbers, of a palette the indices.

    Raises:
        UserError: the file is missing or damaged, or holds colours.
    """
    read_image(path)  # a sentence for what is no whole image
    with Image.open(path) as image:
        if image.mode not in ("L", "P"):
            raise UserError(
                f"{path} is an image of mode {image.mode}, and label maps have one number a pixel;"
                " give maps of label ids, not of colours"
            )
        return Image.fromarray(np.asarray(image))


def decode_image(file: Path | IO[bytes], path: Path | str) -> Image.Image:
    """Return the image in `file` as `read_image` does; `path` is its name in an error."""
    try:
        with warnings.catch_warnings():
            # Pillow warns about odd metadata; the pixels decide whether an image is good.
            warnings.simplefilter("ignore", UserWarning)
            with Image.open(file) as image:
                image.load()
                return _to_rgb(ImageOps.exif_transpose(image))
    # On damaged bytes Pillow's decoders raise almost anything, SyntaxError and struct.error too.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        reason = reason.replace(f" '{path}'", "").replace(f" {str(path)!r}", "")
        raise UserError(
            f"{path} is not a whole image ({reason}); fetch it again or remove it"
        ) from None


def _to_rgb(image: Image.Image) -> Image.Image:
    """Return an 8-bit RGB image without transparency."""
    if image.mode == "F":
        raise ValueError("floating-point pixels have no known range")
    if image.mode.startswith("I"):  # 16 bits; Pillow's own conversion would clip at 255
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("pixels of more than 16 bits have no known range")
        image = Image.fromarray(((values + 128) // 257).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def resize(image: Image.Image, size: int | tuple[int, int]) -> Image.Image:
    """Return `image` at `size` (one number, or height and width), bicubic, aspect ignored.

    Pillow's bicubic, which widens its support when it shrinks an image: the published code's
    choice for training and test images.
    """
    h, w = height_width(size)
    return image if image.size == (w, h) else image.resize((w, h), Image.Resampling.BICUBIC)


def write_png(path: Path, image: Image.Image) -> None:
    """Write a PNG; at any moment `path` is the old file or the whole new one."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # Hidden, so that a file left behind by a kill is never taken for an image.
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        # A low level: a tenth larger than the default, and several times faster.
        image.save(temporary, format="PNG", compress_level=3)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def pixel_digest(image: Image.Image) -> str:
    """Return the sha256 of size, mode and pixels: equal however the file was compressed."""
    head = f"{image.width}x{image.height} {image.mode}\n".encode()
    return hashlib.sha256(head + image.tobytes()).hexdigest()


def counterparts(fake: Path, folder: Path, what: str = "true image") -> list[tuple[Path, Path]]:
    """Return each image of `fake` with the one of its name in `folder`, sorted by name.

    The name is without extension; `what` is what an error calls the images of `folder`.

    Raises:
        UserError: an image has no counterpart, or two have one name.
    """
    mine, others = by_stem(fake), by_stem(folder)
    for name, own, theirs, where in (
        ("translation", mine, others, folder),
        (what, others, mine, fake),
    ):
        alone = sorted(own.keys() - theirs.keys())
        if alone:
            raise UserError(
                f"{own[alone[0]]} has no counterpart {alone[0]}.* in {where} "
                f"({len(alone)} such {name}{'s' * (len(alone) > 1)}); expected one a name"
            )
    return [(mine[stem], others[stem]) for stem in sorted(mine)]


def by_stem(folder: Path) -> dict[str, Path]:
    """Return the images of `folder` by name without extension, in the order of the names.

    Raises:
        UserError: there are none, or two of one name.
    """
    found: dict[str, Path] = {}
    for path in list_images(folder):
        if path.stem in found:
            raise UserError(
                f"{path} and {found[path.stem].name} have one name; images are matched by name "
                "without extension, so keep one of them"
            )
        found[path.stem] = path
    return found
