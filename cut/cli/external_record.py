"""Check the translations of a method of commands, and write the records of its run."""

from __future__ import annotations

import argparse
from pathlib import Path

from cut.cli.arguments import json_object


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--method", required=True, help="a name that `cut methods` lists")
    parser.add_argument("--name", help="the row's name in tables (default: the method)")
    parser.add_argument("--seed", type=int, default=0, help="that the commands were given")
    parser.add_argument("--options", default="{}", help="the method's options, a JSON object")
    parser.add_argument("--test", type=Path, required=True, help="the exported test images")
    parser.add_argument("--out", type=Path, required=True, help="the run's folder")
    parser.add_argument("measured", type=Path, nargs="*", help="Snakemake's benchmark files")


def run(args: argparse.Namespace) -> int:
    """Check the translations and write the records."""
    from cut.training.external_run import write_record

    n = write_record(
        args.method,
        args.name or args.method,
        args.seed,
        json_object(args.options),
        args.test,
        args.out,
        args.measured,
    )
    print(f"{args.out} is complete: {n} translations")
    return 0
