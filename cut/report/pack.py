"""Pack the results of one run into an archive that others can check and score again.

The zip file has the run's records, its generator, every translation of the test set, a few pictures
and a model card. `archive.json` has the sha256 of each. The same run gives the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from cut.base.errors import UserError
from cut.base.files import check_writable, replacing, sha256_of
from cut.base.image_files import by_stem
from cut.base.images import shown
from cut.records.archive import ArchiveRecord
from cut.records.dataset import DatasetRecord
from cut.records.images import Translated, TranslatedRecord, form_of
from cut.records.run import RunRecord
from cut.report.run_card import card_of_run
from cut.results.run import load_run

RECORD, CARD, PICTURES = "archive.json", "card.md", "pictures.png"
RECORDS = ("run.json", "scores.json", "resamples.csv", "history.csv")
GENERATOR = "generator.pt"
MANIFEST = "translated/manifest.json"
SHOWN = 6  # test images in the pictures
GAP = 4  # pixels between pictures


def pack(
    folder: Path,
    out: Path,
    dataset: DatasetRecord | None = None,
    citation: str = "",
    inputs: bool = False,
    replace: bool = False,
) -> ArchiveRecord:
    """Write the archive of the run in `folder` to `out`; return what it holds.

    Args:
        folder: a finished, translated and scored run.
        out: a path that ends with .zip.
        dataset: the run's data set, which has the licence; by default the list of known sets.
        citation: of the method, if it is known.
        inputs: whether the pictures show the inputs too, which are images of the data set.
        replace: whether a file that is there is replaced.

    Raises:
        UserError: the run is not finished or is a control, a file of it is missing or changed, or
            the path is of another kind or taken.
    """
    folder, out = Path(folder), Path(out)
    if out.suffix.lower() != ".zip":
        raise UserError(f"{out} does not end with .zip; give such a name")
    if out.exists() and not replace:
        raise UserError(f"{out} is there; give --replace, or another name")
    check_writable(out)
    run = load_run(folder)
    if run.control:
        raise UserError(
            f"{folder} is a control, which every benchmark makes itself; pack runs of methods"
        )
    files = {name: folder / name for name in RECORDS if (folder / name).is_file()}
    files |= _generator(folder, run.record)
    files |= _translations(folder, run.record)
    card = card_of_run(run, dataset, citation, PICTURES)
    made = {CARD: card.encode(), PICTURES: _pictures(folder, inputs)}
    digests = {name: sha256_of(path) for name, path in files.items()}
    check_outputs(run.record, digests, folder, "train this run again")
    digests |= {name: hashlib.sha256(content).hexdigest() for name, content in made.items()}
    same = ("dataset", "dataset_digest", "method", "algorithm", "seed", "size")
    record = ArchiveRecord(**{key: getattr(run.record, key) for key in same}, files_sha256=digests)
    made[RECORD] = (json.dumps(record.content(), indent=2) + "\n").encode()
    with replacing(out) as temporary:
        _write(temporary, files, made)
    return record


def check_outputs(record: RunRecord, digests: dict[str, str], place: Path, remedy: str) -> None:
    """Refuse a history or a generator that is not the one that the run's record names.

    Raises:
        UserError: names the file, in the folder or archive `place`, and the `remedy`.
    """
    for name, known in (("history.csv", record.history_sha256), (GENERATOR, _known(record))):
        if known and digests.get(name) != known:
            state = "is not the one of" if name in digests else "is missing beside"
            raise UserError(f"{place / name} {state} its run.json; {remedy}")


def _known(record: RunRecord) -> str:
    return "" if record.external else record.generator_sha256


def _generator(folder: Path, record: RunRecord) -> dict[str, Path]:
    path = folder / GENERATOR
    return {GENERATOR: path} if path.is_file() and not record.external else {}


def _translations(folder: Path, record: RunRecord) -> dict[str, Path]:
    """Return the manifest and the translations, which have to be those of the run's last epoch."""
    manifest = TranslatedRecord.read(folder / MANIFEST)
    check_manifest(manifest, record, folder / MANIFEST, "translate this run again")
    files = {f"translated/{name}": folder / "translated" / name for name in manifest.images}
    for name, path in files.items():
        if not path.is_file() or sha256_of(path) != manifest.images[path.name]:
            raise UserError(f"{folder / name} is not the image of its manifest; translate again")
    return {MANIFEST: folder / MANIFEST, **files}


def check_manifest(manifest: TranslatedRecord, record: RunRecord, place: Path, remedy: str) -> None:
    """Refuse translations of another run than `record`'s, or of another epoch than its last.

    Raises:
        UserError: names the first difference, and the `remedy`.
    """
    if not manifest.images:
        raise UserError(f"{place} names no translation; {remedy}")
    ours = Translated.of(record, operations=manifest.translated.operations_per_image)
    for key, value in ours.model_dump(exclude={"form"}).items():  # the data set decides the form
        theirs = getattr(manifest.translated, key)
        if theirs != value:
            raise UserError(f"{place} is of {key} {theirs!r} but its run has {value!r}; {remedy}")


def _pictures(folder: Path, inputs: bool) -> bytes:
    """Return a PNG of a few translations, under their `inputs` if these are wanted.

    Raises:
        UserError: the inputs are not beside the run.
    """
    translated = by_stem(folder / "translated")
    stems = sorted(translated)
    count = min(SHOWN, len(stems))
    chosen = [stems[i * len(stems) // count] for i in range(count)]
    rows, forms = [translated], [form_of(folder / "translated")]
    if inputs:
        source = folder.absolute().parents[1] / "test" / "source"
        rows.insert(0, by_stem(source))
        forms.insert(0, form_of(source))
        if lacking := [stem for stem in chosen if stem not in rows[0]]:
            raise UserError(f"there is no input {lacking[0]} beside {folder}; pack without inputs")
    return _sheet(
        [[shown(row[s], form) for s in chosen] for row, form in zip(rows, forms, strict=True)]
    )


def _sheet(rows: Sequence[Sequence[Image.Image]]) -> bytes:
    """Return images of one size, side by side in rows, as PNG."""
    width, height = rows[0][0].size
    across, down = len(rows[0]) * (width + GAP) - GAP, len(rows) * (height + GAP) - GAP
    sheet = Image.new("RGB", (across, down), "white")
    for j, row in enumerate(rows):
        for i, image in enumerate(row):
            sheet.paste(image.resize((width, height)), (i * (width + GAP), j * (height + GAP)))
    buffer = io.BytesIO()
    sheet.save(buffer, "PNG")
    return buffer.getvalue()


def _write(place: Path, files: dict[str, Path], made: dict[str, bytes]) -> None:
    with zipfile.ZipFile(place, "w") as archive:
        for name, path in files.items():
            _add(archive, name, path.read_bytes())
        for name, content in made.items():
            _add(archive, name, content)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    # A fixed time, so that the same run gives the same bytes.
    info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    info.external_attr = 0o644 << 16
    stored = Path(name).suffix == ".png"  # it is compressed already
    info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    archive.writestr(info, content)
