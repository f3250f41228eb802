"""Score a folder of translations.

REAL and FAKE are folders of images; REAL may also be a file of features, as written by
`cut features`. FID is what `python -m pytorch_fid REAL FAKE` prints with the same weights.
--test names what `cut export` wrote: the inputs in source/ and, where the data set has them, true
counterparts in truth/ and label maps in labels/. A score that cannot be computed is null, with the
reason beside it. --network pytorch-fid computes features with the network of the pytorch-fid
package, and reports how far the faster network of this project is from it. docs/scores.md describes
each score.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cut.base.errors import UserError
from cut.cli.arguments import add_extraction, add_network, add_weights, check_positive


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("real", type=Path, help="folder of real images, or features (.npz)")
    parser.add_argument("fake", type=Path, help="folder of translations")
    parser.add_argument("--truth", type=Path, help="folder of true counterparts, by name")
    parser.add_argument("--source", type=Path, help="folder of the inputs, by name")
    parser.add_argument("--labels", type=Path, help="folder of label maps of the inputs, by name")
    parser.add_argument(
        "--test", type=Path, help="folder that `cut export` wrote, in place of these three"
    )
    add_weights(parser)
    parser.add_argument("--segmenter", type=Path, help="file of DRN-D-22 weights, for label maps")
    parser.add_argument(
        "--segmenter-size",
        metavar="HEIGHTxWIDTH",
        help="size of the images that the segmenter sees, or 'image' for their own (default: that"
        " of its training)",
    )
    parser.add_argument(
        "--training", type=Path, help="the target's training images, or their features (.npz)"
    )
    parser.add_argument(
        "--networks", type=Path, help="file that `cut networks` wrote: adds ST-LPIPS and edges"
    )
    parser.add_argument("--json", type=Path, help="also write the scores here")
    parser.add_argument("--features", type=Path, help="also write the translations' features here")
    parser.add_argument(
        "--resamples",
        type=Path,
        help="also write scores over resamples of the images here (.csv), to compare rows by",
    )
    add_extraction(parser)
    add_network(parser)


def run(args: argparse.Namespace) -> int:
    """Score the translations and print the scores."""
    check_positive("--batch-size", args.batch_size)
    if not args.fake.is_dir():
        raise UserError(f"there is no folder {args.fake}; expected a folder of translations")

    from cut.base.device import choose_device
    from cut.base.files import check_writable
    from cut.metrics import score
    from cut.metrics.image_pairs import PairNetworks
    from cut.metrics.inception.extract import Extractor
    from cut.metrics.score_listing import score_listing
    from cut.metrics.segmentation.segmenter import SIZE, Segmenter
    from cut.records.networks import NetworksRecord

    device = choose_device(args.device)
    for path in filter(None, (args.json, args.features, args.resamples)):
        check_writable(path)
    size = args.segmenter_size or SIZE
    segmenter = Segmenter.load(args.segmenter, size) if args.segmenter else None
    weights = score.weights_of(args.weights_json, args.fid_weights)
    partners = score.Partners.of(args.test, args.truth, args.source, args.labels)
    extractor = Extractor(weights, device, args.batch_size, args.network)
    networks = PairNetworks.load(args.networks and NetworksRecord.read(args.networks), device)
    given = (args.features, args.resamples, args.training, networks)
    record = score.score(args.real, args.fake, partners, extractor, segmenter, *given)
    print(score_listing(record))
    if args.json:
        record.write(args.json)
    return 0
