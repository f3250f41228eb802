"""Write a trained generator as ONNX or TorchScript, with a model card beside it.

    python -m cut export generator RUN OUT.onnx
    python -m cut export generator RUN OUT.pt

The file takes images (N, 3, H, W) in [-1, 1] and returns their translations; N, H and W are free.
It is kept only if its translations agree with the generator's. OUT.md is the model card.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("generator", type=Path, metavar="RUN", help="a run, or a generator in it")
    parser.add_argument("out", type=Path, metavar="OUT", help="OUT.onnx, or OUT.pt for TorchScript")
    parser.add_argument(
        "--dataset",
        type=Path,
        metavar="DATASET.JSON",
        help="the run's data set, for its licence (default: the list of known data sets)",
    )
    parser.add_argument("--replace", action="store_true", help="replace OUT and its card")


def run(args: argparse.Namespace) -> int:
    """Export the generator."""
    from cut.apply.card import card_of
    from cut.apply.export import card_path, export_generator
    from cut.apply.trained import load_trained
    from cut.records.dataset import DatasetRecord

    trained = load_trained(args.generator)
    dataset = DatasetRecord.read(args.dataset) if args.dataset else None

    def card(file: Path, difference: float) -> str:
        return card_of(trained, args.out, file, difference, dataset)

    difference = export_generator(trained, args.out, card, args.replace)
    print(f"wrote {args.out} and {card_path(args.out)}; largest difference {difference:.1g}")
    return 0
