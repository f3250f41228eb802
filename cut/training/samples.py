"""Further translations of an image by a method that draws random numbers for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from cut.base import random_streams


@contextmanager
def sample(number: int) -> Iterator[None]:
    """Give methods the numbers of another sample, where they draw some for an image.

    These derive from the image's pixels and the name of the draw, and here from `number` too. No
    other random number changes, and neither does a method that draws none.
    """
    of_images = random_streams.of_images

    def numbered(images, *axes):
        return of_images(images, *axes, "sample", number)

    with mock.patch.object(random_streams, "of_images", numbered):
        yield
