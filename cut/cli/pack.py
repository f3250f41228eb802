"""Pack the results of a finished run into an archive that others can check and score again.

    python -m cut pack RUN
    python -m cut pack RUN OUT.zip

The archive has the run's records, its generator, all translations of the test set, a few pictures,
a model card, and the sha256 of each. `python -m cut collect` takes it.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("run", type=Path, metavar="RUN", help="the folder of a scored run")
    parser.add_argument(
        "out",
        type=Path,
        nargs="?",
        metavar="OUT.zip",
        help="the archive (default: DATASET-ROW-seedN.zip in this folder)",
    )
    parser.add_argument(
        "--dataset",
        type=Path,
        metavar="DATASET.JSON",
        help="the run's data set, for its licence (default: the list of known data sets)",
    )
    parser.add_argument(
        "--inputs",
        action="store_true",
        help="show the inputs in the pictures too, if the licence of the data allows it",
    )
    parser.add_argument("--replace", action="store_true", help="replace OUT.zip")


def run(args: argparse.Namespace) -> int:
    """Pack the run."""
    from cut.methods.registry import discover
    from cut.records.dataset import DatasetRecord
    from cut.records.run import RunRecord
    from cut.report.pack import pack

    record = RunRecord.read(args.run / "run.json")
    out = args.out or Path(f"{record.dataset}-{record.method}-seed{record.seed}.zip")
    dataset = DatasetRecord.read(args.dataset) if args.dataset else None
    method = discover().methods.get(record.algorithm)
    citation = method.citation if method else ""
    packed = pack(args.run, out, dataset, citation, args.inputs, args.replace)
    print(f"wrote {out}: {len(packed.files_sha256) + 1} files of {out.stat().st_size} bytes")
    return 0
