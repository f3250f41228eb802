"""Data sets: fetch or generate, verify every file, and say which files they have.

    python -m cut.datasets list [--markdown]
    python -m cut.datasets prepare NAME --out data/NAME [--source PATH_OR_URL] [--set key=value ...]
        [--dry-run]
    python -m cut.datasets export data/NAME/dataset.json OUT --size 64 [--held-out N]

`prepare` writes `dataset.json`, last: where it stands, the set is whole. Every later stage reads
that file and the images that it lists. A folder given as source is used where it is; archives are
unpacked into `--out`.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cut import preview
from cut.errors import UserError, command
from cut.files import read_json, write_json
from cut.images import is_image, read_image, read_labels, resize, write_png
from cut.prepare import verified_record
from cut.registry import Entry, registry, resolve
from cut.sizes import height_width
from cut.verify import in_threads

__all__ = ["Dataset", "Entry", "export", "prepare", "resolve"]


@dataclass(frozen=True)
class Dataset:
    """A verified data set on disk.

    `source` and `target` are the domains' words, `counts` the images of each folder, `images` the
    sha256 of each "FOLDER/NAME", `digest` one sha256 over all of them and the direction.
    """

    name: str
    root: Path
    source: str
    target: str
    direction: str
    digest: str
    counts: dict[str, int]
    images: dict[str, str]

    @classmethod
    def load(cls, path: Path) -> Dataset:
        """Read a `dataset.json`.

        Raises:
            UserError: it is missing or no such file, or the images aren't there any more.
        """
        path = Path(path)
        record = read_json(path)
        keys = ("name", "root", "source", "target", "direction", "digest", "counts", "images")
        if not isinstance(record, dict) or not set(keys) <= set(record):
            raise UserError(f"{path} is no data set's record; python -m cut.datasets writes one")
        # An absolute root stays as it is; a relative one is meant from the record's folder.
        root = path.parent / record["root"]
        if not root.is_dir():
            raise UserError(f"the images of {path} were at {root}, which is gone; prepare it again")
        return cls(**{**{key: record[key] for key in keys}, "root": root})

    def files(self, split: str, domain: str) -> list[Path]:
        """Return the images of split "train" or "test" in domain "source" or "target", by name.

        Raises:
            UserError: one of them was removed since the data set was verified.
        """
        if split not in ("train", "test") or domain not in ("source", "target"):
            raise ValueError(f"no split {split!r} or no domain {domain!r}")
        return self._folder(f"{split}{self._letter(domain)}")

    def held_out(self, domain: str, n: int) -> tuple[list[Path], list[Path]]:
        """Return (training images of a domain without the held-out ones, the `n` held out).

        Which they are depends on the names alone, not on a run's seed: every method and seed
        leaves out the same images.

        Raises:
            UserError: fewer than two would be on either side (no distance of distributions then).
        """
        files = self.files("train", domain)
        if n and not 2 <= n <= len(files) - 2:
            raise UserError(
                f"held_out is {n}, but {self.name} has {len(files)} training images of the {domain}"
                " domain: give 0, or leave at least two on either side"
            )
        order = sorted(files, key=lambda file: hashlib.sha256(file.name.encode()).digest())
        out = set(order[:n])
        return [f for f in files if f not in out], [f for f in files if f in out]

    def truths(self) -> dict[str, Path] | None:
        """Return {stem: true counterpart} of the test sources, or None where none are known."""
        return self._by_stem(f"truth{self._letter('target')}")

    def masks(self) -> dict[str, Path] | None:
        """Return {stem: mask of what has to change} of the test sources, or None."""
        return self._by_stem(f"mask{self._letter('source')}")

    def labels(self) -> dict[str, Path] | None:
        """Return {stem: map of label ids} of the test sources, or None."""
        return self._by_stem(f"labels{self._letter('source')}")

    def _letter(self, domain: str) -> str:
        return "A" if (domain == "source") == (self.direction == "AtoB") else "B"

    def _by_stem(self, folder: str) -> dict[str, Path] | None:
        return {path.stem: path for path in self._folder(folder)} or None

    def _folder(self, folder: str) -> list[Path]:
        names = sorted(name for name in self.images if name.startswith(f"{folder}/"))
        paths = [self.root / name for name in names]
        for path in paths:
            if not path.is_file():
                raise UserError(f"{path} is gone since {self.name} was verified; prepare it again")
        return paths


def prepare(entry: Entry, out: Path) -> Dataset:
    """Fetch, unpack or generate the data set, verify it, and write `out/dataset.json`.

    A set that was verified here before and whose files have not changed since is not read again.

    Raises:
        UserError: the first thing that is wrong, with the name of the file.
    """
    out = Path(out)
    record = verified_record(entry, out)
    path = out / "dataset.json"
    # An equal record keeps its time stamp: nothing that depends on it has to run again.
    if not path.is_file() or read_json(path) != record:
        write_json(path, record)
    return Dataset.load(path)


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
    head = {"dataset": dataset.name, "dataset_digest": dataset.digest}
    head |= {"split": "held out of training" if held else "test"}
    write_json(manifest, {**head, "size": [h, w], "counts": counts})
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


def _settings(pairs: Sequence[str], source: str | None) -> dict[str, Any]:
    """Return the overrides of --set key=value (values in YAML) and --source."""
    settings: dict[str, Any] = {} if source is None else {"source": source}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UserError(f"--set {pair}: expected key=value, as --set size=48")
        try:
            settings[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise UserError(f"--set {pair}: the value is not YAML; quote it") from None
    return settings


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cut.datasets", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    commands = parser.add_subparsers(dest="command", required=True)
    show = commands.add_parser("list", help="show the registry")
    show.add_argument("--markdown", action="store_true", help="as the table of docs/datasets.md")
    one = commands.add_parser("prepare", help="fetch and verify a data set")
    one.add_argument("name", help="a name of the registry, or your own with --source")
    one.add_argument("--out", type=Path, required=True, help="its folder, as data/NAME")
    one.add_argument("--source", help="a folder or archive here, or a URL, instead of the usual")
    one.add_argument("--set", nargs="+", action="extend", default=[], metavar="KEY=VALUE")
    one.add_argument(
        "--dry-run", action="store_true", help="say what would be fetched, made and checked"
    )
    two = commands.add_parser("export", help="write the test images at a size")
    two.add_argument("dataset", type=Path, help="a dataset.json")
    two.add_argument("out", type=Path, help="the folder for source/ target/ truth/ mask/")
    two.add_argument("--size", required=True, help="pixels, or HEIGHTxWIDTH")
    two.add_argument("--held-out", type=int, default=0, metavar="N", help="instead of the test"
                     " images, the N of each domain that trainings leave out")  # fmt: skip
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the three commands."""
    args = _parser().parse_args(argv)
    if args.command == "list":
        every = (line for name in registry() for line in preview.overview(resolve(name)))
        print(preview.table().rstrip() if args.markdown else "\n".join(every))
    elif args.command == "prepare":
        entry = resolve(args.name, _settings(args.set, args.source))
        if args.dry_run:
            print("\n".join(preview.plan(entry, args.out)))
            return 0
        dataset = prepare(entry, args.out)
        counts = ", ".join(f"{folder} {n}" for folder, n in dataset.counts.items())
        print(f"{dataset.name} is whole: {counts}; images in {dataset.root}")
    else:
        size = height_width(args.size, "--size")
        counts = export(Dataset.load(args.dataset), args.out, size, args.held_out)
        print(f"wrote {', '.join(f'{n} {group}' for group, n in counts.items())} to {args.out}")
    return 0


if __name__ == "__main__":
    command(main)
