"""A folder of images that is listed and hashed once, whatever scores are computed from it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

from PIL import Image

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.image_files import list_images
from cut.base.image_form import RGB, Form
from cut.base.images import read_image
from cut.base.raster_files import image_size
from cut.records.images import ExportRecord, form_of


class ImageFolder:
    """The images of one folder, sorted by name."""

    def __init__(self, path: Path, form: Form | None = None) -> None:
        """List the images.

        Args:
            path: the folder.
            form: of the images; by default what their manifest says.

        Raises:
            UserError: the folder is missing, has no images, or has sub-folders.
        """
        self.path, self._form = Path(path), form
        self.paths = list_images(self.path)

    @cached_property
    def form(self) -> Form:
        """Return the form of the images: 8-bit RGB, unless a manifest says otherwise."""
        return self._form or form_of(self.path)

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.paths)

    @property
    def names(self) -> list[str]:
        """Return the file names."""
        return [path.name for path in self.paths]

    @cached_property
    def size(self) -> tuple[int, int]:
        """Return (height, width) of all images.

        Raises:
            UserError: they have several sizes.
        """
        return one_size(self.paths, self.form)

    @cached_property
    def digests(self) -> dict[str, str]:
        """Return the sha256 of each file, by name."""
        return {path.name: sha256_of(path) for path in self.paths}

    @property
    def digest(self) -> str:
        """Return the sha256 over the names and contents of the files, in order."""
        lines = "".join(f"{name} {digest}\n" for name, digest in self.digests.items())
        return hashlib.sha256(lines.encode()).hexdigest()

    @property
    def formats(self) -> tuple[str, ...]:
        """Return the file formats, by extension: JPEG changes a FID that PNG does not."""
        kinds = {path.suffix[1:].upper() for path in self.paths}
        return tuple(sorted({{"JPG": "JPEG", "TIF": "TIFF"}.get(kind, kind) for kind in kinds}))


def exported(path: Path) -> ImageFolder:
    """Return a folder of images, which are as `python -m cut export` wrote them if it did.

    Raises:
        UserError: as `ImageFolder`; or an image has changed, is missing, or was added since.
    """
    images, manifest = ImageFolder(path), Path(path).parent / "manifest.json"
    if not manifest.is_file():
        return images
    start = f"{images.path.name}/"
    record = ExportRecord.read(manifest)
    known = {name[len(start) :]: d for name, d in record.images.items() if name.startswith(start)}
    for name in sorted(known.keys() | images.digests.keys()) if known else ():
        if known.get(name) != images.digests.get(name):
            raise UserError(
                f"{path / name} is not the image that {manifest} names; {ExportRecord.again()}"
            )
    return images


def one_size(paths: Sequence[Path], form: Form = RGB) -> tuple[int, int]:
    """Return (height, width) of all the images.

    Raises:
        UserError: they have several sizes, and a batch needs one.
    """
    first = _size(paths[0], form)
    for path in paths[1:]:
        size = _size(path, form)
        if size != first:
            raise UserError(
                f"{path} is {size[0]}x{size[1]} but {paths[0].name} is {first[0]}x{first[1]}; "
                "the images of a folder must have one size to be scored, so resize them first"
            )
    return first[1], first[0]


def _size(path: Path, form: Form) -> tuple[int, int]:
    """Return (width, height) from the head of the file; no pixel is decoded."""
    if form != RGB:
        return image_size(path)
    with contextlib.suppress(Exception), Image.open(path) as image:
        return image.size
    return read_image(path).size
