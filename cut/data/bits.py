"""Files of 16 bits whose values use fewer bits, such as those of a 12-bit camera.

Nothing in such a file says how many bits count, and a guess per image would stretch dark images. So
the data set says it, as `bits: 12`: its 16-bit images are then scaled to 8 bits once, when the set
is prepared, all by the same factor. A set that does not say it is refused if no value of a domain
reaches a quarter of the range, since every image would be nearly black.

Formats whose header has the range (JPEG 2000, PGM) are scaled by Pillow.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from cut.base.errors import UserError
from cut.base.image_files import list_images
from cut.base.images import read_image, write_png
from cut.base.parallel import in_threads
from cut.base.raster_files import sixteen_bits
from cut.data.registry import FOLDERS, Entry

DEPTHS = (8, 10, 12, 14)  # of sensors


def values(path: Path) -> np.ndarray | None:
    """Return the values of a 16-bit image, (H, W) or (H, W, C); None for any other image.

    An alpha channel is left out.
    """
    try:
        found = sixteen_bits(path)
    except ValueError:  # Pillow reads this kind in one byte order only
        with Image.open(path) as image:
            found = 256 * np.asarray(image).astype(np.int64)
    if found is None:
        return None
    return (found[..., :3] if found.ndim == 3 else found).astype(np.int64)


def largest_value(path: Path) -> int | None:
    """Return the largest value of a 16-bit image; None for any other image."""
    found = values(path)
    return None if found is None else int(found.max())


def check_range(root: Path, entry: Entry, largest: dict[str, int | None]) -> None:
    """Refuse a domain of 16-bit images that use only a part of the range, unless `bits` is given.

    Args:
        root: the folder of the set, for the sentence.
        entry: the set.
        largest: by "FOLDER/NAME", the largest value of each image, None if it has no 16 bits.

    Raises:
        UserError: the largest value of the domain, and the key to give.
    """
    deep = {name: value for name, value in largest.items() if value is not None}
    if entry.channels is not None:  # `cut.data.forms` compares other forms' values with the bits
        if name := next((n for n in deep if n.split("/")[0][-1] in entry.channels), None):
            raise UserError(
                f"{root / name} has 16 bits, and its data set says channels without bits; give"
                " bits: 16, or leave channels out to use 8 of them"
            )
        return
    if entry.bits is not None and not deep and not entry.scaled:
        raise UserError(f"bits is given for {entry.name}, but none of its images has 16 bits")
    for letter in "AB":
        mine = [value for name, value in deep.items() if name.split("/")[0].endswith(letter)]
        if not mine or entry.bits is not None or max(mine) >= 1 << DEPTHS[-1]:
            continue
        bits = next(n for n in DEPTHS if max(mine) < 1 << n)
        raise UserError(
            f"the largest value of the {len(mine)} 16-bit images in {root / f'train{letter}'} and"
            f" test{letter} is {max(mine)}, so they would be nearly black; say how many bits count,"
            f" as data_sources: {{{entry.name}: {{source: …, bits: {bits}}}}}, or bits: 16"
        )


def scale(root: Path, entry: Entry) -> None:
    """Replace the 16-bit images below `root` by 8-bit PNG, scaled by the set's `bits`.

    Raises:
        UserError: an image is damaged or has larger values, or none has 16 bits.
    """
    most = (1 << entry.bits) - 1

    def convert(path: Path) -> bool:
        read_image(path)  # raises a UserError for a damaged file
        found = values(path)
        if found is None:
            return False
        if found.min() < 0 or found.max() > most:
            wrong = found.min() if found.min() < 0 else found.max()
            raise UserError(
                f"{path} has the value {wrong}, and {entry.bits} bits hold 0 to {most}; give"
                " another bits, or convert the images of one domain to 8 bits"
            )
        out = path.with_suffix(".png")
        if out != path and out.exists():
            raise UserError(f"{path} and {out.name} differ in the extension only; rename one")
        write_png(out, Image.fromarray(((found * 255 + most // 2) // most).astype(np.uint8)))
        if out != path:
            path.unlink()
        return True

    if not any(in_threads(convert, list(_images(root, entry)), f"scale {entry.name}")):
        raise UserError(
            f"bits is {entry.bits} for {entry.name}, but none of its images has 16 bits; leave bits"
            " out"
        )


def _images(root: Path, entry: Entry) -> Iterable[Path]:
    """Yield the images whose values are colours: not masks and label maps."""
    for folder in (*FOLDERS, f"truth{entry.letters[1]}"):
        if (root / folder).is_dir():
            yield from list_images(root / folder)
