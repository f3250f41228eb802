"""Files that hold two images side by side, the layout of the pix2pix sets.

`datasets/NAME/{train,val,test}/FILE` has an image of one domain in its left half and the true
counterpart in its right half. The key `joint` says which half is which domain.
"""

from __future__ import annotations

from pathlib import Path

from cut.base.errors import UserError
from cut.base.image_files import list_images
from cut.base.images import read_image, write_png
from cut.base.parallel import in_threads
from cut.data import bits
from cut.data.registry import FOLDERS, Entry


def split(root: Path, entry: Entry) -> None:
    """Replace each joint image of the folders below `root` by its half of the folder's domain.

    The halves are PNG, so that no pixel changes.

    Raises:
        UserError: an image is damaged, has an odd width or 16 bits, or its PNG would take the place
            of another image.
    """

    def cut(path: Path) -> None:
        image = read_image(path)
        width, height = image.size
        if width % 2:
            raise UserError(
                f"{path} is {width}x{height}, and two images side by side have an even width; give"
                " folders of single images, without joint"
            )
        if bits.values(path) is not None:
            raise UserError(
                f"{path} has 16 bits per value, which joint images may have only with bits below"
                " 16; give bits, or folders of single images"
            )
        left = path.parent.name[-1] == entry.joint[0]
        half = image.crop((0, 0, width // 2, height) if left else (width // 2, 0, width, height))
        out = path.with_suffix(".png")
        if out != path and out.exists():
            raise UserError(f"{path} and {out.name} differ in the extension only; rename one")
        write_png(out, half)
        if out != path:
            path.unlink()

    present = [root / folder for folder in FOLDERS if (root / folder).is_dir()]
    paths = [path for folder in present for path in list_images(folder)]
    in_threads(cut, paths, f"split {entry.name}")
