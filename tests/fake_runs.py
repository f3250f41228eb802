"""Run folders as training, translating and scoring write them, without any of that work."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from cut.base.files import sha256_of
from cut.records.epochs import BestRecord, EpochScores, StepScores, StepsRecord
from cut.records.history import HistoryRow
from cut.records.images import Translated, TranslatedRecord
from cut.records.resamples import Resample
from cut.records.run import RunRecord
from cut.records.scores import Protocol, ScoredOn, ScoresRecord

LOSSES = {
    "cut": ["G_GAN", "D_real", "D_fake", "NCE", "NCE_Y", "G"],
    "fastcut": ["G_GAN", "D_real", "D_fake", "NCE", "G"],
}
GAN = {"unit": "squared error", "chance": 0.25, "at_chance": "undecided"}
NCE = {"unit": "cross-entropy, nats", "weight": "lambda_nce", "at_chance": "guessing"}
TITLES = {
    "G_GAN": {"title": "generator, adversarial", "weight": "lambda_gan", **GAN},
    "D_real": {"title": "discriminator, real", **GAN},
    "D_fake": {"title": "discriminator, fake", **GAN},
    "NCE": {"title": "PatchNCE, translation", **NCE},
    "NCE_Y": {"title": "PatchNCE, identity", **NCE},
    "G": {"title": "sum", "total": True},
}
VERSIONS = {"torch": "2.12.0"}
TRAINING = {"epochs_constant": 2, "epochs_decay": 1, "batch_size": 1}
WEIGHTS = {"source": "a file", "tensors_sha256": "ab" * 32}


def change_record(path: Path, **changes: Any) -> Path:
    """Change keys of a record, as another program would: without its digest. Return the path."""
    value = json.loads(path.read_text()) | changes
    value.pop("sha256", None)
    path.write_text(json.dumps(value))
    return path


def protocol(**changes: Any) -> dict[str, Any]:
    """Return a protocol as scoring writes it; `changes` are those of the real side."""
    features = {
        "size": [48, 48],
        "formats": ["PNG"],
        "extractor": "pytorch-fid InceptionV3, pool3",
        "network": "fast",
        "resize": "bilinear to 299x299",
        "dims": 2048,
        "weights": WEIGHTS,
    }
    return {
        "real": {"images": 6, "images_sha256": "12" * 32, **features, **changes},
        "fake": {"images": 4, "images_sha256": "34" * 32, **features},
        "weights": WEIGHTS,
        "kid": {
            "kernel": "(x.y / dims + 1)^3",
            "estimate": "all images",
            "spread": "delete-half jackknife",
            "subsets": 100,
            "subset_size": [3, 2],
            "interval": "bootstrap",
            "seed": 0,
        },
    }


def picture(i: int, stripes: bool = False, size: int = 24) -> Image.Image:
    """Return a small image that differs with `i`."""
    y, x = np.mgrid[:size, :size]
    pixels = np.stack([y * 9 % 256, x * 7 % 256, (x + y + 40 * i) % 256], -1).astype(np.uint8)
    if stripes:
        pixels[:, ::4] = 0
    return Image.fromarray(pixels)


def write_images(folder: Path, n: int = 4, **how: Any) -> Path:
    """Write `n` images called img_0.png … into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(n):
        picture(i, **how).save(folder / f"img_{i}.png")
    return folder


def write_test(root: Path, truth: bool = True) -> Path:
    """Write prepared test images; return their folder."""
    write_images(root / "source")
    write_images(root / "target", 6, stripes=True)
    if truth:
        write_images(root / "truth", stripes=True)
    return root


def history(losses: list[str], n: int, weight: float, seed: int) -> list[dict[str, float]]:
    """Return `n` rows of plausible losses."""
    rng = random.Random(seed)
    ends = {"G_GAN": 0.3, "D_real": 0.22, "D_fake": 0.2, "NCE": 2.5, "NCE_Y": 1.9, "G": 4}
    rows = []
    for i in range(n):
        row = {
            "iteration": 10 * (i + 1),
            "epoch": math.ceil(3 * (i + 1) / n),
            "lr_factor": 1.0,
            "images_per_second": 20.0,
            "waiting_seconds": 0.25,
        }
        for name in losses:
            scale = weight if name.startswith("NCE") else 1
            noise = 1 + 0.15 * rng.gauss(0, 1)
            row[name] = scale * ends[name] * (1 + math.exp(-8 * i / n)) * noise
        rows.append(row)
    return rows


def write_run(
    folder: Path,
    method: str = "cut",
    *,
    algorithm: str = "",
    dataset: str = "coats2stripes",
    seed: int = 0,
    scores: dict[str, float | None] | None = None,
    missing: dict[str, str] | None = None,
    scored_by: dict[str, Any] | None = None,
    points: int = 100,
    images: int = 4,
    **facts: Any,
) -> Path:
    """Write a run folder; `facts` replace fields of `run.json`. Return the folder."""
    algorithm = algorithm or method
    trained = algorithm not in ("copy", "real")
    weight = 10.0 if algorithm == "fastcut" else 1.0
    record = run_record(dataset, method, algorithm, seed, points, weight, facts)
    record.write(folder / "run.json")
    losses = LOSSES.get(algorithm, LOSSES["cut"])
    rows = history(losses, points, weight, seed) if trained else []
    HistoryRow.write(folder / "history.csv", [HistoryRow(**row) for row in rows])
    translated = Translated.of(record, operations=8.5e9 if trained else None)
    if images:
        write_images(folder / "translated", images, stripes=True)
        manifest = TranslatedRecord(translated=translated, images={})
        manifest.write(folder / "translated" / "manifest.json")
    given = {"fid": 61.25, "kid": 0.0123, "kid_std": 0.001, "l1": 0.1, "ssim": 0.7}
    ScoresRecord(
        scores=given | (scores or {}),
        missing=missing or {},
        protocol=Protocol.model_validate_json(json.dumps(scored_by or protocol())),
        translated=translated,
        scored_on=ScoredOn(device="cpu", versions=VERSIONS),
    ).write(folder / "scores.json")
    return folder


def run_record(
    dataset: str,
    method: str,
    algorithm: str,
    seed: int,
    points: int,
    weight: float,
    facts: dict[str, Any],
) -> RunRecord:
    """Return the record of a run whose history has `points` rows; `facts` replace its fields."""
    trained = algorithm not in ("copy", "real")
    steps = 10 * points if trained else 0
    fields = {
        "dataset": dataset,
        "dataset_digest": "d" * 64,
        "method": method,
        "algorithm": algorithm,
        "description": "",
        "role": {"copy": "floor", "real": "ceiling"}.get(algorithm, "method"),
        "seed": seed,
        "options": {"ngf": 16, "n_patches": 64, "lambda_nce": weight} if trained else {},
        "training": TRAINING if trained else {},
        "size": [48, 48],
        "epochs": 3 if trained else 0,
        "iterations": steps,
        "images_seen": steps,
        "seconds_per_iteration": 0.1234 if trained else None,
        "train_seconds": 12.0,
        "waiting_seconds": 0.25 * points if trained else None,
        "operations_per_pair": 85e9 if trained else None,
        "peak_memory_bytes": 512_000_000,
        "peak_memory_kind": "rss",
        "device": "cpu",
        "hardware": {"cpu": "Example CPU & Co", "threads": 1},
        "versions": VERSIONS,
        "code_digest": "c" * 64,
    }
    fields |= facts
    patches = fields["options"].get("n_patches")
    titles = {
        name: loss | ({"chance": patches and math.log(patches)} if name.startswith("NCE") else {})
        for name, loss in TITLES.items()
    }
    fields["losses"] = titles if trained else {}
    return RunRecord.model_validate_json(json.dumps(fields))


def write_resamples(run: Path, **scores: Sequence[float]) -> Path:
    """Write scores over resamples beside a run's scores; return the run."""
    lines = zip(*scores.values(), strict=True)
    rows = [
        Resample(resample=i, **dict(zip(scores, map(float, line), strict=True)))
        for i, line in enumerate(lines)
    ]
    Resample.write(run / "resamples.csv", rows)
    scored = ScoresRecord.read(run / "scores.json")
    digest = sha256_of(run / "resamples.csv")
    scored.model_copy(update={"resamples_sha256": digest}).write(run / "scores.json")
    return run


def write_steps(run: Path, fids: Sequence[float]) -> Path:
    """Write what scoring the steps of a translation leaves in a run; return the run."""
    steps = [StepScores(step=i, fid=fid, kid=0.01) for i, fid in enumerate(fids, 1)]
    fingerprint = RunRecord.read(run / "run.json").fingerprint
    record = StepsRecord(steps=tuple(steps), missing=None, fingerprint=fingerprint)
    record.write(run / "steps.json")
    return run


def write_best(run: Path, epochs: dict[int, float], on: str = "test") -> Path:
    """Write what choosing the best of `epochs` (epoch: FID) leaves in a run; return the run."""
    rows = [
        EpochScores(
            epoch=epoch,
            iteration=epoch * 400,
            fid=fid,
            kid=0.01,
            fid_held_out=fid + 5 if on == "held_out" else None,
        )
        for epoch, fid in epochs.items()
    ]
    EpochScores.write(run / "epochs.csv", rows)
    epoch = min(epochs, key=lambda e: epochs[e])
    BestRecord(
        epoch=epoch,
        iteration=epoch * 400,
        chosen_on=on,
        images=4,
        every=2,
        fid=epochs[epoch],
        missing=None,
        fingerprint=RunRecord.read(run / "run.json").fingerprint,
    ).write(run / "best.json")
    last = ScoresRecord.read(run / "scores.json")
    last.model_copy(
        update={
            "scores": last.scores | {"fid": epochs[epoch]},
            "translated": last.translated.model_copy(update={"epoch": epoch}),
        }
    ).write(run / "best" / "scores.json")
    return run
