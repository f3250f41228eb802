"""Read and write files of tensors. A damaged file is noticed before its content is used.

`torch.save` writes a zip archive with a CRC-32 of each part. `torch.load` does not compare it: of
all single flipped bits of a file, 94 % change a value without a word. Here each part is checked
first, and none does.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cut.base.errors import UserError
from cut.base.failures import out_of_memory
from cut.base.files import replacing

FOLDER = 0x10  # attribute of an archive's folders; torch takes a part with it for an empty one


def read_tensors(path: Path, expected: str, device: str | torch.device = "cpu") -> Any:
    """Return what `torch.save` wrote, on `device`, without running code from the file.

    Raises:
        UserError: the file is missing, damaged or of another kind. `expected` describes it in the
            sentence.
    """
    if not path.is_file():
        raise UserError(f"there is no file {path}; expected {expected}")
    try:
        check_archive(path)
        return torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # noqa: BLE001 - torch raises almost anything for another kind
        if out_of_memory(error):  # says nothing about the file
            raise
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise UserError(
            f"{path} can't be read as weights ({reason[0][:80]}); expected {expected}"
        ) from None


def check_archive(path: Path) -> None:
    """Compare each part of a zip archive with its checksum; a file of another kind passes.

    Raises:
        ValueError: a part is damaged.
        zipfile.BadZipFile: the list of parts is.
    """
    if not zipfile.is_zipfile(path):  # weights from elsewhere may be in torch's older form
        return
    with zipfile.ZipFile(path) as archive:
        if damaged := archive.testzip():
            raise ValueError(f"damaged at {damaged}")
        if any(part.external_attr & FOLDER for part in archive.infolist()):
            raise ValueError("damaged in its list of parts")


def save_tensors(path: Path, state: Any) -> None:
    """Write tensors with `torch.save`, atomically. The same state gives the same bytes."""
    with replacing(path) as temporary, open(temporary, "wb") as file:
        torch.save(state, file)  # given a path, torch would write its name into the file


def not_finite(state: Any, name: str = "") -> str | None:
    """Return the name of the first tensor with a NaN or an infinity, or None.

    Args:
        state: a tensor, or nested mappings and sequences of them.
        name: of `state`; names inside it are joined by dots.
    """
    for place, tensor in _tensors(state, name):
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            return place
    return None


def _tensors(state: Any, name: str) -> Iterator[tuple[str, Tensor]]:
    if isinstance(state, Tensor):
        yield name, state
    elif isinstance(state, Mapping | Sequence) and not isinstance(state, str):
        inner = state.items() if isinstance(state, Mapping) else enumerate(state)
        for key, value in inner:
            yield from _tensors(value, f"{name}.{key}" if name else str(key))
