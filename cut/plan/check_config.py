"""Check configurations and print their runs."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from cut.base.errors import UserError
from cut.plan import inputs
from cut.plan.config import Config, read
from cut.plan.plan import make_plan


def main(argv: Sequence[str] | None = None) -> int:
    """Check configurations, or print their schema."""
    parser = argparse.ArgumentParser(prog="python -m cut config", description="Check configs.")
    parser.add_argument("files", nargs="*", type=Path, metavar="CONFIG.yaml")
    parser.add_argument("--schema", action="store_true", help="print the JSON schema")
    args = parser.parse_args(argv)
    if args.schema:
        print(json.dumps(Config.model_json_schema(), indent=2))
    elif not args.files:
        raise UserError("give one or more config files, or --schema")
    for path in args.files:
        plan = make_plan(read(path))
        inputs.check_inputs(plan)
        print(f"{path}: {len(plan.runs())} runs")
        for run in plan.runs():
            print(f"  {run}")
    return 0
