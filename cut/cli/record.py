"""Check run records, or print their JSON schema."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from cut.base.errors import UserError
from cut.cli.arguments import add_schema


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("files", type=Path, nargs="*", metavar="RUN_DIR/run.json")
    add_schema(parser)


def run(args: argparse.Namespace) -> int:
    """Print the schema, or check the records."""
    if not args.schema and not args.files:
        raise UserError("give one or more run.json, or --schema")

    from cut.base.files import read_json
    from cut.records.run_record import RunRecord, check

    if args.schema:
        print(json.dumps(RunRecord.model_json_schema(), indent=2))
    for path in args.files:
        facts = check(read_json(path), path)
        print(f"{path}: {facts['method']} on {facts['dataset']}, seed {facts['seed']}")
    return 0
