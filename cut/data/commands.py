"""The commands on data sets: list, prepare, export."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from cut.base.errors import UserError
from cut.base.image_size import height_width
from cut.data import dry_run
from cut.data.dataset import Dataset
from cut.data.export import export
from cut.data.prepare import prepare
from cut.data.registry import registry, resolve


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
    parser = argparse.ArgumentParser(prog="python -m cut datasets", description=__doc__)
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
        every = (line for name in registry() for line in dry_run.overview(resolve(name)))
        print(dry_run.table().rstrip() if args.markdown else "\n".join(every))
    elif args.command == "prepare":
        entry = resolve(args.name, _settings(args.set, args.source))
        if args.dry_run:
            print("\n".join(dry_run.plan(entry, args.out)))
            return 0
        dataset = prepare(entry, args.out)
        counts = ", ".join(f"{folder} {n}" for folder, n in dataset.counts.items())
        print(f"{dataset.name} is whole: {counts}; images in {dataset.root}")
    else:
        size = height_width(args.size, "--size")
        counts = export(Dataset.load(args.dataset), args.out, size, args.held_out)
        print(f"wrote {', '.join(f'{n} {group}' for group, n in counts.items())} to {args.out}")
    return 0
