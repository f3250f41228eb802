"""Pictures for a browser of images that are not 8-bit RGB."""

from __future__ import annotations

import os
from pathlib import Path

from cut.base.image_files import list_images
from cut.base.image_form import RGB
from cut.base.images import shown, write_png
from cut.records.images import form_of


def shown_folder(folder: Path, page: Path) -> Path:
    """Return a folder of pictures that a browser shows, for a folder of images.

    It is the same folder for 8-bit RGB. For images of another form it is written, as PNG, into
    `assets/shown/` of the page's folder.

    Raises:
        UserError: an image can't be read.
    """
    form = form_of(folder)
    if form == RGB:
        return folder
    inside = Path(os.path.relpath(folder.absolute(), page.absolute().parent))
    out = page.joinpath("assets", "shown", *(part for part in inside.parts if part != ".."))
    for path in list_images(folder):
        write_png(out / f"{path.stem}.png", shown(path, form))
    return out
