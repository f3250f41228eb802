"""Reading, resizing and writing images. Every stage uses these functions.

An image is an 8-bit RGB Pillow image.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps

from cut.base.errors import UserError
from cut.base.files import replacing
from cut.base.image_size import height_width

IMAGE_EXTENSIONS = frozenset(
    ".bmp .gif .jfif .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm .tif .tiff .webp".split()
)


def is_image(path: Path) -> bool:
    """Return whether the name is that of an image: its extension, in any case, and not hidden."""
    return path.suffix.lower() in IMAGE_EXTENSIONS and not path.name.startswith(".")


def list_images(folder: Path) -> list[Path]:
    """Return the images of `folder`, sorted by name. Hidden and other files are ignored.

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
    """Return the image as 8-bit RGB, decoded to its last byte and rotated upright.

    Greyscale becomes three equal channels, 16-bit values are scaled to 8 bits, transparent pixels
    become white, and an animation gives its first frame.

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
    """Return a map of label ids as 8-bit grey: the stored numbers, or the palette's indices.

    Raises:
        UserError: the file is missing or damaged, or holds colours.
    """
    read_image(path)  # raises a UserError for a damaged file
    with Image.open(path) as image:
        if image.mode not in ("L", "P"):
            raise UserError(
                f"{path} is an image of mode {image.mode}, but a label map has one number per"
                " pixel; give maps of label ids, not of colours"
            )
        return Image.fromarray(np.asarray(image))


def decode_image(file: Path | IO[bytes], path: Path | str) -> Image.Image:
    """Return the image in `file` as `read_image` does; `path` is its name in an error."""
    try:
        with warnings.catch_warnings():
            # Pillow warns about odd metadata; only the pixels matter here.
            warnings.simplefilter("ignore", UserWarning)
            with Image.open(file) as image:
                image.load()
                return _to_rgb(ImageOps.exif_transpose(image))
    # For damaged bytes Pillow's decoders raise almost anything, even SyntaxError.
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

    Pillow's bicubic widens its support when it shrinks an image. The published code uses it for
    training and test images.
    """
    h, w = height_width(size)
    return image if image.size == (w, h) else image.resize((w, h), Image.Resampling.BICUBIC)


def write_png(path: Path, image: Image.Image) -> None:
    """Write a PNG; at any moment `path` is the old file or the whole new one."""
    with replacing(Path(path), sync=False) as temporary:
        # Level 3 is several times faster than the default; files are a tenth larger.
        image.save(temporary, format="PNG", compress_level=3)


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
