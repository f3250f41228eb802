"""Reading, resizing and writing images. Every stage uses these functions.

An image is an 8-bit RGB Pillow image.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cut.base.errors import UserError
from cut.base.files import replacing
from cut.base.image_files import HOW, check_regular, is_other_kind
from cut.base.image_size import height_width


class Unsuitable(Exception):
    """A whole image whose pixels have no meaning here: what it is, and what to do."""


def read_image(path: Path) -> Image.Image:
    """Return the image as 8-bit RGB, decoded to its last byte and rotated upright.

    Greyscale becomes three equal channels, 16-bit values are scaled to 8 bits, transparent pixels
    become white, and an animation gives its first frame.

    Raises:
        UserError: the file is missing, empty, truncated, no image, too large, or has pixels without
            a known range.
    """
    path = Path(path)
    check_regular(path)
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
            # Pillow warns about odd metadata and large images; only the pixels matter here.
            warnings.simplefilter("ignore", UserWarning)
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(file) as image:
                image.load()
                return _to_rgb(ImageOps.exif_transpose(image))
    except MemoryError:  # says nothing about the file
        raise
    # For damaged bytes Pillow's decoders raise almost anything, even SyntaxError.
    except Exception as error:
        raise UserError(f"{path} {_reason(error, path)}") from None


def _reason(error: Exception, path: Path | str) -> str:
    """Return what is wrong with an image, and what to do."""
    if isinstance(error, Unsuitable):
        return str(error)
    if isinstance(error, Image.DecompressionBombError):
        most = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        return (
            f"has more than {most:,} pixels, which Pillow does not decode; make it smaller or cut"
            " it into tiles (a run resizes its images anyway)"
        )
    if isinstance(error, UnidentifiedImageError):
        if isinstance(path, Path) and is_other_kind(path):
            return f"is an image of a kind that Pillow does not read here; {HOW}"
        return "is not a whole image (Pillow finds no image in it); fetch it again or remove it"
    if isinstance(error, OSError) and error.errno is not None:  # no permission, a failing disk
        return f"can't be read: {error.strerror}"
    reason = " ".join(str(error).split()) or type(error).__name__
    reason = reason.replace(f" '{path}'", "").replace(f" {str(path)!r}", "")
    return f"is not a whole image ({reason}); fetch it again or remove it"


def _to_rgb(image: Image.Image) -> Image.Image:
    """Return an 8-bit RGB image without transparency.

    Raises:
        Unsuitable: the pixels have no known range, or no known colours.
    """
    if image.mode == "F":
        raise Unsuitable(
            "has floating-point pixels, which have no known range; scale them to 0 to 255 and save"
            " it as an 8-bit PNG"
        )
    if image.mode.startswith("I"):  # 16 bits; Pillow's own conversion would clip at 255
        values = np.asarray(image).astype(np.int64)
        if values.min() < 0 or values.max() > 65535:
            raise Unsuitable(
                f"has pixels from {values.min()} to {values.max()}, more than 16 bits hold; scale"
                " them to 0 to 255 and save it as an 8-bit PNG"
            )
        image = Image.fromarray(((values + 128) // 257).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    if image.mode in ("LAB", "HSV"):
        raise Unsuitable(f"has colours in {image.mode}; save it as an RGB PNG")
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
