"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SHARED = Path(os.environ.get("CUTBENCH_SHARED", ROOT.parent / "shared"))

# Two test workers on two cores: more threads than one a worker only get in each other's way.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the project's root."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder with the real horse-to-zebra archive, or skip saying why."""
    folder = SHARED / "data"
    if not (folder / "horse2zebra.zip").is_file():
        pytest.skip(f"no horse2zebra.zip under {folder}: its licence keeps it out of the project")
    return folder


def write_photos(folder: Path, count: int, size: int = 32, seed: int = 0) -> None:
    """Write `count` PNG images of coloured noise blocks into `folder`."""
    rng = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        blocks = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        image = Image.fromarray(blocks).resize((size, size), Image.Resampling.BICUBIC)
        image.save(folder / f"{index:03}.png")


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Return a folder with a tiny unpaired data set: 6 + 5 training, 3 + 4 test images."""
    root = tmp_path / "pets"
    for seed, (name, count) in enumerate(
        {"trainA": 6, "trainB": 5, "testA": 3, "testB": 4}.items()
    ):
        write_photos(root / name, count, seed=seed)
    return root
