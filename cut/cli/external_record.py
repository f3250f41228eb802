"""Check the translations of a method of commands, and write the records of its run.

Writes run.json, history.csv and translated/manifest.json beside the request file.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("request", type=Path, metavar="REQUEST", help="the run's request.json")
    parser.add_argument("--test", type=Path, required=True, help="the exported test images")
    parser.add_argument(
        "--measured", type=Path, nargs="*", default=[], help="Snakemake's benchmark files"
    )


def run(args: argparse.Namespace) -> int:
    """Check the translations and write the records."""
    from cut.records.request import RequestRecord
    from cut.training.external_record import write_record

    request, out = RequestRecord.read(args.request), args.request.parent
    n = write_record(
        request.method,
        request.row,
        request.seed,
        request.options,
        args.test,
        out,
        args.measured,
    )
    print(f"{out} is complete: {n} translations")
    return 0
