"""Image sizes: one number for a square, or HEIGHTxWIDTH.

A config gives a square as an int and a rectangle as the text "96x128". Code and records use
(height, width).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from cut.base.errors import UserError

MOST = 16_384  # pixels per side; larger images fit into no memory
HOW = "give pixels, as 256, or HEIGHTxWIDTH, as 96x128"


def height_width(size: int | str | Sequence[int], what: str = "the size") -> tuple[int, int]:
    """Return (height, width) in pixels; `size` is 96, "96", "96x128" or (96, 128).

    Raises:
        UserError: `size` is none of these, or a side is below one pixel or above `MOST`. The
            sentence begins with `what`.
    """
    sides: Any = size
    if isinstance(size, str):
        matches = re.fullmatch(r"[0-9]{1,9}(x[0-9]{1,9})?", size)
        sides = [int(side) for side in size.split("x")] if matches else []
    sides = list(sides) if isinstance(sides, Sequence) else [sides]
    whole = all(isinstance(side, int) and not isinstance(side, bool) for side in sides)
    if not whole or len(sides) not in (1, 2):
        raise UserError(f"{what} is {size!r}; {HOW}")
    h, w = sides[0], sides[-1]
    if h < 1 or w < 1:
        raise UserError(f"{what} {h}x{w} has a side under one pixel; give height and width >= 1")
    if max(h, w) > MOST:
        raise UserError(
            f"{what} {h}x{w} has a side over {MOST} pixels; give height and width below"
        )
    return h, w


def in_words(size: int | str | Sequence[int]) -> str:
    """Return "96" for a square and "96x128" for a rectangle, as `height_width` reads them."""
    h, w = height_width(size)
    return str(h) if h == w else f"{h}x{w}"


def _checked(minimum: int) -> Any:
    """Return a pydantic type for sizes whose sides have at least `minimum` pixels."""

    def read(value: Any) -> int | str:
        try:
            h, w = height_width(value)
        except UserError:
            raise PydanticCustomError("size", f"{HOW}, at most {MOST} per side") from None
        if min(h, w) < minimum:
            raise PydanticCustomError("size", f"a side has to have {minimum} pixels or more")
        return h if h == w else f"{h}x{w}"

    side = {"type": "integer", "minimum": minimum, "maximum": MOST}
    schema = {
        "anyOf": [
            side,
            {"type": "string", "pattern": "^[0-9]+(x[0-9]+)?$"},
            {"type": "array", "items": side, "minItems": 2, "maxItems": 2},
        ]
    }
    return Annotated[int | str, BeforeValidator(read), WithJsonSchema(schema)]


Size = _checked(1)
TrainingSize = _checked(16)
LoadSize = _checked(8)
