"""Measure how far the translations of one input differ, for a method that draws several.

Translates every test input --samples times with other random numbers, and writes
RUN_DIR/diversity.json: the mean ST-LPIPS over all pairs of translations of an input. A method with
one translation per image has none.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cut.cli.arguments import add_extraction, check_positive


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--dataset", type=Path, required=True, help="the data set's dataset.json")
    parser.add_argument(
        "--run", type=Path, required=True, metavar="RUN_DIR", help="the run's folder"
    )
    parser.add_argument("--networks", type=Path, required=True, help="from `cut networks`")
    parser.add_argument(
        "--samples", type=int, default=5, help="translations per input (default: 5)"
    )
    add_extraction(parser)


def run(args: argparse.Namespace) -> int:
    """Measure the diversity of the run."""
    check_positive("--batch-size", args.batch_size)

    from cut.base.device import choose_device
    from cut.data.dataset import Dataset
    from cut.metrics.diversity import score_diversity
    from cut.metrics.image_pairs import PairNetworks
    from cut.records.networks import NetworksRecord

    device = choose_device(args.device)
    networks = PairNetworks.load(NetworksRecord.read(args.networks), device)
    dataset = Dataset.load(args.dataset)
    found = score_diversity(dataset, args.run, networks, device, args.batch_size, args.samples)
    print(found.missing or f"ST-LPIPS between translations of one input: {found.st_lpips:.4f}")
    return 0
