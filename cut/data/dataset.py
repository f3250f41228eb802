"""A verified data set on disk, and the images of its splits."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.image_form import RGB, Fit, Form, Images
from cut.base.parallel import in_threads
from cut.data import held_out, pairs
from cut.records.dataset import DatasetRecord


@dataclass(frozen=True)
class Dataset:
    """A verified data set on disk.

    Attributes:
        name: of the data set.
        root: the folder of trainA, trainB, testA and testB.
        source: word for the source domain.
        target: word for the target domain.
        direction: "AtoB" or "BtoA".
        digest: sha256 over all images and the direction.
        counts: number of images in each folder.
        images: sha256 of each "FOLDER/NAME".
        paired: whether test images of one name are true counterparts.
        forms: of the images of each domain, by its letter; one that is missing is 8-bit RGB.
    """

    name: str
    root: Path
    source: str
    target: str
    direction: str
    digest: str
    counts: dict[str, int]
    images: dict[str, str]
    paired: bool = False
    forms: dict[str, Form] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Dataset:
        """Read a `dataset.json`.

        Raises:
            UserError: the file is missing or no such record, or the folder of images is gone.
        """
        path = Path(path)
        record = DatasetRecord.read(path)
        root = path.parent / record.root  # an absolute root stays as it is
        if not root.is_dir():
            raise UserError(
                f"the images of {path} were in {root}, which is gone; prepare the data set again"
            )
        return cls(
            name=record.dataset,
            root=root,
            source=record.source,
            target=record.target,
            direction=record.direction,
            digest=record.digest,
            counts=record.counts,
            images=record.images,
            paired=record.paired,
            forms=dict(record.forms),
        )

    def form(self, domain: str) -> Form:
        """Return the form of the images of domain "source" or "target"."""
        return self.forms.get(self._letter(domain), RGB)

    def as_images(self, fit: Fit = "stretch") -> Images:
        """Return what the images of a run on this data set are."""
        return Images(self.form("source"), self.form("target"), fit)

    def files(self, split: str, domain: str) -> list[Path]:
        """Return the images of split "train" or "test" in domain "source" or "target", by name.

        Raises:
            UserError: an image was removed or changed after the data set was verified.
        """
        if split not in ("train", "test") or domain not in ("source", "target"):
            raise ValueError(f"no split {split!r} or no domain {domain!r}")
        return self._folder(f"{split}{self._letter(domain)}")

    def held_out(self, domain: str, n: int) -> tuple[list[Path], list[Path]]:
        """Return (training images of a domain without the held-out ones, the `n` held-out ones).

        The choice depends on the file names only, so every method and seed leaves out the same
        images.

        Raises:
            UserError: either part would have fewer than two images, too few for a FID.
        """
        files = self.files("train", domain)
        if n and not 2 <= n <= len(files) - 2:
            raise UserError(
                f"held_out is {n}, but {self.name} has {len(files)} training images of the {domain}"
                " domain: give 0, or leave at least two images in each part"
            )
        return held_out.split(files, n)

    def truths(self) -> dict[str, Path] | None:
        """Return {stem: true counterpart} of the test sources, or None."""
        found = self._by_stem(f"truth{self._letter('target')}")
        if found is None and self.paired:
            return pairs.matched(self.files("test", "source"), self.files("test", "target"))
        return found

    def masks(self) -> dict[str, Path] | None:
        """Return {stem: mask of the pixels to change} of the test sources, or None."""
        return self._by_stem(f"mask{self._letter('source')}")

    def labels(self) -> dict[str, Path] | None:
        """Return {stem: map of label ids} of the test sources, or None."""
        return self._by_stem(f"labels{self._letter('source')}")

    def _letter(self, domain: str) -> str:
        return "A" if (domain == "source") == (self.direction == "AtoB") else "B"

    def _by_stem(self, folder: str) -> dict[str, Path] | None:
        return {path.stem: path for path in self._folder(folder)} or None

    def _folder(self, folder: str) -> list[Path]:
        """Return the images of a folder, after a check of their digests."""
        names = sorted(name for name in self.images if name.startswith(f"{folder}/"))
        for name in names:
            if not (self.root / name).is_file():
                raise UserError(
                    f"{self.root / name} was removed after the check of {self.name}; prepare it"
                    " again"
                )
        # The decoders of images notice few damages; a changed pixel would change the weights.
        digests = in_threads(lambda name: sha256_of(self.root / name), names, f"check {folder}")
        for name, digest in zip(names, digests, strict=True):
            if digest != self.images[name]:
                raise UserError(
                    f"{self.root / name} has changed since {self.name} was prepared; prepare it"
                    " again (python -m cut prepare), or restore the file"
                )
        return [self.root / name for name in names]
