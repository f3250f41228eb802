"""Colour transfer between sets of images (Reinhard et al., IEEE CG&A 2001).

    python colour_transfer.py train TARGET_FOLDER COLOURS.json
    python colour_transfer.py translate INPUT_FOLDER COLOURS.json OUTPUT_FOLDER [--strength 1]

Each image's mean and deviation in the decorrelated colour space l-alpha-beta are moved to those of
the target set. An example of a method that knows nothing of the benchmark: it needs Pillow and
NumPy, and reads and writes folders of images.
"""

import argparse
import json
from pathlib import Path

import numpy as np
from PIL import Image

# From the paper: RGB to the cones' LMS, and the logarithm of those to l-alpha-beta.
TO_LMS = np.array([[0.3811, 0.5783, 0.0402], [0.1967, 0.7244, 0.0782], [0.0241, 0.1288, 0.8444]])
TO_LAB = np.diag([3**-0.5, 6**-0.5, 2**-0.5]) @ np.array([[1, 1, 1], [1, 1, -2], [1, -1, 0]])
DARKEST = 1 / 255  # black has no logarithm


def read(path: Path) -> np.ndarray:
    """Return an image as (H*W, 3) values of l-alpha-beta."""
    rgb = np.asarray(Image.open(path).convert("RGB"), dtype=np.float64).reshape(-1, 3) / 255
    return np.log10(np.maximum(rgb, DARKEST) @ TO_LMS.T) @ TO_LAB.T


def to_rgb(lab: np.ndarray) -> np.ndarray:
    """Return (N, 3) values of l-alpha-beta as 8-bit RGB."""
    rgb = 10 ** (lab @ np.linalg.inv(TO_LAB).T) @ np.linalg.inv(TO_LMS).T
    return np.round(rgb.clip(0, 1) * 255).astype(np.uint8)


def train(target: Path, colours: Path) -> None:
    """Write the mean and the deviation of the images in `target`, averaged over images."""
    values = [read(path) for path in sorted(target.glob("*.png"))]
    mean = np.mean([v.mean(0) for v in values], 0)
    deviation = np.mean([v.std(0) for v in values], 0)
    colours.write_text(json.dumps({"mean": mean.tolist(), "deviation": deviation.tolist()}))
    print(f"{len(values)} images: mean {mean.round(3)}, deviation {deviation.round(3)}")


def translate(folder: Path, colours: Path, output: Path, strength: float) -> None:
    """Move the colours of every image in `folder`."""
    target = {name: np.array(value) for name, value in json.loads(colours.read_text()).items()}
    for path in sorted(folder.glob("*.png")):
        lab = read(path)
        mean, deviation = lab.mean(0), np.maximum(lab.std(0), 1e-6)
        moved = (lab - mean) / deviation * target["deviation"] + target["mean"]
        rgb = to_rgb(lab + strength * (moved - lab))
        width, height = Image.open(path).size
        Image.fromarray(rgb.reshape(height, width, 3)).save(output / path.name)


def main() -> None:
    """Run one of the two commands."""
    parser = argparse.ArgumentParser()
    stages = parser.add_subparsers(dest="stage", required=True)
    first = stages.add_parser("train")
    first.add_argument("target", type=Path)
    first.add_argument("colours", type=Path)
    second = stages.add_parser("translate")
    second.add_argument("input", type=Path)
    second.add_argument("colours", type=Path)
    second.add_argument("output", type=Path)
    second.add_argument("--strength", type=float, default=1.0)
    args = parser.parse_args()
    if args.stage == "train":
        train(args.target, args.colours)
    else:
        translate(args.input, args.colours, args.output, args.strength)


if __name__ == "__main__":
    main()
