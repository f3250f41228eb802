"""Take archives of other people's results: unpack, check, and score their translations again.

Nothing in an archive is believed. Its files must have the digests that it names, its records must
be of one run, its data set, image size and test names must be those of the results here, and its
scores are replaced by those that its translations get here.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PIL import Image

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.image_files import by_stem
from cut.data.archives import extract
from cut.metrics.catalogue import METRICS
from cut.records.archive import ArchiveRecord
from cut.records.images import ExportRecord, TranslatedRecord
from cut.records.run import RunRecord
from cut.records.scores import ScoresRecord
from cut.report.pack import (
    CARD,
    GENERATOR,
    MANIFEST,
    PICTURES,
    RECORD,
    RECORDS,
    check_manifest,
    check_outputs,
)
from cut.results.protocol import comparison_key
from cut.results.run import Run, load_run

KNOWN = (RECORD, *RECORDS, GENERATOR, MANIFEST, CARD, PICTURES)
NEEDED = ("run.json", "scores.json", MANIFEST)
LIMITS = {"max_bytes": 16 * 10**9, "max_files": 200_000, "max_file_bytes": 4 * 10**9}
ADVICE = "no results need as many; ask its author for another one"
DOUBT = "ask its author how it was made"
# Scored twice with different threads, the FID of 120 images differed by 9e-8 (relative).
RELATIVE, ABSOLUTE = 1e-3, 0.01

# Scores of the translations in a run's folder against a folder of test images. What scoring keeps
# beside its record is written into the run's folder.
Rescore = Callable[[Path, Path], ScoresRecord]


@dataclass(frozen=True)
class Received:
    """A run that was taken from an archive, with the FID that the archive claims."""

    archive: Path
    run: Run
    claimed: float | None

    @property
    def summary(self) -> str:
        """Return a line about it."""
        fid, show = self.run.scored.scores["fid"], METRICS["fid"].show
        claim = "no FID" if self.claimed is None else show(self.claimed)
        return f"took {self.run.folder} from {self.archive}: FID {show(fid)}, it says {claim}"


def receive(
    archives: Sequence[Path], folders: Sequence[Path], into: Path, rescore: Rescore
) -> list[Received]:
    """Unpack archives into `into/DATASET/ROW/seedN`, with scores computed here.

    Args:
        archives: files that `pack` wrote, anywhere.
        folders: results that have the test images of the same data sets.
        into: a folder for the runs. A run that an earlier call took is replaced, no other one.
        rescore: called with the test images and the folder of the run.

    Raises:
        UserError: an archive is unsafe, damaged, or of no results; its digests, data set, size,
            test names or protocol differ from those here; or its translations do not give the FID
            that it claims. The archives before it stay taken.
    """
    tests = _tests(folders)
    into.mkdir(parents=True, exist_ok=True)
    return [_receive(Path(archive), tests, into, rescore) for archive in archives]


def _tests(folders: Sequence[Path]) -> dict[Path, ExportRecord]:
    """Return the folders of exported test images below `folders`."""
    manifests = [path for folder in folders for path in sorted(folder.rglob("test/manifest.json"))]
    return {path.parent: ExportRecord.read(path) for path in manifests}


def _receive(
    archive: Path, tests: dict[Path, ExportRecord], into: Path, rescore: Rescore
) -> Received:
    with tempfile.TemporaryDirectory(dir=into, prefix=".unpacking-") as temporary:
        folder = Path(temporary) / "run"
        try:
            run = _scored_again(archive, folder, tests, rescore)
        except UserError as error:  # it names files where they were for a moment
            raise UserError(str(error).replace(str(folder), str(archive))) from None
        record = run.record
        place = into / record.dataset / record.method / f"seed{record.seed}"
        if place.exists() and not (place / RECORD).is_file():
            raise UserError(f"{place} is there and came from no archive; give another --received")
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(folder, place)
    return Received(archive, load_run(place), run.scored.scores.get("fid"))


def _scored_again(
    archive: Path, folder: Path, tests: dict[Path, ExportRecord], rescore: Rescore
) -> Run:
    """Unpack an archive into `folder`, with scores computed here; return the run with its own."""
    _unpack(archive, folder)
    run = _checked(archive, folder)
    test = _test_of(archive, run.record, tests)
    _check_images(archive, folder, run.record, test)
    ours = rescore(test, folder)
    _check_scores(archive, run, ours)
    ours.write(folder / "scores.json")
    return run


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive, and compare every file with the digest that it names."""

    def keep(member: PurePosixPath) -> PurePosixPath:
        name = member.as_posix()
        if name not in KNOWN and (len(member.parts) != 2 or member.parts[0] != "translated"):
            raise UserError(f"{archive} holds {name}, which is no part of an archive of results")
        return member

    folder.mkdir()
    extract(archive, folder, keep, advice=ADVICE, **LIMITS)
    if not (folder / RECORD).is_file():
        raise UserError(
            f"{archive} has no {RECORD}; give an archive that python -m cut pack wrote, or a folder"
            " of results"
        )
    named = ArchiveRecord.read(folder / RECORD).files_sha256
    there = {
        path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()
    }
    del there[RECORD]
    for name in sorted(named.keys() ^ there.keys()):
        state = "holds no" if name in named else "does not name its"
        raise UserError(f"{archive} {state} {name}; ask its author to pack the run again")
    for name, path in there.items():
        if sha256_of(path) != named[name]:
            raise UserError(
                f"{archive}: {name} is not the file that {RECORD} names; it was changed or damaged,"
                " so ask its author for it again"
            )
    if lacking := [name for name in NEEDED if name not in named]:
        raise UserError(f"{archive} lacks {', '.join(lacking)}; ask its author to pack it again")


def _checked(archive: Path, folder: Path) -> Run:
    """Return the unpacked run, after checking that all records are of one run of a method."""
    head, run = ArchiveRecord.read(folder / RECORD), load_run(folder)
    record = run.record
    for key in ("dataset", "dataset_digest", "method", "algorithm", "seed", "size"):
        if getattr(head, key) != getattr(record, key):
            raise UserError(f"{archive}: {RECORD} and run.json differ in {key}; {DOUBT}")
    if record.control:
        raise UserError(f"{archive} has a control, and controls are made here; don't give it")
    check_outputs(record, head.files_sha256, archive, DOUBT)
    manifest = TranslatedRecord.read(folder / MANIFEST)
    check_manifest(manifest, record, archive / MANIFEST, DOUBT)
    named = {f"translated/{name}": digest for name, digest in manifest.images.items()}
    held = {
        name: digest
        for name, digest in head.files_sha256.items()
        if name.startswith("translated/") and name != MANIFEST
    }
    if named != held:
        odd = min(name for name, _ in named.items() ^ held.items())
        raise UserError(f"{archive}: {odd} is not the image of {MANIFEST}; {DOUBT}")
    return run


def _test_of(archive: Path, record: RunRecord, tests: dict[Path, ExportRecord]) -> Path:
    """Return the folder of test images that the run translated."""
    same = {path: test for path, test in tests.items() if test.dataset == record.dataset}
    if not same:
        raise UserError(
            f"{archive} is of {record.dataset}, and no test images of it are below the folders"
            " given; give results of that data set too"
        )
    for key, words in (("dataset_digest", "the data digest"), ("size", "images of size")):
        theirs = getattr(record, key)
        fitting = {path: test for path, test in same.items() if getattr(test, key) == theirs}
        if not fitting:
            path, test = next(iter(same.items()))
            ours = _short(getattr(test, key))
            raise UserError(
                f"{archive} has {words} {_short(theirs)} but {path} has {ours}; only results of the"
                f" same version of {record.dataset} can be compared"
            )
        same = fitting
    return next(iter(same))


def _short(value: str | tuple[int, int]) -> str:
    return f"{value[:12]}…" if isinstance(value, str) else "x".join(map(str, value))


def _check_images(archive: Path, folder: Path, record: RunRecord, test: Path) -> None:
    """Refuse translations that are not one PNG of the right size per test image."""
    names = TranslatedRecord.read(folder / MANIFEST).images.keys()
    expected = {f"{stem}.png" for stem in by_stem(test / "source")}
    if odd := sorted(names ^ expected):
        what = "is the translation of no" if odd[0] in names else "is missing: it translates a"
        raise UserError(
            f"{archive}: {odd[0]} {what} test image in {test / 'source'}; only translations of that"
            " whole test set can be compared"
        )
    for name in sorted(names):
        found, wanted = _head(folder / "translated" / name), ("PNG", *reversed(record.size))
        if found != wanted:
            raise UserError(
                f"{archive}: {name} is {' '.join(map(str, found))}, expected"
                f" {' '.join(map(str, wanted))} (format, width, height); ask its author to"
                " translate again"
            )


def _head(path: Path) -> tuple[str | int, ...]:
    """Return format, width and height of an image; no pixel is decoded."""
    try:
        with Image.open(path) as image:
            return (str(image.format), *image.size)
    except Exception:  # noqa: BLE001 - for damaged bytes Pillow raises almost anything
        return ("no image",)


def _check_scores(archive: Path, run: Run, ours: ScoresRecord) -> None:
    """Refuse scores by another protocol, and a FID that the translations do not have."""
    theirs = comparison_key(run)
    mine = comparison_key(Run(run.folder, run.record, ours))
    for key in sorted(theirs.keys() & mine.keys()):
        if theirs[key] != mine[key]:
            raise UserError(
                f"{archive} was scored with another {key} ({theirs[key]!r}) than here"
                f" ({mine[key]!r}); ask its author to score it by this protocol"
            )
    claimed, found = run.scored.scores.get("fid"), ours.scores.get("fid")
    if found is None:
        raise UserError(
            f"{archive} can't be scored again: {ours.missing.get('fid', 'FID is missing')}"
        )
    if claimed is not None and abs(claimed - found) > max(RELATIVE * found, ABSOLUTE):
        raise UserError(
            f"{archive} claims a FID of {claimed:.2f}, but its translations have {found:.2f} here;"
            " ask its author how it was scored"
        )
