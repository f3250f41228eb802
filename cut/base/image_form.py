"""The form of a domain's images: channels, range of values, and how they are stored.

Images are 8-bit RGB unless a data set says otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_CHANNELS = 1024
FILES = {"png": ".png", "tiff": ".tif", "npy": ".npy"}

# How an image of another aspect ratio is brought to a size: its sides are stretched, its middle is
# cut out, or bars of the lowest value (black) are added.
Fit = Literal["stretch", "crop", "pad"]
Channel = Annotated[int, Field(ge=1, le=MOST_CHANNELS)]
Channels = Annotated[int, Field(ge=1, le=MOST_CHANNELS)]
Mapping = tuple[Channel, Channel, Channel]


class Form(BaseModel):
    """The form of images. The default is 8-bit RGB."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    channels: Channels = Field(3, description="number of channels")
    low: float = Field(0.0, description="the value that networks see as -1; lower ones are clipped")
    high: float = Field(255.0, description="the value that networks see as 1; higher are clipped")
    dtype: Literal[
        "uint8", "uint16", "int16", "uint32", "int32", "float16", "float32", "float64"
    ] = Field("uint8", description="NumPy's name of the type of the values in files")
    file: Literal["png", "tiff", "npy"] = Field("png", description="kind of the files written")
    rgb: Mapping | None = Field(
        (1, 2, 3),
        description="the channels, counted from 1, that are taken for red, green and blue where"
        " three channels of 8 bits are needed; null where none are declared",
    )

    @property
    def suffix(self) -> str:
        """Return the extension of the files written."""
        return FILES[self.file]

    @property
    def mapping(self) -> str | None:
        """Return in words how three channels of 8 bits are made; None for RGB and without any."""
        if self == RGB or self.rgb is None:
            return None
        channels = ", ".join(map(str, self.rgb))
        ends = f"{self.low:.10g} to {self.high:.10g}"
        return f"channels {channels} as red, green, blue; {ends} as 0 to 255"

    def decides(self) -> str:
        """Return what decides the values that networks see, as a line of a digest."""
        return f"{self.channels} {self.low!r} {self.high!r} {self.dtype} {self.file}"


RGB = Form()


def other_form(form: Form) -> Form | None:
    """Return a form as records have it: None for 8-bit RGB."""
    return None if form == RGB else form


@dataclass(frozen=True)
class Images:
    """What a run's images are: the forms of both domains, and how they are brought to a size."""

    source: Form = RGB
    target: Form = RGB
    fit: Fit = "stretch"

    @property
    def channels(self) -> tuple[int, int]:
        """Return the numbers of channels of (source, target)."""
        return self.source.channels, self.target.channels


DEFAULT = Images()
