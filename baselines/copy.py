"""The control above which no method should score: the input, unchanged."""

from torch import Tensor

from cut.methods.contract import Method


class Copy(Method):
    """Return every input as it is."""

    name = "copy"
    role = "floor"
    summary = "control: the input unchanged, the score of doing nothing"
    trained = False

    def translate(self, images: Tensor) -> Tensor:
        """Return `images`."""
        return images
