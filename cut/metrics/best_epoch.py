"""Score the generators that a training kept along the way, and choose the best epoch.

Writes `RUN_DIR/epochs.csv` (epoch, iteration, FID and KID over the whole test set, FID over the
held-out images), `RUN_DIR/best.json` (which epoch, chosen on which images), and the best generator
with its translations of the test set in `RUN_DIR/best/`.

Many papers report the epoch with the lowest FID over the test images. The same images choose the
epoch and score it, so the score is too good. With `--held-out` (a folder that
`cut export --held-out` wrote, with the features in `target.npz`) training images that the training
did not see choose the epoch, and the test set only scores it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cut.base.errors import UserError
from cut.base.files import replacing, sha256_of
from cut.base.image_form import RGB, Form
from cut.base.images import AnyImage, write
from cut.data.dataset import Dataset
from cut.metrics.fid import fid
from cut.metrics.image_folder import ImageFolder, exported
from cut.metrics.inception import features
from cut.metrics.inception.extract import Extractor
from cut.metrics.inception.features import Features
from cut.metrics.inception.weights import WeightsUnavailable
from cut.metrics.kid import kid
from cut.records.epochs import BestRecord, EpochScores
from cut.records.run import RunRecord
from cut.training import snapshots
from cut.training.trained_run import load_run
from cut.training.translate import translate


@dataclass(frozen=True)
class HeldOut:
    """Training images that a training did not see: the inputs, and features of the targets."""

    sources: list[Path]
    reference: Features

    @classmethod
    def read(cls, folder: Path, run: Path, count: int) -> HeldOut:
        """Return the images in `folder`.

        Raises:
            UserError: there are not the `count` inputs that `run` was trained without, or the
                features are not of the targets beside them.
        """
        sources = exported(folder / "source").paths
        if len(sources) != count:
            raise UserError(
                f"{folder} holds {len(sources)} source images, but {run} was trained without"
                f" {count}; export as many as were held out"
            )
        return cls(sources, features.load_reference(folder / "target.npz"))


def score_images(
    images: Iterator[tuple[str, AnyImage]],
    reference: Features,
    extractor: Extractor,
    form: Form = RGB,
) -> dict[str, float | None]:
    """Return {"fid", "kid"} of named images of a form; None where there are no features."""
    if isinstance(extractor.weights, WeightsUnavailable) or reference.reason:
        return {"fid": None, "kid": None}
    # Written to files and read again, so that scores equal those of the translate step.
    with tempfile.TemporaryDirectory() as folder:
        for name, image in images:
            write(Path(folder) / f"{name}{form.suffix}", image)
        return score_folder(Path(folder), reference, extractor, form)


def score_folder(
    folder: Path, reference: Features, extractor: Extractor, form: Form = RGB
) -> dict[str, float]:
    """Return {"fid", "kid"} of the images of a form in a folder."""
    pair = (reference.values, extractor.features(ImageFolder(folder, form)).values)
    return {"fid": fid(*pair), "kid": kid(*pair)[0]}


def score_epochs(
    dataset: Dataset,
    run: Path,
    generators: Mapping[int, Path],
    extractor: Extractor,
    reference: Features,
    held_out: HeldOut | None,
) -> list[EpochScores]:
    """Return the scores of the kept `generators`, by epoch."""
    rows = []
    for epoch, path in generators.items():
        record, method = load_run(run, path)
        method.to(extractor.device).train(False)
        form = dataset.form("target")
        outputs = method.outputs(dataset, record.size, extractor.batch_size)
        scores = score_images(outputs, reference, extractor, form)
        if held_out:
            outputs = method.translations(held_out.sources, record.size, extractor.batch_size)
            seen = score_images(outputs, held_out.reference, extractor, form)
            scores["fid_held_out"] = seen["fid"]
        iteration = record.iterations * epoch // record.epochs
        rows.append(EpochScores(epoch=epoch, iteration=iteration, **scores))
        shown = [f"{name} {value:.4g}" for name, value in scores.items() if value is not None]
        print(f"epoch {epoch}: {'  '.join(shown) or 'no scores'}", flush=True)
    return rows


def choose(epochs: Sequence[EpochScores], by: Literal["fid", "fid_held_out"]) -> EpochScores:
    """Return the row with the lowest `by`, the earliest of equals; without scores the last."""
    scored = [row for row in epochs if getattr(row, by) is not None]
    return min(scored, key=lambda row: getattr(row, by)) if scored else epochs[-1]


def select(
    dataset: Dataset, run: Path, extractor: Extractor, target: Path, held_out: Path | None
) -> BestRecord:
    """Score every kept generator, write `epochs.csv`, `best.json` and `best/`; return the choice.

    `target` has the features of the real test images.

    Raises:
        UserError: the run kept no generators, or one is not the one that `run.json` names; the run
            was trained on the images that are to choose; or features are of other weights.
    """
    reference = features.load_reference(target)
    record = RunRecord.read(run / "run.json")
    every = record.training.get("snapshot_every")
    if not every:
        raise UserError(
            f"{run} kept no generators along the way; train it with the option snapshot_every"
        )
    held = HeldOut.read(held_out, run, record.training["held_out"]) if held_out else None
    features.check_reference(target, reference, extractor.weights)
    if held:
        features.check_reference(held_out / "target.npz", held.reference, extractor.weights)
    generators = snapshots.verified(run, record)
    epochs = score_epochs(dataset, run, generators, extractor, reference, held)
    best = choose(epochs, "fid_held_out" if held else "fid")
    keep(dataset, run, generators[best.epoch], best, extractor)
    EpochScores.write(run / "epochs.csv", epochs)
    missing = reference.reason
    if isinstance(extractor.weights, WeightsUnavailable):
        missing = str(extractor.weights)
    choice = BestRecord(
        epoch=best.epoch,
        iteration=best.iteration,
        chosen_on="held_out" if held else "test",
        images=len(held.sources if held else dataset.files("test", "source")),
        every=every,
        fid=best.fid_held_out if held else best.fid,
        missing=missing,
        fingerprint=record.fingerprint,
        epochs_sha256=sha256_of(run / "epochs.csv"),
    )
    choice.write(run / "best.json")
    return choice


def keep(
    dataset: Dataset, run: Path, weights: Path, choice: EpochScores, extractor: Extractor
) -> None:
    """Write the chosen generator and its translations of the test set into `run/best/`."""
    out = run / "best"
    out.mkdir(exist_ok=True)
    with replacing(out / "generator.pt") as temporary:
        shutil.copyfile(weights, temporary)
    translate(
        dataset,
        run,
        extractor.batch_size,
        extractor.device,
        out,
        epoch=choice.epoch,
        iteration=choice.iteration,
    )
