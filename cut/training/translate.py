"""Translate a data set's whole test set with a trained run."""

from __future__ import annotations

from pathlib import Path

import torch

from cut.base import written
from cut.base.errors import UserError
from cut.base.files import remove_unfinished, sha256_of
from cut.base.image_form import other_form
from cut.base.images import write
from cut.data.dataset import Dataset
from cut.records.images import Translated, TranslatedRecord
from cut.training.trained_run import load_run
from cut.training.work import Operations


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
        UserError: the run is not finished, or was trained on another version of the data set; the
            folder holds images that no earlier call wrote; or a translation is no image of its
            size. Then no translation is left there.
    """
    place = place or run
    record, method = load_run(run, place / "generator.pt")
    if record.dataset_digest != dataset.digest:
        raise UserError(
            f"{run} was trained on another version of {dataset.name}; bring that version back, or"
            " train again"
        )
    out = place / "translated"
    written.claim(out, ["manifest.json"])
    remove_unfinished(out)  # of a call that was killed
    method.to(device).train(False)
    form = method.images.target
    digests: dict[str, str] = {}
    try:
        with Operations() as work:
            for name, image in method.outputs(dataset, record.size, batch_size):
                path = out / f"{name}{form.suffix}"
                written.note(out, path.name)
                write(path, image)
                digests[path.name] = sha256_of(path)
    except UserError:
        for name in digests:  # half a set would look like a whole one
            (out / name).unlink()
        raise
    each = work.count / len(digests) if method.trained and digests else None
    head = Translated.of(record, epoch, iteration, each)
    # The data set may have got another mapping to red, green and blue since the training.
    head = head.model_copy(update={"form": other_form(dataset.form("target"))})
    TranslatedRecord(translated=head, images=digests).write(out / "manifest.json")
    return len(digests)
