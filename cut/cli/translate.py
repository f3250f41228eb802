"""Translate a data set's test set, or any folder of images, with a trained run.

python -m cut translate RUN FOLDER OUT
    translates every image of FOLDER, or one image, into OUT/NAME.png. RUN is the folder of a
    finished run, or a generator in it. No data set is needed.

python -m cut translate --dataset DATASET.JSON --run RUN
    writes RUN/translated/NAME.png for every test image and, last, `manifest.json` with the
    digest of each. Scores are computed from these.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cut.base.errors import UserError
from cut.cli.arguments import add_device, check_positive

PLACES = ("generator", "images", "out")
OF_A_DATASET = ("dataset", "run", "batch_size")
OF_A_FOLDER = ("size", "fit", "tile", "overlap", "statistics", "replace")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    one = parser.add_argument_group("any images")
    one.add_argument("generator", type=Path, nargs="?", metavar="RUN", help="run, or generator")
    one.add_argument("images", type=Path, nargs="?", metavar="FOLDER", help="folder, or an image")
    one.add_argument("out", type=Path, nargs="?", metavar="OUT", help="folder to write into")
    one.add_argument("--size", help="resize to pixels, or HEIGHTxWIDTH (default: each image's own)")
    one.add_argument(
        "--fit",
        choices=["stretch", "crop", "pad"],  # those of `Fit`, whose module loads pydantic
        help="how --size treats another aspect ratio (default: as the training did)",
    )
    one.add_argument("--tile", type=int, metavar="PIXELS", help="cut into tiles of this side")
    one.add_argument(
        "--overlap", type=int, metavar="PIXELS", help="of tiles (default: an eighth of a tile)"
    )
    one.add_argument(
        "--statistics",
        choices=["tile", "image"],
        help="instance norm's mean and deviation: each tile's own (default), or the whole image's",
    )
    one.add_argument("--replace", action="store_true", help="replace other files in OUT")
    test = parser.add_argument_group("a data set's test images")
    test.add_argument("--dataset", type=Path, help="the data set's dataset.json")
    test.add_argument("--run", type=Path, metavar="RUN_DIR", help="the run's folder")
    test.add_argument("--batch-size", type=int, help="images at a time (default: 8)")
    add_device(parser)


def run(args: argparse.Namespace) -> int:
    """Translate a folder or the test set."""
    folder = any(getattr(args, name) is not None for name in PLACES)
    given = [name for name in PLACES if getattr(args, name) is not None]
    if folder and len(given) < len(PLACES):
        raise UserError("expected three places: RUN FOLDER OUT; or --dataset and --run without any")
    if not folder and (args.dataset is None or args.run is None):
        raise UserError("nothing to translate: give RUN FOLDER OUT, or --dataset and --run")
    for name in OF_A_DATASET if folder else OF_A_FOLDER:
        if getattr(args, name) not in (None, False):
            other = "RUN FOLDER OUT" if folder else "--dataset and --run"
            raise UserError(f"--{name.replace('_', '-')} does not go with {other}; leave it out")
    return _folder(args) if folder else _test_set(args)


def _folder(args: argparse.Namespace) -> int:
    if args.tile is None and (args.overlap is not None or args.statistics):
        name = "overlap" if args.overlap is not None else "statistics"
        raise UserError(f"--{name} is about tiles; give --tile too, as --tile 512")
    if args.fit and not args.size:
        raise UserError("--fit is about another size; give --size too, as --size 256")
    from cut.apply.folder import Request, translate_folder
    from cut.apply.image import Tiling
    from cut.apply.trained import load_trained
    from cut.base.device import choose_device
    from cut.base.image_size import height_width

    trained = load_trained(args.generator)
    tiling = None
    if args.tile is not None:
        stride = trained.method.stride
        overlap = args.tile // 8 // stride * stride if args.overlap is None else args.overlap
        tiling = Tiling(args.tile, overlap, args.statistics or "tile")
    size = height_width(args.size, "--size") if args.size else None
    fit = args.fit or trained.method.images.fit
    request = Request(size, tiling, args.replace, fit)
    device = choose_device(args.device)
    done, there = translate_folder(trained, args.images, args.out, request, device)
    print(f"translated {done} images into {args.out} ({there} were there already)")
    return 0


def _test_set(args: argparse.Namespace) -> int:
    from cut.base.device import choose_device
    from cut.data.dataset import Dataset
    from cut.training.translate import translate

    batch_size = 8 if args.batch_size is None else args.batch_size
    check_positive("--batch-size", batch_size)
    n = translate(Dataset.load(args.dataset), args.run, batch_size, choose_device(args.device))
    print(f"translated {n} images into {args.run / 'translated'}")
    return 0
