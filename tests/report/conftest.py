"""Golden files: whole outputs that a change is held against.

After a change that is meant, `UPDATE_GOLDEN=1 pytest tests/report` writes them anew; the diff shows
what has changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture
def golden() -> Callable[[Path], None]:
    """Return a function that compares a file with the golden one of its name."""

    def check(path: Path) -> None:
        kept = GOLDEN / path.name
        text = path.read_text(encoding="utf-8")
        if os.environ.get("UPDATE_GOLDEN"):
            kept.parent.mkdir(exist_ok=True)
            kept.write_text(text, encoding="utf-8")
        assert text == kept.read_text(encoding="utf-8"), f"{path.name} differs from {kept}"

    return check


@pytest.fixture(autouse=True)
def close() -> Iterator[None]:
    """Close the figures that a test has drawn."""
    yield
    plt.close("all")
