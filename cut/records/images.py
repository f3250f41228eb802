"""The manifests: which images a folder holds, and where they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from cut.base.image_form import RGB, Fit, Form
from cut.records.fields import Count, Digest, FileName, ImageName, Key, PixelSize, Seed
from cut.records.names import Name, RowName, SetName
from cut.records.record import LARGE, Part, Record
from cut.records.run import Role, RunRecord


class Translated(Part):
    """Which run made translations, and at which epoch."""

    dataset: SetName = Field(description="name of the data set")
    dataset_digest: Digest = Field(description="sha256 over all its images and the direction")
    method: RowName = Field(description="name of the row")
    algorithm: Name = Field(description="name of the method")
    role: Role = Field(description="a method, or a control: the floor or the ceiling")
    seed: Seed = Field(description="seed of the run")
    size: PixelSize = Field(description="(height, width) of the images in pixels")
    fit: Fit = Field(
        "stretch", description="how inputs of another aspect ratio were brought to the size"
    )
    form: Form | None = Field(None, description="the form of the images; null for 8-bit RGB")
    split: Literal["test"] = Field("test", description="the split that was translated")
    epoch: Count = Field(description="epochs trained when the generator was kept")
    iteration: Count = Field(description="steps trained when the generator was kept")
    operations_per_image: Annotated[float, Field(ge=0)] | None = Field(
        None,
        description="floating-point operations of a translation (a multiply-add is two); null for"
        " a control, and for a method that runs by its own commands",
    )

    @classmethod
    def of(
        cls,
        run: RunRecord,
        epoch: int | None = None,
        iteration: int | None = None,
        operations: float | None = None,
    ) -> Translated:
        """Return the head of `run`'s translations: of its last epoch, or of an earlier one.

        `operations` is the number of floating-point operations of a translation.
        """
        same = ("dataset", "dataset_digest", "method", "algorithm", "role", "seed", "size", "fit")
        return cls(
            **{key: getattr(run, key) for key in same},
            form=run.target_form,
            epoch=run.epochs if epoch is None else epoch,
            iteration=run.iterations if iteration is None else iteration,
            operations_per_image=operations,
        )


class TranslatedRecord(Record):
    """`translated/manifest.json`: the translations of a run's test set, each with its digest."""

    name: ClassVar[str] = "translated"
    files: ClassVar[tuple[str, ...]] = ("translated/manifest.json",)
    remedy: ClassVar[str] = "translate"
    command: ClassVar[str] = "translate"
    most: ClassVar[int] = LARGE

    translated: Translated = Field(description="the run that made the images")
    images: dict[FileName, Digest] = Field(description="sha256 of each file, by its name")


class ExportRecord(Record):
    """`manifest.json` of the images that are written once per data set, at the size of the runs."""

    name: ClassVar[str] = "export"
    files: ClassVar[tuple[str, ...]] = tuple(
        f"{split}/manifest.json" for split in ("test", "held_out", "train")
    )
    remedy: ClassVar[str] = "export the images"
    command: ClassVar[str] = "export"
    most: ClassVar[int] = LARGE

    dataset: SetName = Field(description="name of the data set")
    dataset_digest: Digest = Field(description="sha256 over all its images and the direction")
    split: Literal["test", "held_out", "train"] = Field(
        description="test images, training images, or training images held out of training"
    )
    size: PixelSize = Field(description="(height, width) of the images in pixels")
    fit: Fit = Field(
        "stretch", description="how images of another aspect ratio were brought to the size"
    )
    forms: dict[Key, Form] = Field(
        {}, description="the form of the images in each folder, unless 8-bit RGB"
    )
    counts: dict[Key, Annotated[Count, Field(ge=1)]] = Field(
        description="number of images in each folder"
    )
    images: dict[ImageName, Digest] = Field({}, description='sha256 of each "FOLDER/NAME"')


def form_of(folder: Path) -> Form:
    """Return the form of the images in a folder, as its manifest says; 8-bit RGB without one."""
    return _said_of(folder)[0]


def fit_of(folder: Path) -> Fit | None:
    """Return how images were brought to one size, as their manifest says; None without one."""
    return _said_of(folder)[1]


def _said_of(folder: Path) -> tuple[Form, Fit | None]:
    folder = Path(folder)
    if translated := TranslatedRecord.find(folder / "manifest.json"):
        return translated.translated.form or RGB, translated.translated.fit
    if export := ExportRecord.find(folder.parent / "manifest.json"):
        return export.forms.get(folder.name, RGB), export.fit
    return RGB, None
