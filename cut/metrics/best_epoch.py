"""Score the generators that a training kept along the way, and choose the best epoch.

Writes `RUN_DIR/epochs.csv` (epoch, iteration, FID and KID over the whole test set, FID over the
held-out images), `RUN_DIR/best.json` (which epoch, chosen on which images), and the best generator
with its translations of the test set in `RUN_DIR/best/`.

The epoch with the lowest FID over the test images is what many papers report. It is chosen by
what it is then scored on, so it flatters. With `--held-out` (what `cut export --held-out`
wrote, with its features in `target.npz`) the choice is made on training images that the training
did not see, and the test set only reports.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from cut.base.errors import UserError
from cut.base.files import read_json, replacing, write_json
from cut.base.images import list_images, write_png
from cut.data.dataset import Dataset
from cut.metrics.fid import fid
from cut.metrics.inception import features
from cut.metrics.inception.features import Features
from cut.metrics.inception.weights import InceptionWeights, WeightsUnavailable
from cut.metrics.kid import kid
from cut.records.epochs import EPOCH_COLUMNS
from cut.training import snapshots
from cut.training.trained_run import load_run
from cut.training.translate import translate


class Scorer:
    """Scores a generator's translations against kept features of real images."""

    def __init__(
        self,
        weights: InceptionWeights | WeightsUnavailable,
        device: torch.device,
        batch_size: int,
    ) -> None:
        self.weights, self.device, self.batch_size = weights, device, batch_size

    def __call__(self, images: Iterator[tuple[str, Any]], reference: Features) -> dict[str, Any]:
        """Return {"fid", "kid"}; None where there are no weights."""
        if isinstance(self.weights, WeightsUnavailable) or reference.reason:
            return {"fid": None, "kid": None}
        # By way of files: what is scored here is what translating would have written.
        with tempfile.TemporaryDirectory() as folder:
            for name, image in images:
                write_png(Path(folder) / f"{name}.png", image)
            given = features.extract(Path(folder), self.weights, self.device, self.batch_size)
        pair = (reference.values, given.values)
        return {"fid": fid(*pair), "kid": kid(*pair)[0]}


@dataclass(frozen=True)
class HeldOut:
    """Training images that a training did not see: the inputs, and features of the targets."""

    sources: list[Path]
    reference: Features

    @classmethod
    def of(cls, folder: Path, run: Path, count: int) -> HeldOut:
        """Return what `folder` holds.

        Raises:
            UserError: there are not the `count` inputs that `run` was trained without, or the
                features are not of the targets beside them.
        """
        sources = list_images(folder / "source")
        if len(sources) != count:
            raise UserError(
                f"{folder} holds {len(sources)} source images, but {run} was trained without"
                f" {count}; export as many as were held out"
            )
        path = folder / "target.npz"
        reference = features.load(path)
        if reference.protocol.get("images_sha256") != features.images_digest(
            list_images(folder / "target")
        ):
            raise UserError(
                f"{path} is of other images than those in {folder / 'target'}; compute it again"
                " with python -m cut features"
            )
        return cls(sources, reference)


def score_epochs(
    dataset: Dataset,
    run: Path,
    generators: Mapping[int, Path],
    scorer: Scorer,
    reference: Features,
    held_out: HeldOut | None,
) -> pd.DataFrame:
    """Return the scores of the kept `generators`, by epoch: `EPOCH_COLUMNS`."""
    rows = []
    for epoch, path in generators.items():
        facts, method = load_run(run, path)
        row = {"epoch": epoch, "iteration": facts["iterations"] * epoch // facts["epochs"]}
        method.to(scorer.device).train(False)
        size = tuple(facts["size"])
        row |= scorer(method.outputs(dataset, size, scorer.batch_size), reference)
        if held_out:
            given = method.translations(held_out.sources, size, scorer.batch_size)
            row["fid_held_out"] = scorer(given, held_out.reference)["fid"]
        rows.append(row)
        shown = "  ".join(f"{name} {row[name]:.4g}" for name in EPOCH_COLUMNS[2:] if row.get(name))
        print(f"epoch {epoch}: {shown or 'no scores'}", flush=True)
    return pd.DataFrame(rows, columns=EPOCH_COLUMNS)


def choose(epochs: pd.DataFrame, by: str) -> pd.Series:
    """Return the row with the lowest `by`, the earliest of equals; without scores the last."""
    scored = epochs[by].notna()
    return epochs.loc[epochs[by].astype(float).idxmin()] if scored.any() else epochs.iloc[-1]


def select(
    dataset: Dataset, run: Path, scorer: Scorer, place: Path, held_out: Path | None
) -> dict[str, Any]:
    """Score every kept generator, write `epochs.csv`, `best.json` and `best/`; return the choice.

    `place` has the features of the real test images.

    Raises:
        UserError: the run kept no generators, one is not the one that `run.json` names, it was
            trained on the images that are to choose among its epochs, or features are of others
            than the scorer's weights.
    """
    reference = features.load(place)
    facts = read_json(run / "run.json")
    training = facts.get("training") or {}
    if not training.get("snapshot_every"):
        raise UserError(
            f"{run} kept no generators along the way; train it with the option snapshot_every"
        )
    held = HeldOut.of(held_out, run, training["held_out"]) if held_out else None
    features.check_reference(place, reference, scorer.weights)
    if held:
        features.check_reference(held_out / "target.npz", held.reference, scorer.weights)
    generators = snapshots.verified(run, facts)
    epochs = score_epochs(dataset, run, generators, scorer, reference, held)
    by, on = ("fid_held_out", "held_out") if held_out else ("fid", "test")
    best = choose(epochs, by)
    missing = scorer.weights if isinstance(scorer.weights, WeightsUnavailable) else None
    choice = {
        "epoch": int(best.epoch),
        "iteration": int(best.iteration),
        "chosen_on": on,
        "images": len(held.sources if held else dataset.files("test", "source")),
        "every": training["snapshot_every"],
        "fid": None if missing else float(best[by]),
        "missing": str(missing) if missing else None,
        "fingerprint": facts["fingerprint"],
    }
    keep(dataset, run, generators[choice["epoch"]], choice, scorer)
    with replacing(run / "epochs.csv") as temporary:
        epochs.to_csv(temporary, index=False, lineterminator="\n")
    write_json(run / "best.json", choice)
    return choice


def keep(
    dataset: Dataset, run: Path, weights: Path, choice: dict[str, Any], scorer: Scorer
) -> None:
    """Write the chosen generator and its translations of the test set into `run/best/`."""
    out = run / "best"
    out.mkdir(exist_ok=True)
    with replacing(out / "generator.pt") as temporary:
        shutil.copyfile(weights, temporary)
    head = {"epoch": choice["epoch"], "iteration": choice["iteration"]}
    translate(dataset, run, scorer.batch_size, scorer.device, out, head)
