"""Fetch or generate a data set, and verify it.

Writes the images and `dataset.json`. With --source the data set is a folder or archive of your own.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cut.base.errors import UserError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("name", help="a name of the registry, or your own name with --source")
    parser.add_argument("--out", type=Path, required=True, help="its folder, as data/NAME")
    parser.add_argument("--source", help="a local folder or archive, or a URL, to take it from")
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="KEY=VALUE",
        help="fields of the registry entry to override",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would be fetched, made and checked"
    )


def run(args: argparse.Namespace) -> int:
    """Prepare the data set, or print what preparing it would do."""
    from cut.data import dry_run
    from cut.data.prepare import prepare
    from cut.data.registry import resolve

    entry = resolve(args.name, settings(args.set, args.source))
    if args.dry_run:
        print("\n".join(dry_run.plan(entry, args.out)))
        return 0
    dataset = prepare(entry, args.out)
    counts = ", ".join(f"{folder} {n}" for folder, n in dataset.counts.items())
    print(f"{dataset.name} is complete: {counts}; images in {dataset.root}")
    return 0


def settings(pairs: Sequence[str], source: str | None) -> dict[str, Any]:
    """Return the fields that --set (with values in YAML) and --source override.

    Raises:
        UserError: a pair has no "=", or its value is not YAML.
    """
    import yaml

    found: dict[str, Any] = {} if source is None else {"source": source}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UserError(f"--set {pair}: expected key=value, as --set size=48")
        try:
            found[key] = yaml.safe_load(value)
        except yaml.YAMLError:
            raise UserError(f"--set {pair}: the value is not YAML; quote it") from None
    return found
