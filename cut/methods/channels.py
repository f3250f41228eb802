"""Which numbers of channels a method takes. This module loads no torch: plans use it too."""

from __future__ import annotations

from typing import Literal

from cut.base.errors import UserError

# "any": source and target may differ; "equal": they may not; "three": both have three.
Takes = Literal["any", "equal", "three"]
WORDS = {
    "equal": "needs as many channels of the target as of the source",
    "three": "takes images of three channels alone",
}


def check_channels(what: str, takes: Takes, channels: tuple[int, int]) -> None:
    """Refuse images that a method's networks can't have.

    Args:
        what: the method, or the row and the data set, for the sentence.
        takes: what it takes.
        channels: of the images of (source, target).

    Raises:
        UserError: they are not of the numbers that it takes.
    """
    source, target = channels
    if takes == "any" or (source == target and (takes == "equal" or source == 3)):
        return
    raise UserError(
        f"{what} {WORDS[takes]}, but the images have {source} (source) and {target} (target)"
        " channels; leave it out, or use another method or data set"
    )
