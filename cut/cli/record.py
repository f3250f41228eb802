"""Check the records that runs leave, or print their JSON schemas.

Each file is checked by its name: run.json, scores.json, best.json and so on. The schemas are
published in docs/schemas.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from cut.base.errors import UserError


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE")
    parser.add_argument("--schema", metavar="NAME", help="print the schema of this record")
    parser.add_argument(
        "--write-schemas", type=Path, metavar="FOLDER", help="write FOLDER/NAME.schema.json for all"
    )


def run(args: argparse.Namespace) -> int:
    """Check the files, and print or write schemas."""
    if not (args.files or args.schema or args.write_schemas):
        raise UserError("give one or more files, --schema NAME or --write-schemas FOLDER")

    from cut.records.commands import check, schema, write_schemas

    if args.schema:
        print(json.dumps(schema(args.schema), indent=2))
    if args.write_schemas:
        print(f"wrote {len(write_schemas(args.write_schemas))} schemas to {args.write_schemas}")
    for path in args.files:
        print(check(path))
    return 0
