"""The records of a run whose method runs by its own commands, after a check of its images."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from cut.base import environment
from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.images import read_image
from cut.methods.code_digest import code_digest
from cut.methods.commands import ExternalMethod
from cut.methods.options import parse_options
from cut.methods.registry import discover
from cut.records.history import HistoryRow
from cut.records.images import ExportRecord, Translated, TranslatedRecord
from cut.records.run import Hardware, RunRecord


def check_translations(folder: Path, names: Sequence[str], size: tuple[int, int]) -> dict[str, str]:
    """Return {file name: sha256} of the translations of the test images `names`.

    Args:
        folder: holds one PNG per test image, and perhaps a manifest.
        names: file names of the test images without their extension.
        size: (height, width) in pixels that every translation has to have.

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
        raise UserError(f"{folder} holds {extra[0]}, which translates no test image; remove it")
    digests = {}
    for name in sorted(wanted):
        image = read_image(folder / name)
        if (image.height, image.width) != size:
            raise UserError(
                f"{folder / name} is {image.height}x{image.width} (height x width) and has to be"
                f" {size[0]}x{size[1]} like its input"
            )
        digests[name] = sha256_of(folder / name)
    return digests


def write_record(
    method: str,
    name: str,
    seed: int,
    options: dict[str, Any],
    test: Path,
    out: Path,
    measured: Sequence[Path],
) -> int:
    """Check the translations in `out/translated` and write the records of the run.

    Args:
        method: a method that runs by commands.
        name: the name of the row.
        seed: the seed that the commands were given.
        options: the method's options, over its defaults.
        test: the folder of exported test images.
        out: the run's folder.
        measured: Snakemake's benchmark files of the commands. Only their seconds are used: a short
            command ends before Snakemake samples its memory.

    Returns:
        The number of translations.

    Raises:
        UserError: the method is a class, or a translation is missing, damaged, of another size or
            not asked for.
    """
    cls = discover()[method]
    if not issubclass(cls, ExternalMethod):
        raise UserError(f"{method} has no commands of its own; train it with python -m cut train")
    manifest = ExportRecord.read(test / "manifest.json")
    names = [path.stem for path in (test / "source").glob("*.png")]
    digests = check_translations(out / "translated", names, manifest.size)
    HistoryRow.write(out / "history.csv", [])
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
        fit=manifest.fit,
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
        history_sha256=sha256_of(out / "history.csv"),
    )
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
