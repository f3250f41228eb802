"""Write a data set's images at the size of a run."""

from __future__ import annotations

from pathlib import Path

from cut.base.image_size import height_width
from cut.base.images import is_image, read_image, read_labels, resize, write_png
from cut.base.parallel import in_threads
from cut.data.dataset import Dataset
from cut.records.images import ExportRecord


def export(
    dataset: Dataset, out: Path, size: int | tuple[int, int], held: int = 0
) -> dict[str, int]:
    """Write the test images at `size` (bicubic) as PNG into folders of `out`; return the counts.

    `source` and `target`, and where the set has them `truth` (true counterparts), `mask` (8-bit
    grey, 0 or 255) and `labels` (label ids in 8-bit grey, at their own size). With `held`, the
    `held` images of each domain that a training with that many held out does not see, instead.
    Images of an earlier export are removed, `manifest.json` comes last.
    """
    h, w = height_width(size)
    groups = _held_out(dataset, held) if held else _test(dataset)
    manifest = Path(out) / "manifest.json"
    manifest.unlink(missing_ok=True)

    def write(job: tuple[str, str, Path]) -> None:
        group, stem, path = job
        image = read_labels(path) if group == "labels" else resize(read_image(path), (h, w))
        if group == "mask":
            image = image.convert("L").point(lambda level: 255 * (level >= 128))
        write_png(Path(out) / group / f"{stem}.png", image)

    for group, files in groups.items():
        for old in (Path(out) / group).glob("*"):
            if is_image(old) and (old.suffix != ".png" or old.stem not in files):
                old.unlink()
    jobs = [(g, stem, path) for g, files in groups.items() for stem, path in files.items()]
    in_threads(write, jobs, f"export {dataset.name}")
    counts = {group: len(files) for group, files in groups.items() if files}
    ExportRecord(
        dataset=dataset.name,
        dataset_digest=dataset.digest,
        split="held_out" if held else "test",
        size=(h, w),
        counts=counts,
    ).write(manifest)
    return counts


def _test(dataset: Dataset) -> dict[str, dict[str, Path]]:
    return {
        "source": {path.stem: path for path in dataset.files("test", "source")},
        "target": {path.stem: path for path in dataset.files("test", "target")},
        "truth": dataset.truths() or {},
        "mask": dataset.masks() or {},
        "labels": dataset.labels() or {},
    }


def _held_out(dataset: Dataset, n: int) -> dict[str, dict[str, Path]]:
    found = {domain: dataset.held_out(domain, n)[1] for domain in ("source", "target")}
    return {domain: {path.stem: path for path in paths} for domain, paths in found.items()}
