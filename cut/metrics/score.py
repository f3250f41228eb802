"""Score translations against real images, their inputs, and true counterparts where known.

    python -m cut score REAL FAKE [--test DIR] [--fid-weights FILE] [--json OUT]

REAL and FAKE are folders of images. REAL may also be a file of features, written by
`python -m cut features`. FID equals the output of `python -m pytorch_fid REAL FAKE` with the same
weights. DIR is what `python -m cut export` wrote: the inputs in `source` and, where the data set
has them, true counterparts in `truth` and label maps in `labels`. A score that can't be computed is
null, and `missing` says why. `--network pytorch-fid` computes features with the network of the
pytorch-fid package and reports how far the faster network of this project is from it.
docs/scores.md describes every score.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cut.base.device import choose_device
from cut.base.errors import UserError
from cut.base.files import check_writable
from cut.base.image_size import in_words
from cut.metrics.catalogue import METRICS
from cut.metrics.inception.extract import Extractor, add_arguments, check_batch_size
from cut.metrics.inception.weights import (
    InceptionWeights,
    WeightsUnavailable,
    find_inception,
    read_weights_json,
)
from cut.metrics.score_folder import Partners, score
from cut.metrics.segmentation import segmenter as segmentation
from cut.metrics.segmentation.segmenter import Segmenter
from cut.records.scores import ScoresRecord


def table(record: ScoresRecord) -> str:
    """Return the scores as lines to read, and each reason for missing ones once."""
    real, fake = record.protocol.real, record.protocol.fake
    lines = [f"{fake.images} images against {real.images} real ones"]
    if real.size != fake.size:
        lines.append(
            f"note: the real images are {in_words(real.size)}, these {in_words(fake.size)};"
            " FID depends on the size that images had before"
        )
    for name, value in record.scores.items():
        better = METRICS[name].better
        shown = "missing" if value is None else f"{value:.6g}"
        lines.append(f"  {name:16}{shown:14}{better and f'{better} is better'}".rstrip())
    for reason in dict.fromkeys(record.missing.values()):
        names = [name for name, given in record.missing.items() if given == reason]
        lines.append(f"missing {', '.join(names)}: {reason}")
    if apart := record.protocol.fast_network:
        fid = "" if apart.fid is None else f", FID by {apart.fid:.1e}"
        lines.append(f"the fast network's features differ by {apart.features:.1e}{fid} (relative)")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(prog="python -m cut score")
    parser.add_argument("real", type=Path, help="folder of real images, or features (.npz)")
    parser.add_argument("fake", type=Path, help="folder of translations")
    parser.add_argument("--truth", type=Path, help="folder of true counterparts, by name")
    parser.add_argument("--source", type=Path, help="folder of the inputs, by name")
    parser.add_argument("--labels", type=Path, help="folder of label maps of the inputs, by name")
    parser.add_argument("--test", type=Path, help="folder that `cut export` wrote, for these three")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--fid-weights", type=Path, help="file of pytorch-fid's Inception weights")
    source.add_argument("--weights-json", type=Path, help="file that `cut inception` wrote")
    parser.add_argument("--segmenter", type=Path, help="file of DRN-D-22 weights, for label maps")
    parser.add_argument(
        "--segmenter-size",
        default=segmentation.SIZE,
        help="HEIGHTxWIDTH of its input, or 'image' for each image's own size (%(default)s)",
    )
    parser.add_argument("--json", type=Path, help="also write the scores here")
    parser.add_argument("--features", type=Path, help="also write the translations' features here")
    add_arguments(parser, network=True)
    return parser


def _weights(args: argparse.Namespace) -> InceptionWeights | WeightsUnavailable:
    if args.weights_json:
        return read_weights_json(args.weights_json)
    try:
        return find_inception(args.fid_weights)
    except WeightsUnavailable as error:
        return error


def main(argv: Sequence[str] | None = None) -> int:
    """Score one folder of translations."""
    args = _parser().parse_args(argv)
    device = choose_device(args.device)
    check_batch_size(args.batch_size)
    if not args.fake.is_dir():
        raise UserError(f"there is no folder {args.fake}; expected a folder of translations")
    for path in filter(None, (args.json, args.features)):
        check_writable(path)
    segmenter = Segmenter.load(args.segmenter, args.segmenter_size) if args.segmenter else None
    extractor = Extractor(_weights(args), device, args.batch_size, args.network)
    given = {name: getattr(args, name) for name in ("truth", "source", "labels")}
    partners = replace(
        Partners.inside(args.test) if args.test else Partners(),
        **{name: path for name, path in given.items() if path},
    )
    record = score(args.real, args.fake, partners, extractor, segmenter, args.features)
    print(table(record))
    if args.json:
        record.write(args.json)
    return 0
