"""The floor: the input, unchanged. A method should have a lower FID."""

from torch import Tensor

from cut.methods.contract import Method


class Copy(Method):
    """Return the input."""

    name = "copy"
    role = "floor"
    summary = "control: the input unchanged, the score of doing nothing"
    trained = False
    channels = "equal"

    def translate(self, images: Tensor) -> Tensor:
        """Return `images`."""
        return images
