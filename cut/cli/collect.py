"""Merge the runs of several machines, and archives of other people's runs, into the same tables.

    python -m cut collect --out TABLES RESULTS_A RESULTS_B
    python -m cut collect --out TABLES RESULTS archive.zip

Finds every finished and scored run below the given folders and writes the tables that the workflow
would have written. A run is its data set, row and seed. If the same run is found twice, everything
that decides its scores must agree. Runs with different scoring protocols, versions of a data set,
options or code under one name are refused.

An archive is one that `cut pack` wrote. It is unpacked into OUT/received and checked, and its
translations are scored against the test images below the given folders. Its own scores are not
used.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from cut.base.errors import UserError
from cut.cli.arguments import (
    add_ablation,
    add_deviations,
    add_extraction,
    add_weights,
    check_positive,
    deviations,
)

if TYPE_CHECKING:
    from cut.report.received import Rescore


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--out", type=Path, required=True, help="the folder for the tables")
    parser.add_argument(
        "--received", type=Path, help="the folder for runs from archives (default: OUT/received)"
    )
    add_ablation(parser)
    add_deviations(parser)
    add_weights(parser)
    parser.add_argument("--segmenter", type=Path, help="file of DRN-D-22 weights, for label maps")
    parser.add_argument(
        "--segmenter-size",
        metavar="HEIGHTxWIDTH",
        help="size of the images that the segmenter sees, as for `cut score`",
    )
    parser.add_argument(
        "--networks", type=Path, help="file that `cut networks` wrote: adds ST-LPIPS and edges"
    )
    add_extraction(parser)
    parser.add_argument(
        "folders",
        type=Path,
        nargs="+",
        metavar="RESULTS",
        help="a folder of results, or an archive",
    )


def run(args: argparse.Namespace) -> int:
    """Collect the runs and write their tables."""
    from cut.report.collect import collect

    archives = [path for path in args.folders if path.is_file()]
    folders = [path for path in args.folders if path not in archives]
    if archives:
        folders.append(_receive(args, archives, folders))
    collect(args.out, folders, args.ablation, deviations(args.seed_deviation))
    return 0


def _receive(args: argparse.Namespace, archives: list[Path], folders: list[Path]) -> Path:
    """Take the archives; return the folder of their runs."""
    from cut.report.received import receive

    if not folders:
        raise UserError("archives alone were given; give a folder of results with test images too")
    into = args.received or args.out / "received"
    for taken in receive(archives, folders, into, rescorer(args)):
        print(taken.summary)
    return into


def rescorer(args: argparse.Namespace) -> Rescore:
    """Return what scores translations again, with the network that scored the reference."""
    check_positive("--batch-size", args.batch_size)

    from cut.base.device import choose_device
    from cut.metrics import score
    from cut.metrics.image_pairs import PairNetworks
    from cut.metrics.inception import features
    from cut.metrics.inception.extract import Extractor
    from cut.metrics.segmentation.segmenter import SIZE, Segmenter
    from cut.records.networks import NetworksRecord
    from cut.records.scores import ScoresRecord

    device = choose_device(args.device)
    weights = score.weights_of(args.weights_json, args.fid_weights)
    size = args.segmenter_size or SIZE
    segmenter = Segmenter.load(args.segmenter, size) if args.segmenter else None
    networks = PairNetworks.load(args.networks and NetworksRecord.read(args.networks), device)
    extractors: dict[str, Extractor] = {}  # each loads its network once

    def rescore(test: Path, run: Path) -> ScoresRecord:
        kept, training = test / "target.npz", test.parent / "train" / "target.npz"
        network = features.load(kept).protocol.network if kept.is_file() else "fast"
        if network not in extractors:
            extractors[network] = Extractor(weights, device, args.batch_size, network)
        return score.score(
            kept if kept.is_file() else test / "target",
            run / "translated",
            score.Partners.inside(test),
            extractors[network],
            segmenter,
            keep=run / "features.npz",
            resamples=run / "resamples.csv",
            training=training if training.is_file() else None,
            networks=networks,
        )

    return rescore
