"""The control below which no method can be expected to score: real images of the target domain."""

from collections.abc import Iterator

from PIL.Image import Image

from cut.base.images import read_image, resize
from cut.data.dataset import Dataset
from cut.methods.contract import Method


class Real(Method):
    """Give target training images, as many as there are test inputs, in the order of their names.

    Their distance from the target test images is what sampling so few images costs: a perfect
    translator scores about as much, not zero.
    """

    name = "real"
    role = "ceiling"
    summary = "control: target training images scored as if translated, the score of perfection"
    trained = False

    def outputs(
        self, dataset: Dataset, size: tuple[int, int], batch_size: int
    ) -> Iterator[tuple[str, Image]]:
        """Yield as many real target images as there are test inputs (or as many as there are)."""
        wanted = len(dataset.files("test", "source"))
        for path in dataset.files("train", "target")[:wanted]:
            yield path.stem, resize(read_image(path), size)
