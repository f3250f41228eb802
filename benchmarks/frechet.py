"""Time the two ways to FID's trace term, on one set of random features, in one process.

    python -m benchmarks.frechet [--images 120 140] [--dims 2048]

pytorch-fid takes the matrix root of a dims x dims product of covariances; `cut.metrics.fid` the
singular values of an images x images matrix. Prints both values, their relative difference and
the ratio of the processor times.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from pytorch_fid.fid_score import calculate_frechet_distance

from cut.metrics.fid import fid


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, nargs=2, default=(120, 140))
    parser.add_argument("--dims", type=int, default=2048)
    args = parser.parse_args()
    rng = np.random.default_rng(0)
    x, y = (rng.gamma(0.5, 1.0, (n, args.dims)) + i for i, n in enumerate(args.images))
    start = time.process_time()
    ours = fid(x, y)
    middle = time.process_time()
    moments = [m for f in (x, y) for m in (f.mean(axis=0), np.cov(f, rowvar=False))]
    theirs = calculate_frechet_distance(*moments)
    end = time.process_time()
    print(f"singular values {ours:.6f} in {middle - start:.3f} s")
    print(f"matrix root     {theirs:.6f} in {end - middle:.3f} s")
    print(
        f"relative difference {abs(ours - theirs) / theirs:.1e}, "
        f"ratio of times {(end - middle) / (middle - start):.0f}"
    )


if __name__ == "__main__":
    main()
