"""Score the images after each step of a run's translations, for a method that has several.

Writes RUN_DIR/steps.json: FID and KID of each step over the whole test set.
"""

from __future__ import annotations

import argparse

from cut.cli.arguments import add_extraction, add_run, check_positive


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_run(parser)
    add_extraction(parser)


def run(args: argparse.Namespace) -> int:
    """Score the steps of the run."""
    check_positive("--batch-size", args.batch_size)

    from cut.base.device import choose_device
    from cut.data.dataset import Dataset
    from cut.metrics.inception.extract import Extractor
    from cut.metrics.inception.weights import read_weights_json
    from cut.metrics.steps import score_steps

    weights = read_weights_json(args.weights_json)
    extractor = Extractor(weights, choose_device(args.device), args.batch_size)
    found = score_steps(Dataset.load(args.dataset), args.run, extractor, args.reference)
    for scored in found.steps:
        value = "no FID" if scored.fid is None else f"FID {scored.fid:.4f}"
        print(f"step {scored.step}: {value}")
    return 0
