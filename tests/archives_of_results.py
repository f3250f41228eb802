"""Scored runs with real translations, and the test images that they translate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import standin
from fake_runs import change_record, protocol
from trained_generators import write_generator

from cut.metrics.image_folder import ImageFolder
from cut.records.images import ExportRecord, Translated, TranslatedRecord
from cut.records.run import RunRecord
from cut.records.scores import Protocol, ScoredOn, ScoresRecord

DATASET, SIZE = "coats2stripes", 48
DIGEST = "d" * 64  # of the data set, as `fake_runs` has it


def write_test_images(folder: Path, digest: str = DIGEST, images: int = 3) -> Path:
    """Write `images` inputs, as many true counterparts, and one target more; return the folder."""
    for seed, (name, count) in enumerate({"source": 0, "truth": 0, "target": 1}.items()):
        standin.write_images(folder / name, images + count, seed=seed, size=SIZE)
    groups = ("source", "truth", "target")
    ExportRecord(
        dataset=DATASET,
        dataset_digest=digest,
        split="test",
        size=(SIZE, SIZE),
        counts={name: images for name in groups},
        images={
            f"{name}/{file}": digest
            for name in groups
            for file, digest in ImageFolder(folder / name).digests.items()
        },
    ).write(folder / "manifest.json")
    return folder


def write_scored(run: Path, fid: float = 61.25, images: int = 3, seed: int = 0) -> Path:
    """Write a run with a generator, translations and a score; return its folder."""
    write_generator(run, seed=seed)
    change_record(run / "run.json", seed=seed)
    standin.write_images(run / "translated", images, seed=5, size=SIZE)
    write_translated(run)
    write_claim(run, fid)
    return run


def write_translated(run: Path) -> None:
    """Write the manifest of what is in the run's folder of translations."""
    head = Translated.of(RunRecord.read(run / "run.json"), operations=8.5e9)
    digests = ImageFolder(run / "translated").digests
    TranslatedRecord(translated=head, images=digests).write(run / "translated" / "manifest.json")


def write_claim(run: Path, fid: float | None, **changes: Any) -> None:
    """Write the run's scores; `changes` are those of the protocol's real side."""
    scores(run, fid, **changes).write(run / "scores.json")


def scores(run: Path, fid: float | None, **changes: Any) -> ScoresRecord:
    """Return scores of the run."""
    return ScoresRecord(
        scores={"fid": fid},
        missing={} if fid else {"fid": "no weights"},
        protocol=Protocol.model_validate_json(json.dumps(protocol(**changes))),
        translated=Translated.of(RunRecord.read(run / "run.json")),
        scored_on=ScoredOn(device="cpu", versions={}),
    )
