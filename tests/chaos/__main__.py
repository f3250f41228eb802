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
    parser.add_argument("--faults", action="store_true", help="damage every kind of file instead")
    args = parser.parse_args()
    if args.faults:
        return _faults(args.seed)
    if args.kills is None:
        parser.error("give --kills N, or --faults")
    from chaos import kills

    with tempfile.TemporaryDirectory(prefix="chaos") as folder:
        tally = kills.campaign(Path(folder), args.kills, args.seed, args.longest)
    for line in tally.lost:
        print(line)
    print(f"kills {tally.kills} lost {len(tally.lost)}")
    return int(bool(tally.lost))


def _faults(seed: int) -> int:
    """Run the campaign of faults; print a line for each."""
    from chaos import faults

    with tempfile.TemporaryDirectory(prefix="chaos") as folder:
        found = []
        for outcome in faults.campaign(Path(folder), seed):
            print(outcome.line, flush=True)
            found.append(outcome.end)
    silent, tracebacks = found.count("silent") + found.count("lost"), found.count("traceback")
    counted = len(found) - found.count("skipped")
    print(f"faults {counted} silent {silent} tracebacks {tracebacks}")
    return int(bool(silent or tracebacks))


if __name__ == "__main__":
    sys.exit(main())
