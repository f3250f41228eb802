"""Write the images of a data set at the size of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from cut.base import written
from cut.base.files import remove_unfinished, sha256_of
from cut.base.image_form import RGB, Fit, Form
from cut.base.image_size import height_width
from cut.base.images import framed, read, read_labels, resize, write
from cut.base.parallel import in_threads
from cut.data.dataset import Dataset
from cut.records.images import ExportRecord

OUTSIDE = 255  # the label of what shows nothing


def export(
    dataset: Dataset,
    out: Path,
    size: int | tuple[int, int],
    held: int = 0,
    fit: Fit = "stretch",
) -> dict[str, int]:
    """Write the test images at `size` (bicubic) into folders of `out`; return the counts.

    They are PNG, or of the domain's own form. `fit` is that of `cut.base.images.resize`.

    The folders are `source` and `target` and, if the set has them, `truth` (true counterparts),
    `mask` (8-bit grey, 0 or 255) and `labels` (label ids in 8-bit grey, at their own size). With
    `held`, the images are not the test images but the `held` training images of each domain that a
    training leaves out.
    """
    if held:
        return _export(dataset, out, size, _training(dataset, held, True), "held_out", fit)
    return _export(dataset, out, size, _test(dataset), "test", fit)


def export_training(
    dataset: Dataset,
    out: Path,
    size: int | tuple[int, int],
    held: int = 0,
    fit: Fit = "stretch",
) -> dict[str, int]:
    """Write the training images at `size` (bicubic) as PNG; return the number in each folder.

    The folders are `source` and `target` of `out`. The `held` images of each domain that no method
    may see are left out.
    """
    return _export(dataset, out, size, _training(dataset, held, False), "train", fit)


def _export(
    dataset: Dataset,
    out: Path,
    size: int | tuple[int, int],
    groups: dict[str, dict[str, Path]],
    split: Literal["train", "test", "held_out"],
    fit: Fit,
) -> dict[str, int]:
    """Write the images of each group in place of an earlier export's, then the manifest.

    Raises:
        UserError: a folder of a group holds images that no earlier export wrote.
    """
    size = height_width(size)
    manifest = Path(out) / "manifest.json"
    jobs = [(g, stem, path) for g, files in groups.items() for stem, path in files.items()]
    forms = {group: _form(dataset, group) for group in groups}
    names = [f"{group}/{stem}{forms[group].suffix}" for group, stem, _ in jobs]
    written.claim(Path(out), [*names, manifest.name], groups)

    def write_one(job: tuple[str, str, Path]) -> tuple[str, str]:
        group, stem, path = job
        name = f"{group}/{stem}{forms[group].suffix}"
        if group == "labels":
            image = framed(read_labels(path), size, fit, OUTSIDE)
        else:
            image = resize(read(path, forms[group]), size, fit)
        if group == "mask":
            image = image.convert("L").point(lambda level: 255 * (level >= 128))
        write(Path(out) / name, image)
        return name, sha256_of(Path(out) / name)

    for group in groups:
        remove_unfinished(Path(out) / group)  # of an export that was killed
    images = dict(in_threads(write_one, jobs, f"export {dataset.name}"))
    counts = {group: len(files) for group, files in groups.items() if files}
    record = ExportRecord(
        dataset=dataset.name,
        dataset_digest=dataset.digest,
        split=split,
        size=size,
        fit=fit,
        forms={group: forms[group] for group in counts if forms[group] != RGB},
        counts=counts,
        images=images,
    )
    record.write(manifest)
    return counts


def _form(dataset: Dataset, group: str) -> Form:
    """Return the form of the images of a group; masks and label maps have none of their own."""
    domain = {"source": "source", "target": "target", "truth": "target"}.get(group)
    return dataset.form(domain) if domain else RGB


def _test(dataset: Dataset) -> dict[str, dict[str, Path]]:
    return {
        "source": {path.stem: path for path in dataset.files("test", "source")},
        "target": {path.stem: path for path in dataset.files("test", "target")},
        "truth": dataset.truths() or {},
        "mask": dataset.masks() or {},
        "labels": dataset.labels() or {},
    }


def _training(dataset: Dataset, n: int, held: bool) -> dict[str, dict[str, Path]]:
    """Return the `n` held-out training images of each domain if `held`, otherwise the others."""
    domains = {domain: dataset.held_out(domain, n)[held] for domain in ("source", "target")}
    return {domain: {path.stem: path for path in paths} for domain, paths in domains.items()}
