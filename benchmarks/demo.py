"""Check that the demo learned what it should, from what it left in `results/`.

    python -m benchmarks.demo [RESULTS/coats2stripes]

Prints for each method the contrast on the animals and on the ground (standard deviation of the
lightness within each image, in [0, 1], over the pixels inside and outside the test masks) beside
that of the inputs and of the true counterparts, and whether the method's FID lies below the copy
control's and its images closer to the true counterparts than the inputs are (L1 and SSIM). Exit
status 1 if one of these does not hold.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image


def lightness(path: Path) -> np.ndarray:
    """Return the image's lightness, (H, W) in [0, 1]."""
    return np.asarray(Image.open(path).convert("L"), float) / 255


def contrast(images: Path, test: Path, choose: Callable[[np.ndarray], np.ndarray]) -> float:
    """Return the mean over images of the lightness's deviation where `choose(mask)` holds."""
    deviations = []
    for mask in sorted((test / "mask").glob("*.png")):
        chosen = choose(np.asarray(Image.open(mask)))
        deviations.append(lightness(images / mask.name)[chosen].std())
    return float(np.mean(deviations))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default="results/coats2stripes")
    folder = parser.parse_args().folder
    test = folder / "test"
    runs = {
        path.parent.parent.name: path.parent for path in sorted(folder.glob("*/seed0/run.json"))
    }
    shown = {"inputs": test / "source", "true counterparts": test / "truth"}
    trained = [name for name in runs if name not in ("copy", "real")]
    shown |= {name: runs[name] / "translated" for name in trained}
    print(f"{'contrast':20} {'animals':>8} {'ground':>8}")
    for name, images in shown.items():
        on, off = (contrast(images, test, f) for f in (lambda m: m == 255, lambda m: m == 0))
        print(f"{name:20} {on:8.3f} {off:8.3f}")
    scores = {n: json.loads((run / "scores.json").read_text())["scores"] for n, run in runs.items()}
    holds = True
    for name in trained:
        for metric, better in (("fid", -1), ("l1", -1), ("ssim", 1)):
            value, copied = scores[name][metric], scores["copy"][metric]
            if value is None:
                continue
            good = better * (value - copied) > 0
            holds &= good
            print(
                f"{name} {metric} {value:.3f}, copy {copied:.3f}: {'better' if good else 'WORSE'}"
            )
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
