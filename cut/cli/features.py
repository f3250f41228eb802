"""Compute the Inception features of a folder of images.

The file holds `features` (N, 2048) float32, `names` (N,), and `protocol`, a JSON object with every
choice that the numbers depend on. Without weights it holds no rows, and the reason.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cut.base.errors import UserError, unknown
from cut.cli.arguments import add_extraction, add_network, check_positive


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("folder", type=Path, help="the images")
    parser.add_argument("out", type=Path, help="the .npz file to write")
    parser.add_argument("--weights-json", type=Path, required=True, help="from `cut inception`")
    parser.add_argument(
        "--meta",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="dataset=NAME or split=NAME, to keep in the protocol",
    )
    add_extraction(parser)
    add_network(parser)


def run(args: argparse.Namespace) -> int:
    """Write the features of the folder."""
    meta = {}
    for item in args.meta:
        key, separator, value = item.partition("=")
        if not separator or not key:
            raise UserError(f"--meta {item!r} is not KEY=VALUE")
        if key not in ("dataset", "split"):
            raise UserError(unknown("key of --meta", key, ("dataset", "split")))
        meta[key] = value
    check_positive("--batch-size", args.batch_size)

    from cut.base.device import choose_device
    from cut.metrics.image_folder import exported
    from cut.metrics.inception.extract import Extractor
    from cut.metrics.inception.features import save
    from cut.metrics.inception.weights import read_weights_json

    weights, device = read_weights_json(args.weights_json), choose_device(args.device)
    extractor = Extractor(weights, device, args.batch_size, args.network)
    features = extractor.features(exported(args.folder), meta)
    save(features, args.out)
    print(features.reason or f"features of {len(features.names)} images in {args.out}")
    return 0
