"""How wide FID's bootstrap interval is, against what fresh images really give.

    python -m benchmarks.interval [--dims 2048] [--images 140 120] [--draws 30]

The features are Gaussian, with variances that fall as those of Inception features of photographs
do. For two distributions a distance apart, for several distances: the deviation of FID over fresh
draws of both sets, the deviation that the interval of one draw claims (its width over 2 x 1.96, as
of a normal), and their ratio: above 1 the interval is too wide.
"""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.infinity import DECAY, SPREAD
from cut.metrics.bootstrap import fid_interval
from cut.metrics.fid import fid


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dims", type=int, default=2048)
    parser.add_argument("--images", type=int, nargs=2, default=[140, 120])
    parser.add_argument("--draws", type=int, default=30)
    args = parser.parse_args()
    variance = np.arange(1, args.dims + 1) ** -DECAY
    deviation = np.sqrt(variance * SPREAD / variance.sum())
    print(f"{args.images[0]} and {args.images[1]} images, {args.dims} dimensions")
    print("distance   FID   sd of fresh draws   sd by the interval   ratio")
    for shift in (0.0, 0.3, 1.0):
        values, claimed = [], []
        for seed in range(args.draws):
            rng = np.random.default_rng(seed)
            x, y = (rng.normal(size=(n, args.dims)) * deviation for n in args.images)
            y = y + shift * deviation
            values.append(fid(x, y))
            low, high = fid_interval(x, y, values[-1])
            claimed.append((high - low) / (2 * 1.96))
        spread, said = np.std(values, ddof=1), np.mean(claimed)
        distance = float(np.square(shift * deviation).sum())
        print(
            f"{distance:8.1f} {np.mean(values):6.1f} {spread:12.2f} {said:20.2f}"
            f" {said / spread:12.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
