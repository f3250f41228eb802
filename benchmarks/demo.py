"""Check that the demo learned what it should, from what it left in `results/`.

    python -m benchmarks.demo [RESULTS/coats2stripes]

Prints for each training, of every seed, the contrast on the animals and on the ground (standard
deviation of the lightness within each image, in [0, 1], over the pixels inside and outside the test
masks) beside that of the inputs and of the true counterparts. Then for each row in how many of its
trainings a score is better than the copy control's: FID, and L1 and SSIM to the true counterparts.
Exit status 1 if one of these does not hold for every training.
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


def runs_of(folder: Path) -> dict[str, list[Path]]:
    """Return the folders of each row's runs, in the order of the seeds."""
    found: dict[str, list[Path]] = {}
    for record in folder.glob("*/seed*/run.json"):
        found.setdefault(record.parent.parent.name, []).append(record.parent)
    return {row: sorted(found[row], key=_seed) for row in sorted(found)}


def _seed(run: Path) -> int:
    return int(run.name.removeprefix("seed"))


def score(run: Path, metric: str) -> float | None:
    """Return a score of a run, or None where it has none."""
    return json.loads((run / "scores.json").read_text())["scores"][metric]


def main() -> int:
    """Print the contrasts and the comparisons; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default="results/coats2stripes")
    folder = parser.parse_args().folder
    test, runs = folder / "test", runs_of(folder)
    trained = {row: mine for row, mine in runs.items() if row not in ("copy", "real")}
    shown = {"inputs": test / "source", "true counterparts": test / "truth"}
    for row, mine in trained.items():
        shown |= {f"{row}, {run.name}": run / "translated" for run in mine}
    print(f"{'contrast':20} {'animals':>8} {'ground':>8}")
    for name, images in shown.items():
        on, off = (contrast(images, test, f) for f in (lambda m: m == 255, lambda m: m == 0))
        print(f"{name:20} {on:8.3f} {off:8.3f}")
    holds = True
    for row, mine in trained.items():
        for metric, better in (("fid", -1), ("l1", -1), ("ssim", 1)):
            copied = score(runs["copy"][0], metric)
            values = [value for run in mine if (value := score(run, metric)) is not None]
            if copied is None or not values:
                continue
            good = sum(better * (value - copied) > 0 for value in values)
            holds &= good == len(values)
            each = ", ".join(f"{value:.3f}" for value in values)
            count = f"better in {good} of {len(values)}"
            print(f"{row} {metric} {each}; copy {copied:.3f}: {count}")
    return int(not holds)


if __name__ == "__main__":
    sys.exit(main())
