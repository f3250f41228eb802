"""One record of each kind, as runs leave them."""

from __future__ import annotations

from pathlib import Path

from fake_runs import write_best, write_resamples, write_run, write_steps

from cut.records.archive import ArchiveRecord
from cut.records.dataset import DatasetRecord
from cut.records.diversity import DiversityRecord
from cut.records.images import ExportRecord
from cut.records.inception import InceptionRecord
from cut.records.job import JobRecord
from cut.records.networks import NetworksRecord
from cut.records.progress import ProgressRecord
from cut.records.record import Record
from cut.records.request import RequestRecord


def write_samples(root: Path) -> dict[str, Path]:
    """Write one file per kind of record below `root`; return the files by the records' names."""
    run = write_best(write_run(root / "set" / "cut" / "seed0", points=3), {2: 58.0, 4: 70.0})
    write_steps(run, [80.0, 60.0])
    write_resamples(run, fid=[60.0, 62.5])
    files = {
        "run": run / "run.json",
        "history": run / "history.csv",
        "scores": run / "scores.json",
        "epochs": run / "epochs.csv",
        "best": run / "best.json",
        "resamples": run / "resamples.csv",
        "steps": run / "steps.json",
        "translated": run / "translated" / "manifest.json",
    }
    places = {
        "dataset": root / "data" / "dataset.json",
        "export": root / "set" / "test" / "manifest.json",
        "inception": root / "data" / "inception.json",
        "networks": root / "data" / "networks.json",
        "request": run / "request.json",
        "diversity": run / "diversity.json",
        "progress": run / "state" / "progress.json",
        "job": root / "logs" / "a.log.json",
        "archive": run / "archive.json",
    }
    for name, path in places.items():
        made(name).write(path)
    return files | places


def made(name: str) -> Record:
    """Return a record of the kinds that a run's folder lacks."""
    dataset = {
        "root": "images",
        "source": "A",
        "target": "B",
        "direction": "AtoB",
        "digest": "ab" * 32,
        "counts": {"trainA": 1},
        "licence": "none",
        "citation": "",
        "options": {"size": 32},
        "images": {"trainA/0.png": "cd" * 32},
    }
    records = {
        "dataset": lambda: DatasetRecord(dataset="set", **dataset),
        "export": lambda: ExportRecord(
            dataset="set", dataset_digest="ab", split="test", size=(32, 32), counts={"source": 1}
        ),
        "inception": lambda: InceptionRecord(path="w.pth", source="here", tensors_sha256="ab"),
        "networks": lambda: NetworksRecord(paths={"edges": "hed.h5"}, missing={"st_lpips": "none"}),
        "request": lambda: RequestRecord(dataset="d.json", row="cut", method="cut"),
        "diversity": lambda: DiversityRecord(
            st_lpips=0.1, samples=5, images=3, network="a", missing=None, fingerprint="ab"
        ),
        "progress": lambda: ProgressRecord(
            iteration=1,
            iterations=2,
            epoch=1,
            epochs=2,
            images_per_second=0.1,
            seconds_left=3.5,
        ),
        "job": JobRecord.start,
        "archive": lambda: ArchiveRecord(
            dataset="set",
            dataset_digest="ab",
            method="cut",
            algorithm="cut",
            seed=0,
            size=(32, 32),
            files_sha256={"translated/0.png": "ab" * 32},
        ),
    }
    return records[name]()
