"""Golden files: whole outputs that a change is compared with.

After an intended change, `UPDATE_GOLDEN=1 pytest tests/report` writes them again. The diff shows
what has changed.
"""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "report" / "golden"


def check_golden(path: Path) -> None:
    """Compare a file with the golden one of its name."""
    kept, text = GOLDEN / path.name, path.read_text(encoding="utf-8")
    if os.environ.get("UPDATE_GOLDEN"):
        kept.parent.mkdir(exist_ok=True)
        kept.write_text(text, encoding="utf-8")
    assert text == kept.read_text(encoding="utf-8"), f"{path.name} differs from {kept}"
