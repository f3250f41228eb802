"""Fixtures that every test may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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
