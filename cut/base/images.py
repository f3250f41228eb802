"""Reading, resizing and writing images. Every stage uses these functions.

An image is an 8-bit RGB Pillow image, or a `Raster` where a data set has another form.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from cut.base.errors import UserError
from cut.base.files import replacing
from cut.base.image_files import ARRAY, HOW, check_regular, is_other_kind
from cut.base.image_form import RGB, Fit, Form
from cut.base.image_size import height_width
from cut.base.raster import Raster
from cut.base.raster_files import read_raster, write_raster

AnyImage = Image.Image | Raster


class Unsuitable(Exception):
    """A whole image whose pixels have no meaning here: what it is, and what to do."""


def read(path: Path, form: Form = RGB) -> AnyImage:
    """Return the image in a file, of a form.

    Raises:
        UserError: as `read_image` and `read_raster`.
    """
    return read_image(path) if form == RGB else read_raster(path, form)


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
    if path.suffix.lower() == ARRAY:
        raise UserError(
            f"{path} is an array, and nothing says its channels and their range; give the data set"
            " channels and bits, or channels and range"
        )
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
            "has floating-point pixels, which have no known range; give the data set channels and"
            " range, or scale them to 0 to 255 and save it as an 8-bit PNG"
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


def resize(image: AnyImage, size: int | tuple[int, int], fit: Fit = "stretch") -> AnyImage:
    """Return `image` at `size` (one number, or height and width), bicubic.

    Pillow's bicubic widens its support when it shrinks an image. The published code uses it for
    training and test images, and stretches their sides.

    Args:
        image: of any form.
        size: in pixels.
        fit: what happens to images of another aspect ratio: "stretch" changes it, "crop" takes the
            largest part in the middle that has the ratio of `size`, "pad" keeps the whole image
            between bars of the lowest value.
    """
    h, w = height_width(size)
    bicubic = Image.Resampling.BICUBIC
    if image.size == (w, h):
        return image
    if fit == "crop":
        return image.resize((w, h), bicubic, box=middle(image.size, (w, h)))
    if fit == "pad":
        scale = min(w / image.width, h / image.height)
        inner = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        return _between_bars(image.resize(inner, bicubic), (w, h))
    return image.resize((w, h), bicubic)


def middle(size: tuple[int, int], wanted: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return the largest box (left, top, right, bottom) in the middle that has a ratio of sides.

    Args:
        size: (width, height) of the image.
        wanted: (width, height) with the ratio.
    """
    scale = min(size[0] / wanted[0], size[1] / wanted[1])
    left, top = ((have - want * scale) / 2 for have, want in zip(size, wanted, strict=True))
    left, top = max(0.0, left), max(0.0, top)  # rounding may go below
    return left, top, size[0] - left, size[1] - top


def _between_bars(image: AnyImage, size: tuple[int, int]) -> AnyImage:
    """Return an image in the middle of one of `size` (width, height) with the lowest value."""
    left, top = (size[0] - image.width) // 2, (size[1] - image.height) // 2
    if isinstance(image, Raster):
        shape = (size[1], size[0], image.values.shape[2])
        values = np.full(shape, image.form.low, np.float32)
        values[top : top + image.height, left : left + image.width] = image.values
        return Raster(values, image.form)
    bars = Image.new(image.mode, size)
    bars.paste(image, (left, top))
    return bars


def framed(labels: Image.Image, size: tuple[int, int], fit: Fit, outside: int) -> Image.Image:
    """Return a map of labels with the aspect ratio of images that were resized, at its own size.

    Args:
        labels: 8-bit grey.
        size: (height, width) of the images.
        fit: of the images, as in `resize`.
        outside: the label of bars.
    """
    h, w = size
    if fit == "crop":
        left, top, right, bottom = map(round, middle(labels.size, (w, h)))
        return labels.crop((left, top, right, bottom))
    if fit == "pad":
        scale = max(labels.width / w, labels.height / h)
        bars = Image.new("L", (round(w * scale), round(h * scale)), outside)
        bars.paste(labels, ((bars.width - labels.width) // 2, (bars.height - labels.height) // 2))
        return bars
    return labels


def pixels_of(image: AnyImage) -> np.ndarray:
    """Return the values of an image, (H, W, C): uint8 of RGB, float32 of another form."""
    return image.values if isinstance(image, Raster) else np.asarray(image)


def image_of(pixels: np.ndarray, form: Form = RGB) -> AnyImage:
    """Return the image of what `pixels_of` returns."""
    return Image.fromarray(pixels) if form == RGB else Raster(pixels, form)


def write(path: Path, image: AnyImage) -> None:
    """Write an image: RGB as PNG, another form as it says."""
    if isinstance(image, Raster):
        write_raster(path, image)
    else:
        write_png(path, image)


def shown(path: Path, form: Form = RGB) -> Image.Image:
    """Return the image in a file as 8-bit RGB: that of another form by its mapping, or in grey."""
    return as_rgb(read(path, form))


def as_rgb(image: AnyImage) -> Image.Image:
    """Return an image as 8-bit RGB, as `shown` does."""
    return image.shown() if isinstance(image, Raster) else image


def write_png(path: Path, image: Image.Image) -> None:
    """Write a PNG; at any moment `path` is the old file or the whole new one."""
    with replacing(Path(path), sync=False) as temporary:
        # Level 3 is several times faster than the default; files are a tenth larger.
        image.save(temporary, format="PNG", compress_level=3)
