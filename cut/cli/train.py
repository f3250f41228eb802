"""Train one method on one data set with one seed.

Everything about the run is in its request.json, which the workflow writes: `train
RUN_DIR/request.json` starts or continues that run. Without a request file, --dataset, --method and
--out say what to train, and request.json is written into RUN_DIR.

Writes `run.json`, `history.csv` and `generator.pt` into RUN_DIR when done. Until then the whole
training state is kept in RUN_DIR/state/, at an interval and on SIGTERM or SIGINT: the same command
continues from there, to the weights that a run without the interruption has.

A finished run in RUN_DIR that differs from the request is replaced only with --replace.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from cut.base.errors import UserError
from cut.cli.arguments import json_object

# The arguments that a request file takes the place of, and those of them that must be given.
OF_REQUEST = tuple("dataset method row seed size fit options training device".split())
NEEDED = ("dataset", "method", "out")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("request", type=Path, nargs="?", metavar="REQUEST", help="a request.json")
    parser.add_argument("--dataset", help="the data set's dataset.json")
    parser.add_argument("--method", help="a name that `cut methods` lists")
    parser.add_argument(
        "--out", type=Path, metavar="RUN_DIR", help="the run's folder (default: REQUEST's)"
    )
    parser.add_argument("--name", dest="row", help="the row's name in tables (default: the method)")
    parser.add_argument("--seed", type=int, help="of all draws (default: 0)")
    parser.add_argument("--size", help="pixels, or HEIGHTxWIDTH (default: 256)")
    parser.add_argument(
        "--fit",
        choices=["stretch", "crop", "pad"],
        help="how images of another aspect ratio are brought to the size (default: stretch)",
    )
    parser.add_argument("--options", type=json_object, help="the method's options, a JSON object")
    parser.add_argument("--training", type=json_object, help="the loop's options, a JSON object")
    parser.add_argument(
        "--device",
        choices=["auto", "cpu", "cuda"],
        help="where to compute (default: a GPU if there is one)",
    )
    parser.add_argument(
        "--replace", action="store_true", help="replace a finished run in RUN_DIR that differs"
    )


def run(args: argparse.Namespace) -> int:
    """Start or continue the training."""
    given = {name: getattr(args, name) for name in OF_REQUEST if getattr(args, name) is not None}
    if args.request and given:
        raise UserError(
            f"{args.request} has all arguments of the run; leave --{next(iter(given))} out"
        )
    if not args.request:
        for name in NEEDED:
            if getattr(args, name) is None:
                raise UserError(f"give a request.json, or --{name}")

    from cut.records.request import RequestRecord
    from cut.training.train import train

    if args.request:
        request = RequestRecord.read(args.request)
        if args.replace:
            request = request.model_copy(update={"replace": True})
        return train(request, args.out or args.request.parent)
    request = RequestRecord(**{"row": args.method, "replace": args.replace, **given})
    return train(request, args.out)
