"""Arguments that several commands share, and how their text becomes values."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cut.base.errors import UserError

if TYPE_CHECKING:
    from cut.results.seed_deviation import SeedDeviations


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add --device."""
    parser.add_argument(
        "--device",
        choices=["auto", "cpu", "cuda"],
        default="auto",
        help="where to compute (default: a GPU if there is one)",
    )


def add_fit(parser: argparse.ArgumentParser) -> None:
    """Add --fit."""
    parser.add_argument(
        "--fit",
        choices=["stretch", "crop", "pad"],
        default="stretch",
        help="how images of another aspect ratio are brought to the size (default: stretch)",
    )


def add_extraction(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say how Inception features are computed."""
    parser.add_argument("--batch-size", type=int, default=8, help="images at a time (default: 8)")
    add_device(parser)


def add_weights(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name the Inception weights."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--fid-weights", type=Path, help="file of pytorch-fid's Inception weights")
    source.add_argument("--weights-json", type=Path, help="file that `cut inception` wrote")


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the run to score again: its data set, its folder, the real images and the network."""
    parser.add_argument("--dataset", type=Path, required=True, help="the data set's dataset.json")
    parser.add_argument(
        "--run", type=Path, required=True, metavar="RUN_DIR", help="the run's folder"
    )
    parser.add_argument("--reference", type=Path, required=True, help="features of the test target")
    parser.add_argument("--weights-json", type=Path, required=True, help="from `cut inception`")


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add --network."""
    parser.add_argument(
        "--network",
        choices=["fast", "pytorch-fid"],
        default="fast",
        help="the network of this project (fast, the default), or that of the pytorch-fid package",
    )


def add_runs(parser: argparse.ArgumentParser, folder: str) -> None:
    """Add the runs to show and the folder to write into; `folder` names it in the help."""
    parser.add_argument("--out", type=Path, required=True, help=folder)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN_DIR", help="folders of runs")


def add_ablation(parser: argparse.ArgumentParser) -> None:
    """Add --ablation."""
    parser.add_argument(
        "--ablation", action="store_true", help="show the options of CUT's rows as columns"
    )


def add_deviations(parser: argparse.ArgumentParser) -> None:
    """Add --seed-deviation."""
    parser.add_argument(
        "--seed-deviation",
        metavar="JSON",
        default="{}",
        help="deviations over seeds that were measured elsewhere, as a config's `seed_deviation`",
    )


def deviations(text: str) -> SeedDeviations:
    """Return what --seed-deviation gives.

    Raises:
        UserError: the text is no JSON object of deviations.
    """
    from cut.results.seed_deviation import parse_deviations

    return parse_deviations(json_object(text))


def add_schema(parser: argparse.ArgumentParser) -> None:
    """Add --schema."""
    parser.add_argument("--schema", action="store_true", help="print the JSON schema")


def check_positive(name: str, value: int) -> None:
    """Refuse a count below one.

    Raises:
        UserError: `value` is below 1.
    """
    if value < 1:
        raise UserError(f"{name} is {value}; give 1 or more")


def json_object(text: str) -> dict[str, Any]:
    """Parse an argument that holds a JSON object.

    Raises:
        UserError: the text is no JSON, or no object.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UserError(f"{text!r} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise UserError(f'{text!r} is not a JSON object; give, for example, {{"ngf": 32}}')
    return value
