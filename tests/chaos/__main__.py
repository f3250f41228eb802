"""Campaigns of kills and faults against real workflows and real files.

`--kills N` kills a small benchmark N times at random moments, gives the same command again and
nothing else, and compares all files that it leaves with those of an undisturbed one. `--faults`
damages a finished benchmark in every way, and fails the machine under each command.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[n]) for n in (1, 2)]

LOSSES = ("silent", "traceback", "lost")


def main() -> int:
    """Run the campaigns that are asked for; return 1 if one lost something."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kills", type=int, default=0, metavar="N", help="send N signals")
    parser.add_argument("--faults", action="store_true", help="damage files, and fail the machine")
    parser.add_argument("--seed", type=int, default=0, help="of all random choices (default: 0)")
    parser.add_argument(
        "--longest",
        type=float,
        default=20.0,
        metavar="SECONDS",
        help="the latest moment of a signal after a start (default: 20)",
    )
    args = parser.parse_args()
    if args.kills < 1 and not args.faults:
        parser.error("give --kills N, --faults, or both")
    lost = []
    for asked, run in ((args.kills > 0, _kills), (args.faults, _faults)):
        if asked:
            with tempfile.TemporaryDirectory(prefix="chaos") as folder:
                lost.append(run(Path(folder), args))
    return int(any(lost))


def _kills(folder: Path, args: argparse.Namespace) -> bool:
    from chaos import kills

    tally = kills.campaign(folder, args.kills, args.seed, args.longest)
    for line in tally.lost:
        print(line)
    print(f"kills {tally.kills} lost {len(tally.lost)}")
    return bool(tally.lost)


def _faults(folder: Path, args: argparse.Namespace) -> bool:
    from chaos import faults

    counts: Counter[str] = Counter()
    for outcome in faults.campaign(folder, args.seed):
        print(outcome.line, flush=True)
        counts[outcome.end] += 1
    print("  ".join(f"{end} {n}" for end, n in sorted(counts.items())))
    bad = {end: counts[end] for end in LOSSES}
    print(
        f"faults {counts.total() - counts['skipped']} "
        + " ".join(f"{k} {v}" for k, v in bad.items())
    )
    return any(bad.values())


if __name__ == "__main__":
    sys.exit(main())
