"""Small data sets for tests."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from cut.data import prepare
from cut.data.dataset import Dataset
from cut.data.registry import resolve

COUNTS = {"trainA": 3, "trainB": 4, "testA": 2, "testB": 3}


def make_set(root: Path, **folders: int) -> Path:
    """Write a small set of noise: folder names to image counts."""
    rng = np.random.default_rng(0)
    for folder, n in (folders or COUNTS).items():
        (root / folder).mkdir(parents=True)
        for k in range(n):
            pixels = rng.integers(0, 256, (20 + k, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / folder / f"{k}.png")
    return root


def pack(folder: Path, archive: Path, top: str) -> Path:
    """Pack `folder` as a zip or tar.gz, with `top` (may be empty) around it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    names = {path: str(Path(top) / path.relative_to(folder)) for path in files}
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive, "w") as file:
            for path, name in names.items():
                file.write(path, name)
    else:
        with tarfile.open(archive, "w:gz") as file:
            for path, name in names.items():
                file.add(path, name)
    return archive


def own(source: Path, out: Path, **settings: object) -> Dataset:
    return prepare.prepare(resolve("mine", {"source": str(source), **settings}), out)


def copy(root: Path, old: str, new: str) -> None:
    (root / new).parent.mkdir(exist_ok=True)
    shutil.copy(root / old, root / new)
