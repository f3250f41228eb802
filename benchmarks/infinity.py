"""Find how many images an extrapolated FID needs, on Gaussians whose distance is known.

    python -m benchmarks.infinity [--dims 2048] [--sizes 120 500 1000 2048 4096 5000] [--seeds 2]

The features are Gaussian, with variances that fall as those of Inception features of photographs
do. Prints for each number of images per side FID and its extrapolation, less the true distance: for
two sets of one distribution (true distance 0), and for two distributions a known distance apart.
"""

from __future__ import annotations

import argparse

import numpy as np

from cut.metrics.fid import fid
from cut.metrics.fid_infinity import fid_infinity

# The features of 140 photographs of zebras: the first 64 variances fall as 1/k; they sum to 116.
DECAY = 1.0
SPREAD = 116.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dims", type=int, default=2048)
    parser.add_argument("--sizes", type=int, nargs="+", default=[120, 500, 1000, 2048, 4096, 5000])
    parser.add_argument("--seeds", type=int, default=2)
    args = parser.parse_args()
    variance = np.arange(1, args.dims + 1) ** -DECAY
    variance *= SPREAD / variance.sum()
    deviation = np.sqrt(variance)
    # Diagonal covariances commute: the distance is that of means and of deviations.
    shift = np.where(np.arange(args.dims) < args.dims // 8, 0.3 * deviation, 0)
    factor = np.where(np.arange(args.dims) % 2, 1.3, 0.8)
    truth = float((shift**2).sum() + ((deviation * (factor - 1)) ** 2).sum())
    print(f"{args.dims} dimensions; true distances 0 and {truth:.2f}")
    print("images  FID of one  extrapolated   FID of two  extrapolated   (error, mean of seeds)")
    for n in args.sizes:
        rows = []
        for seed in range(args.seeds):
            rng = np.random.default_rng(seed)
            x, same, other = (rng.normal(size=(n, args.dims)) * deviation for _ in range(3))
            pairs = (((x, same), 0.0), ((x, other * factor + shift), truth))
            rows.append([f(*pair) - true for pair, true in pairs for f in (fid, fid_infinity)])
        mean, most = np.mean(rows, axis=0), np.abs(rows).max(axis=0)
        print(
            f"{n:6}" + "".join(f"{v:12.3f}" for v in mean) + f"   worst {most[1]:.2f}, "
            f"{most[3]:.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
