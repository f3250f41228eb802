"""Runs of methods that are commands: their training images, their checks and their records."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from cut.base import environment
from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.images import read_image, resize, write_png
from cut.base.parallel import in_threads
from cut.data.dataset import Dataset
from cut.methods.code_digest import code_digest
from cut.methods.commands import ExternalMethod
from cut.methods.contract import parse_options
from cut.methods.registry import discover
from cut.records.history import HistoryRow
from cut.records.images import ExportRecord, Translated, TranslatedRecord
from cut.records.run import Hardware, RunRecord


def export_training(
    dataset: Dataset, out: Path, size: tuple[int, int], held_out: int = 0
) -> dict[str, int]:
    """Write the training images at `size` (bicubic) as PNG into `out/source` and `out/target`.

    Without the `held_out` images of each domain that no method of this benchmark may see.
    """
    out.mkdir(parents=True, exist_ok=True)
    (out / "manifest.json").unlink(missing_ok=True)
    files = {domain: dataset.held_out(domain, held_out)[0] for domain in ("source", "target")}
    for domain in files:
        for old in (out / domain).glob("*.png"):
            old.unlink()
    jobs = [(domain, path) for domain, paths in files.items() for path in paths]

    def write(job: tuple[str, Path]) -> None:
        domain, path = job
        write_png(out / domain / f"{path.stem}.png", resize(read_image(path), size))

    in_threads(write, jobs, f"export {dataset.name}")
    counts = {domain: len(paths) for domain, paths in files.items()}
    ExportRecord(
        dataset=dataset.name,
        dataset_digest=dataset.digest,
        split="train",
        size=size,
        counts=counts,
    ).write(out / "manifest.json")
    return counts


def check_translations(folder: Path, names: Sequence[str], size: tuple[int, int]) -> dict[str, str]:
    """Return {file: sha256} of the translations of test images `names` (stems).

    Raises:
        UserError: one is missing, damaged, of another size, or not asked for.
    """
    found = {path.name for path in folder.glob("*") if path.name != "manifest.json"}
    wanted = {f"{name}.png" for name in names}
    if missing := sorted(wanted - found):
        raise UserError(
            f"{folder} lacks {missing[0]} ({len(missing)} of {len(wanted)} missing);"
            " translate has to write NAME.png for every NAME.png of its input"
        )
    if extra := sorted(found - wanted):
        raise UserError(f"{folder} holds {extra[0]}, which is no test image's translation")
    digests = {}
    for name in sorted(wanted):
        image = read_image(folder / name)
        if (image.height, image.width) != size:
            raise UserError(
                f"{folder / name} is {image.height}x{image.width} (height x width) and has to be"
                f" {size[0]}x{size[1]}, as its input"
            )
        digests[name] = sha256_of(folder / name)
    return digests


def write_record(
    method: str, name: str, seed: int, options: dict[str, Any], test: Path, out: Path,
    measured: Sequence[Path],
) -> int:  # fmt: skip
    """Check the translations in `out/translated`; write the run's records; return their number.

    `measured` are Snakemake's benchmark files of the commands. Their seconds are kept; their memory
    is not, since a short command is over before Snakemake looks.
    """
    cls = discover()[method]
    if not issubclass(cls, ExternalMethod):
        raise UserError(f"{method} is no method of commands; python -m cut train trains it")
    manifest = ExportRecord.read(test / "manifest.json")
    names = [path.stem for path in (test / "source").glob("*.png")]
    digests = check_translations(out / "translated", names, manifest.size)
    record = RunRecord(
        dataset=manifest.dataset,
        dataset_digest=manifest.dataset_digest,
        method=name,
        algorithm=method,
        description=cls.summary,
        role=cls.role,
        seed=seed,
        options=parse_options(cls.Options, options, method).model_dump(),
        training={},
        size=manifest.size,
        epochs=0,
        iterations=0,
        images_seen=0,
        seconds_per_iteration=None,
        train_seconds=_seconds(measured),
        external=True,
        peak_memory_bytes=0,
        peak_memory_kind="rss",
        code_digest=code_digest(cls),
        device="cpu",
        hardware=Hardware(**environment.hardware(torch.device("cpu"))),
        versions=environment.versions(),
    )
    HistoryRow.write(out / "history.csv", [])
    translated = TranslatedRecord(translated=Translated.of(record), images=digests)
    translated.write(out / "translated" / "manifest.json")
    record.write(out / "run.json")
    return len(digests)


def _seconds(files: Sequence[Path]) -> float:
    """Return the seconds of all commands."""
    total = 0.0
    for path in files:
        with open(path, newline="") as file:
            total += float(next(csv.DictReader(file, delimiter="\t"))["s"])
    return total
