"""Campaigns of kills and faults against real workflows: `python -m tests.chaos --help`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[n]) for n in (1, 2)]


def main() -> int:
    """Run a campaign; return 1 if something was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--kills", type=int, metavar="N", help="send N signals")
    parser.add_argument("--seed", type=int, default=0, help="of all random choices (default: 0)")
    parser.add_argument(
        "--longest", type=float, default=20.0, metavar="SECONDS", help="latest moment of a signal"
    )
    args = parser.parse_args()
    if args.kills is None:
        parser.error("give --kills N")
    from chaos import kills

    with tempfile.TemporaryDirectory(prefix="chaos") as folder:
        tally = kills.campaign(Path(folder), args.kills, args.seed, args.longest)
    for line in tally.lost:
        print(line)
    print(f"kills {tally.kills} lost {len(tally.lost)}")
    return int(bool(tally.lost))


if __name__ == "__main__":
    sys.exit(main())
