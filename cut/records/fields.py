"""The types of the fields of records. Each has bounds, because a record may come from anyone."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AfterValidator, Field

MOST_OPTIONS = 100_000  # characters of the options of a method, as JSON


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON object, after a check of what a schema cannot say."""
    try:
        text = json.dumps(value, allow_nan=False)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if len(text) > MOST_OPTIONS:
        raise ValueError(f"it has {len(text)} characters, and {MOST_OPTIONS} are allowed")
    return value


Count = Annotated[int, Field(ge=0, le=2**53)]
Epoch = Annotated[int, Field(ge=1, le=2**53)]
Seed = Annotated[int, Field(ge=-(2**63), lt=2**63)]
ProcessNumber = Annotated[int, Field(ge=1, lt=2**31)]
Seconds = Annotated[float, Field(ge=0, le=1e12)]
# (height, width) in pixels.
Side = Annotated[int, Field(ge=1, le=2**16)]
PixelSize = tuple[Side, Side]
# A sentence or a name that is only shown.
Text = Annotated[str, Field(max_length=10_000)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{0,64}$")]
# A name in a CSV's header or in a dictionary: of a score, a loss, a package or a network.
Key = Annotated[str, Field(min_length=1, max_length=200)]
Options = Annotated[dict[Key, Any], AfterValidator(_plain)]
# A file in the record's folder, and one in a folder of images; neither leads out of it.
FileName = Annotated[str, Field(pattern=r"^[^/\x00]+$", max_length=255)]
ImageName = Annotated[str, Field(pattern=r"^[A-Za-z0-9]+/[^/\x00]+$", max_length=300)]
