"""Files of images with any number of channels: TIFF, PNG of 8 or 16 bits, and NumPy arrays."""

from __future__ import annotations

import struct
import sys
import threading
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from cut.base.errors import UserError
from cut.base.files import replacing
from cut.base.image_files import check_regular
from cut.base.image_form import Form
from cut.base.raster import Raster

TIFF = (".tif", ".tiff")
PNG_COLOURS = {1: 0, 3: 2, 4: 6}  # PNG's colour types of 16 bits, by channels
OTHER_BYTE = {"B": "L", "L": "B"}
READING = threading.Lock()
KEY = b"cutbench"  # of a text that a file is written with


def read_raster(path: Path, form: Form) -> Raster:
    """Return the image in a file, at full depth; values outside of the form's range are clipped.

    Raises:
        UserError: as `read_values`, or the image has other channels or another type than the form.
    """
    values = read_values(path, form.channels)
    if values.dtype != form.dtype:
        raise UserError(
            f"{path} has values of type {values.dtype}, and other images of its domain {form.dtype}"
            "; store them alike"
        )
    return Raster(values.astype(np.float32).clip(form.low, form.high), form)


def read_values(path: Path, channels: int) -> np.ndarray:
    """Return the values of an image, (H, W, C) in the type of the file.

    The channels of an array or TIFF are its last axis, or the first one if that alone has
    `channels` entries; pages of a TIFF are such a first axis.

    Raises:
        UserError: the file is missing, damaged, of a kind that is not read here, or has another
            number of channels, or values that are not finite.
    """
    path = Path(path)
    check_regular(path)
    try:
        values = _read(path)
    except MemoryError:  # says nothing about the file
        raise
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - for damaged bytes decoders raise almost anything
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(
            f"{path} is not a whole image ({reason}); make it again or remove it"
        ) from None
    values = _channels_last(values, channels, path)
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise UserError(f"{path} has values that are not finite; replace them by numbers")
    return values


def _read(path: Path) -> np.ndarray:
    suffix = path.suffix.lower()
    if suffix == ".npy":
        values = np.array(_array(path))
    elif suffix in TIFF:
        values = _tiff(path)
    else:
        values = _pillow(path)
    if values.dtype.kind not in "uif" or values.dtype.itemsize > 8:
        raise UserError(f"{path} has values of type {values.dtype}; give whole or real numbers")
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _array(path: Path) -> np.ndarray:
    """Return the array in a file, of which the head alone is read until values are used.

    The head is Python text, which Python 3.11 cannot read in two threads at a time.
    """
    with READING:
        return np.load(path, mmap_mode="r", allow_pickle=False)


def _channels_last(values: np.ndarray, channels: int, path: Path) -> np.ndarray:
    if values.ndim == 2:
        values = values[..., None]
    if values.ndim == 3 and values.shape[2] != channels == values.shape[0]:
        values = np.moveaxis(values, 0, 2)
    if values.ndim != 3 or values.shape[2] != channels or 0 in values.shape:
        raise UserError(
            f"{path} has the shape {values.shape[:2] if values.shape[2:] == (1,) else values.shape}"
            f", and its data set says {channels} channel{'s' * (channels > 1)}; give the number"
            " that the images have as channels, or convert them"
        )
    return values


def _tiff(path: Path) -> np.ndarray:
    """Return the first series of a TIFF. Some compressions are left to Pillow.

    Raises:
        ValueError: neither reads it.
    """
    import tifffile  # slow to import, seldom wanted

    try:
        with tifffile.TiffFile(path) as file:
            return file.series[0].asarray()
    except ValueError as error:
        if "imagecodecs" not in str(error):
            raise
        return _pillow(path)


def _pillow(path: Path) -> np.ndarray:
    """Return the values of an image that Pillow reads, rotated upright.

    Raises:
        ValueError: Pillow would cut the values to 8 bits.
    """
    deep = sixteen_bits(path)
    if deep is not None:
        return deep
    with Image.open(path) as image:
        if ";16" in raw_mode(image):
            raise ValueError(f"16-bit values of the layout {raw_mode(image)} are not read")
        image.load()
        upright = ImageOps.exif_transpose(image)
        if upright.mode == "1":
            upright = upright.convert("L")
        if upright.mode == "P":
            upright = upright.convert("RGBA" if "transparency" in upright.info else "RGB")
        return np.asarray(upright)


def sixteen_bits(path: Path) -> np.ndarray | None:
    """Return the values of a 16-bit PNG or TIFF, (H, W) or (H, W, C); None for any other image."""
    with Image.open(path) as image:
        if image.format not in ("PNG", "TIFF"):
            return None
        raw = raw_mode(image)
        if image.mode.startswith("I"):
            values = np.asarray(image)
            fits = image.format == "PNG" or image.mode != "I"
            return values.astype(np.uint16) if fits else values
        if ";16" not in raw or not image.mode.startswith("RGB"):
            return None
        high = np.asarray(image).astype(np.uint16)
    # Pillow keeps one byte of a 16-bit colour. Read with the other byte order, it keeps the other.
    order = raw[-1] if raw[-1] in OTHER_BYTE else {"little": "L", "big": "B"}[sys.byteorder]
    with Image.open(path) as image:
        image.tile = [
            tile._replace(args=_with_raw_mode(tile.args, raw[:-1] + OTHER_BYTE[order]))
            for tile in image.tile
        ]
        low = np.asarray(image).astype(np.uint16)
    return 256 * high + low


def raw_mode(image: Image.Image) -> str:
    """Return Pillow's name of the layout of the pixels in the file, as "RGB;16B", or ""."""
    args = image.tile[0].args if image.tile else ""
    raw = args if isinstance(args, str) else (args or ("",))[0]
    return raw if isinstance(raw, str) else ""


def _with_raw_mode(args: Any, raw: str) -> Any:
    return raw if isinstance(args, str) else (raw, *args[1:])


def image_size(path: Path) -> tuple[int, int]:
    """Return (width, height) of an image that `write_raster` wrote, from the head of the file.

    Raises:
        UserError: it can't be read.
    """
    try:
        if path.suffix.lower() == ".npy":
            shape = _array(path).shape
        elif path.suffix.lower() in TIFF:
            import tifffile

            with tifffile.TiffFile(path) as file:
                shape = file.pages[0].shape
        else:
            with Image.open(path) as image:
                return image.size
    except Exception as error:  # noqa: BLE001 - for damaged bytes decoders raise almost anything
        raise UserError(f"{path} is not a whole image ({error}); make it again") from None
    return shape[1], shape[0]


def write_raster(path: Path, raster: Raster, text: str = "") -> None:
    """Write an image as its form says: PNG of 8 or 16 bits, TIFF, or a NumPy array.

    At any moment `path` is the old file or the whole new one. Whole numbers are rounded.

    Args:
        path: ends with the form's suffix.
        raster: the image.
        text: is kept in the file; `written_text` returns it.
    """
    values = _stored(raster)
    with replacing(Path(path), sync=False) as temporary:
        if raster.form.file == "png":
            temporary.write_bytes(png(values, text))
        elif raster.form.file == "npy":
            with open(temporary, "wb") as file:
                np.save(file, values)
                file.write(b"\0%b\0%b" % (KEY, text.encode()) if text else b"")  # NumPy ends before
        else:
            import tifffile

            how = {"planarconfig": "contig"} if values.ndim == 3 else {}
            if text:
                how["description"] = text
            tifffile.imwrite(
                temporary,
                values,
                photometric="minisblack",
                compression="zlib",
                metadata=None,
                **how,
            )


def _stored(raster: Raster) -> np.ndarray:
    """Return the values as a file has them, (H, W) or (H, W, C)."""
    dtype, values = np.dtype(raster.form.dtype), raster.values
    if dtype.kind in "ui":
        most = np.iinfo(dtype)
        values = np.rint(values.astype(np.float64)).clip(most.min, most.max)
    return (values[..., 0] if values.shape[2] == 1 else values).astype(dtype)


def png(values: np.ndarray, text: str = "") -> bytes:
    """Return a PNG of (H, W) or (H, W, C) values of 8 or 16 bits, C 3 or 4.

    Pillow writes no colours of 16 bits. Each row is stored as its difference to the row above.
    """
    h, w = values.shape[:2]
    channels = values.shape[2] if values.ndim == 3 else 1
    big = np.ascontiguousarray(values.astype(values.dtype.newbyteorder(">")))
    rows = big.view(np.uint8).reshape(h, -1)
    lines = np.full((h, rows.shape[1] + 1), 2, np.uint8)  # 2: the filter "up"
    lines[0, 1:], lines[1:, 1:] = rows[0], rows[1:] - rows[:-1]
    depth = 8 * values.dtype.itemsize
    head = struct.pack(">IIBBBBB", w, h, depth, PNG_COLOURS[channels], 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(lines.tobytes(), 3)), (b"IEND", b"")]
    if text:
        parts.insert(1, (b"tEXt", KEY + b"\0" + text.encode("latin-1")))
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in parts:
        data += (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )
    return data


def written_text(path: Path) -> str | None:
    """Return the text that an image was written with; None without one, or if it can't be read."""
    try:
        if path.suffix.lower() == ".npy":
            parts = path.read_bytes().rsplit(b"\0%b\0" % KEY, 1)
            return parts[1].decode() if len(parts) == 2 else None
        if path.suffix.lower() in TIFF:
            import tifffile

            with tifffile.TiffFile(path) as file:
                return file.pages[0].description or None
        with Image.open(path) as image:
            return image.info.get(KEY.decode())
    except Exception:  # noqa: BLE001 - for damaged bytes decoders raise almost anything
        return None
