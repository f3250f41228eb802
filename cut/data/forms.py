"""The forms of a data set's images: what its entry says, and what its files have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from cut.base.errors import UserError
from cut.base.image_form import RGB, Form
from cut.base.raster_files import PNG_COLOURS, TIFF, read_values
from cut.data.registry import Entry

Forms = dict[Literal["A", "B"], Form]


def forms_of(entry: Entry, images: Mapping[str, Sequence[Path]]) -> Forms:
    """Return the form of each domain that is not 8-bit RGB, by its letter.

    Type and kind of file are those of the first training image.

    Args:
        entry: the set.
        images: the images of each folder.

    Raises:
        UserError: the image has other channels than the entry says, more bits, or values whose
            range is not given.
    """
    forms: Forms = {}
    for letter in "AB" if entry.channels is not None else "":
        declared = entry.declared(letter)
        first = images[f"train{letter}"][0]
        usual = {"channels": 3, "range": None, "bits": 8, "rgb": (1, 2, 3)}
        if {**usual, **{k: v for k, v in declared.items() if v is not None}} != usual or (
            first.suffix.lower() == ".npy"
        ):
            forms[letter] = _form(declared, first, letter)
    return {letter: form for letter, form in forms.items() if form != RGB}


def form_in(folder: str, forms: Mapping[str, Form]) -> Form:
    """Return the form of the images in a folder such as "trainA"; masks and labels are RGB."""
    kept = folder.startswith(("train", "test", "truth"))
    return forms.get(folder[-1], RGB) if kept else RGB


def check_image(path: Path, form: Form, entry: Entry) -> None:
    """Refuse an image that is not of its domain's form.

    Raises:
        UserError: the image is damaged, has other channels or another type, or larger values than
            its bits hold.
    """
    values = read_values(path, form.channels)
    if values.dtype != form.dtype:
        raise UserError(
            f"{path} has values of type {values.dtype}, and the first image of its domain has"
            f" {form.dtype}; store them alike"
        )
    if entry.declared(path.parent.name[-1])["range"] is None and values.max() > form.high:
        raise UserError(
            f"{path} has the value {values.max()}, and its bits hold 0 to {form.high:.0f}; give"
            " other bits, or a range"
        )


def _form(declared: Mapping[str, Any], first: Path, letter: str) -> Form:
    values = read_values(first, declared["channels"])
    low, high = declared["range"] or (0, _most(values, declared["bits"], first, letter))
    coloured = values.dtype == "uint8" and declared["channels"] == 3
    return Form(
        channels=declared["channels"],
        low=float(low),
        high=float(high),
        dtype=values.dtype.name,
        file=_file(first, values),
        rgb=declared["rgb"] or ((1, 2, 3) if coloured else None),
    )


def _file(first: Path, values: np.ndarray) -> Literal["png", "tiff", "npy"]:
    """Return the kind of file to write: that of the image, or a TIFF where no PNG holds it."""
    suffix = first.suffix.lower()
    if suffix == ".npy":
        return "npy"
    png = values.dtype in ("uint8", "uint16") and values.shape[2] in PNG_COLOURS
    return "tiff" if suffix in TIFF or not png else "png"


def _most(values: np.ndarray, bits: int | None, first: Path, letter: str) -> int:
    """Return the largest value that the bits of a domain hold: 8 where none are given.

    Raises:
        UserError: the values are not of these bits.
    """
    holds = 8 * values.dtype.itemsize
    if values.dtype.kind == "u" and (holds == 8 if bits is None else holds >= bits):
        return (1 << (bits or 8)) - 1
    raise UserError(
        f"{first} has values of type {values.dtype}, from {values.min():.6g} to"
        f" {values.max():.6g}, which are not {bits or 8} bits; give domain {letter} its bits, as"
        " bits: 16, or its range, as range: [low, high]"
    )
