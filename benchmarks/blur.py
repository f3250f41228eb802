"""Measure how much of an FID is sharpness, with the controls' images.

    python -m benchmarks.blur RESULTS/DATASET --weights-json FILE.json [--sigmas 0 0.5 0.7 1 1.5]

Blurs the inputs (`copy`) and real training images (`real`) by Gaussians of these standard
deviations in pixels (Pillow's approximation), and prints each FID against the test images.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from cut.metrics.fid import fid
from cut.metrics.image_folder import ImageFolder
from cut.metrics.inception.extract import Extractor
from cut.metrics.inception.features import load
from cut.metrics.inception.weights import read_weights_json

FOLDERS = {"copy": "test/source", "real": "real/seed0/translated"}


def blurred_fid(images: ImageFolder, sigma: float, real: np.ndarray, extractor: Extractor) -> float:
    """Return the FID of blurred 8-bit RGB images against features (N, D)."""
    with tempfile.TemporaryDirectory() as folder:
        for path in images.paths:
            image = Image.open(path).convert("RGB").filter(ImageFilter.GaussianBlur(sigma))
            image.save(Path(folder, path.name))
        return fid(real, extractor.features(ImageFolder(Path(folder))).values)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights-json", type=Path, required=True)
    parser.add_argument("--sigmas", type=float, nargs="+", default=[0, 0.5, 0.7, 1, 1.5])
    args = parser.parse_args()
    real = load(args.folder / "test" / "target.npz").values
    extractor = Extractor(read_weights_json(args.weights_json))
    print("images    " + "".join(f"{sigma:8g}" for sigma in args.sigmas))
    for name, folder in FOLDERS.items():
        images = ImageFolder(args.folder / folder)
        found = [blurred_fid(images, sigma, real, extractor) for sigma in args.sigmas]
        print(f"{name:10}" + "".join(f"{value:8.1f}" for value in found), flush=True)


if __name__ == "__main__":
    main()
