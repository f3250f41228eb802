"""From image files to a method's translations as images, and the checks between.

A value that is not finite would become a black pixel, and the scores would not say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cut.base.errors import UserError
from cut.base.image_form import DEFAULT, Images
from cut.base.images import AnyImage, read, resize
from cut.base.tensors import to_image, to_tensor


def translated(
    method: str,
    translate: Callable[[Tensor], Sequence[Tensor]],
    files: Sequence[Path],
    size: tuple[int, int],
    batch_size: int,
    device: torch.device,
    given: Images = DEFAULT,
) -> Iterator[tuple[str, list[AnyImage]]]:
    """Yield the name of each file and its translations.

    Args:
        method: the name of the method.
        translate: returns one or several translations of images, (N, C, H, W) in [-1, 1].
        files: the images.
        size: (height, width) to which the images are resized.
        batch_size: images that are translated at a time.
        device: where to compute.
        given: what the images are.

    Raises:
        UserError: as `check_output`.
    """
    for start in range(0, len(files), batch_size):
        part = files[start : start + batch_size]
        images = torch.stack(
            [to_tensor(resize(read(path, given.source), size, given.fit)) for path in part]
        )
        outputs = translate(images.to(device))
        for output in outputs:
            check_output(method, images, output, part, given.target.channels)
        each = zip(*(output.float().cpu() for output in outputs), strict=True)
        for path, results in zip(part, each, strict=True):
            yield path.stem, [to_image(result, given.target) for result in results]


def check_output(
    method: str, given: Tensor, output: Any, files: Sequence[Path], channels: int = 3
) -> None:
    """Refuse translations of another shape or range than expected, or that are not finite.

    Values a little outside of [-1, 1] pass, and are clipped later. An image with a mean distance
    from 0 above 1 has another range, such as 0 to 255.

    Args:
        method: the name of the method.
        given: the images, (N, C, H, W) in [-1, 1].
        output: what `translate` returned for them.
        files: the N files of the images.
        channels: of the translations.

    Raises:
        UserError: what is wrong, and with which image.
    """
    shape = tuple(output.shape) if isinstance(output, Tensor) else type(output).__name__
    expected = (len(given), channels, *given.shape[2:])
    if shape != expected:
        raise UserError(
            f"method {method} translates images of shape {tuple(given.shape)} to {shape}; its"
            f" translate has to return a tensor of shape {expected}"
        )
    for file, image in zip(files, output.float(), strict=True):
        if not bool(torch.isfinite(image).all()):
            raise UserError(
                f"method {method} translates {file.name} to values that are not finite; correct its"
                " translate, or train it with a lower lr"
            )
        if float(image.abs().mean()) > 1:
            low, high = float(image.min()), float(image.max())
            raise UserError(
                f"method {method} translates {file.name} to values from {low:.4g} to {high:.4g};"
                " its translate has to return values in [-1, 1]"
            )
