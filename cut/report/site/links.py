"""Relative links from the page to files that lie elsewhere in the results."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote


@dataclass(frozen=True)
class Links:
    """Links from a page in the folder `base`."""

    base: Path

    def to(self, path: Path) -> str:
        """Return the relative URL of `path`, with every special character quoted."""
        relative = os.path.relpath(Path(path).absolute(), self.base.absolute())
        return quote(Path(relative).as_posix())

    def folder(self, path: Path) -> str:
        """Return the relative URL of a folder, with a slash at its end."""
        return self.to(path) + "/"
