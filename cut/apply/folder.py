"""Translate a folder of images, or one image, with a trained generator.

No data set and no target images are needed. Each translation is a PNG, or has the form of the
training's target images. A text in it names what it was made of, so that a second call continues
where the first one ended.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from PIL.PngImagePlugin import PngInfo
from tqdm import tqdm

from cut.apply.image import Tiling, translate_image
from cut.apply.trained import Trained
from cut.base.errors import UserError
from cut.base.failures import out_of_memory
from cut.base.files import check_writable, replacing, sha256_of
from cut.base.image_files import ARRAY, by_stem, check_file, check_regular, is_image
from cut.base.image_form import Fit
from cut.base.images import read, resize
from cut.base.raster import Raster
from cut.base.raster_files import KEY, write_raster, written_text


@dataclass(frozen=True)
class Request:
    """How images are translated.

    Attributes:
        size: (height, width) to which they are resized; None keeps each image's own.
        tiling: how they are cut into tiles; None translates them whole.
        replace: whether another file in the place of a translation is replaced.
        fit: how an image of another aspect ratio is brought to `size`.
    """

    size: tuple[int, int] | None = None
    tiling: Tiling | None = None
    replace: bool = False
    fit: Fit = "stretch"


def translate_folder(
    trained: Trained, place: Path, out: Path, request: Request, device: torch.device
) -> tuple[int, int]:
    """Translate images; return how many were translated now, and how many were there already.

    An image that can't be read or translated is named and left out.

    Args:
        trained: the generator.
        place: a folder of images, or one image.
        out: the folder to write NAME.png into (or .tif or .npy, as the generator's target images);
            for one image also a path with that ending.
        request: how.
        device: where to compute.

    Raises:
        UserError: the images or the place to write are not as expected, or another file is in the
            place of a translation (then nothing is done); or images were left out.
    """
    if request.tiling:
        request.tiling.check(trained)
    wanted = _targets(Path(place), Path(out), trained.method.images.target.suffix)
    marks = {path: _mark(trained, path, request) for path in wanted}
    there = [path for path, target in wanted.items() if written_text(target) == marks[path]]
    todo = [path for path in wanted if path not in set(there)]
    foreign = [wanted[path] for path in todo if wanted[path].exists()]
    if foreign and not request.replace:
        more = f" (and {len(foreign) - 1} more)" if len(foreign) > 1 else ""
        raise UserError(
            f"{foreign[0]}{more} is there and was not made of this image, generator and settings;"
            " give --replace, or another place to write"
        )
    trained.method.to(device).train(False)
    failures = []
    with tqdm(todo, "translate", unit="image", disable=None) as bar:
        for path in bar:
            try:
                _translate(trained, path, wanted[path], marks[path], request)
            except UserError as error:
                failures.append(str(error))
                bar.write(f"left out: {error}")
    if failures:
        if len(wanted) == 1:
            raise UserError(failures[0])
        raise UserError(
            f"{len(failures)} of {len(wanted)} images are left out; the first: {failures[0]}"
        )
    return len(todo), len(there)


def _targets(place: Path, out: Path, suffix: str) -> dict[Path, Path]:
    """Return where each image's translation goes; `suffix` is the extension of translations."""
    if not place.is_dir():
        if not place.exists():
            raise UserError(f"there is no {place}; give a folder of images, or an image")
        (check_regular if place.suffix.lower() == ARRAY else check_file)(place)
        target = out
        if out.is_dir() or not (is_image(out) or out.suffix.lower() == ARRAY):
            target = out / f"{place.stem}{suffix}"
        elif out.suffix.lower() != suffix:
            raise UserError(
                f"{out} is no {suffix[1:].upper()}, and translations are; give NAME{suffix}, or a"
                " folder"
            )
        if target.absolute() == place.absolute():
            raise UserError(f"{target} is the image itself; give another place to write")
        check_writable(target)
        return {place: target}
    if out.resolve().is_relative_to(place.resolve()):
        raise UserError(f"{out} is in the folder of the images; give a folder elsewhere")
    wanted = {path: out / f"{stem}{suffix}" for stem, path in by_stem(place).items()}
    if out.exists() and not out.is_dir():
        raise UserError(f"{out} is a file; give a folder for the translations of {place}")
    check_writable(next(iter(wanted.values())))
    return wanted


def _mark(trained: Trained, path: Path, request: Request) -> str:
    """Return what a translation is made of, as JSON."""
    made_of: dict[str, Any] = {
        "method": trained.record.algorithm,
        "generator": trained.digest,
        "image": sha256_of(path),
        "size": request.size,
        "tiling": asdict(request.tiling) if request.tiling else None,
    }
    # Translations that were made before there was a choice are still those asked for.
    if request.size and request.fit != "stretch":
        made_of["fit"] = request.fit
    return json.dumps(made_of, sort_keys=True)


def _translate(trained: Trained, path: Path, target: Path, mark: str, request: Request) -> None:
    image = read(path, trained.method.images.source)
    if request.size:
        image = resize(image, request.size, request.fit)
    try:
        result = translate_image(trained.method, image, request.tiling, path)
    except Exception as error:
        if not out_of_memory(error):
            raise
        raise UserError(
            f"{path} with {image.height}x{image.width} pixels does not fit into memory; give a"
            " (smaller) --tile, or a --size"
        ) from None
    if isinstance(result, Raster):
        write_raster(target, result, mark)
        return
    text = PngInfo()
    text.add_text(KEY.decode(), mark)
    with replacing(target, sync=False) as temporary:
        result.save(temporary, format="PNG", compress_level=3, pnginfo=text)
