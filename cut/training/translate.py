"""Translate a data set's whole test set with a trained run."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import torch

from cut.base.errors import UserError
from cut.base.files import remove_unfinished, sha256_of
from cut.base.image_files import is_image
from cut.base.images import write_png
from cut.data.dataset import Dataset
from cut.records.images import Translated, TranslatedRecord
from cut.training.trained_run import load_run


def translate(
    dataset: Dataset,
    run: Path,
    batch_size: int,
    device: torch.device,
    place: Path | None = None,
    epoch: int | None = None,
    iteration: int | None = None,
) -> int:
    """Translate the test set into `place/translated`; return the number of images.

    Args:
        dataset: the data set that the run was trained on.
        run: the folder of the finished run.
        batch_size: images that are translated at a time.
        device: where to compute.
        place: the folder with the weights, `generator.pt`; by default `run`.
        epoch: the epoch of the weights; by default the last one.
        iteration: the number of steps before the weights were kept; by default all.

    Raises:
        UserError: the run is not finished, or was trained on another version of the data set; a
            translation is no image of its size; or the folder holds other images. Then no
            translation is left there.
    """
    place = place or run
    record, method = load_run(run, place / "generator.pt")
    if record.dataset_digest != dataset.digest:
        raise UserError(
            f"{run} was trained on another version of {dataset.name}; bring that version back, or"
            " train again"
        )
    out = place / "translated"
    out.mkdir(parents=True, exist_ok=True)
    _clear(out, dataset)
    method.to(device).train(False)
    digests: dict[str, str] = {}
    try:
        for name, image in method.outputs(dataset, record.size, batch_size):
            path = out / f"{name}.png"
            write_png(path, image)
            digests[path.name] = sha256_of(path)
    except UserError:
        for name in digests:  # half a set would look like a whole one
            (out / name).unlink()
        raise
    head = Translated.of(record, epoch, iteration)
    TranslatedRecord(translated=head, images=digests).write(out / "manifest.json")
    return len(digests)


def _clear(out: Path, dataset: Dataset) -> None:
    """Remove the translations of an earlier run, whole or not, and no other image.

    Raises:
        UserError: `out` holds an image that no translation wrote.
    """
    manifest = out / "manifest.json"
    remove_unfinished(out)
    written = set()
    if manifest.is_file():
        with suppress(UserError):  # a damaged manifest names nothing
            written = set(TranslatedRecord.read(manifest).images)
    # A killed run has written no manifest; its images have these names.
    pictures = (*dataset.files("test", "source"), *dataset.files("train", "target"))
    written |= {f"{path.stem}.png" for path in pictures}
    found = [path for path in sorted(out.iterdir()) if is_image(path)]
    if other := [path for path in found if path.name not in written]:
        raise UserError(
            f"{other[0]} is no translation of this run, and would be scored as one; move it away"
        )
    for path in found:
        path.unlink()
    manifest.unlink(missing_ok=True)
