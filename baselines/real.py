"""The ceiling: real images of the target domain. No method is expected to have a lower FID."""

from collections.abc import Iterator

from cut.base.images import AnyImage, read, resize
from cut.data.dataset import Dataset
from cut.methods.contract import Method


class Real(Method):
    """Use target training images, as many as there are test inputs, in the order of their names.

    Their distance to the target test images is that of two samples of this size: a perfect
    translator scores about the same, not zero.
    """

    name = "real"
    role = "ceiling"
    summary = "control: target training images scored as if translated, the score of perfection"
    trained = False
    channels = "any"

    def outputs(
        self, dataset: Dataset, size: tuple[int, int], batch_size: int
    ) -> Iterator[tuple[str, AnyImage]]:
        """Yield as many real target images as there are test inputs, or all if there are fewer."""
        wanted = len(dataset.files("test", "source"))
        for path in dataset.files("train", "target")[:wanted]:
            yield path.stem, resize(read(path, self.images.target), size, self.images.fit)
