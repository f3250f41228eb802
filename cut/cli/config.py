"""Check configurations and print their runs, one per line."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from cut.base.errors import UserError
from cut.cli.arguments import add_schema


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("files", nargs="*", type=Path, metavar="CONFIG.yaml")
    add_schema(parser)


def run(args: argparse.Namespace) -> int:
    """Check each file, or print the schema."""
    if args.schema:
        from cut.plan.config import Config

        print(json.dumps(Config.model_json_schema(), indent=2))
    elif not args.files:
        raise UserError("give one or more config files, or --schema")
    if args.files:
        from cut.plan.config import read
        from cut.plan.inputs import check_inputs
        from cut.plan.plan import make_plan

        for path in args.files:
            plan = make_plan(read(path))
            check_inputs(plan)
            print("\n  ".join([f"{path}: {len(plan.runs())} runs", *plan.runs()]))
    return 0
