"""A group of scores: values, reasons for missing ones, and the protocol."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Scores:
    """Scores by name.

    Attributes:
        values: each score, or None.
        missing: why a score is None, by name.
        protocol: what the scores depend on; the fields of `cut.records.scores.Protocol`.
        resamples: scores over the bootstrap's resamples of the images, (resamples,) by name, for
            those that can be resampled.
    """

    values: dict[str, float | None]
    missing: dict[str, str] = field(default_factory=dict)
    protocol: dict[str, Any] = field(default_factory=dict)
    resamples: dict[str, np.ndarray] = field(default_factory=dict)

    @classmethod
    def none(cls, names: Iterable[str], reason: str) -> Scores:
        """Return no value for any of `names`, for one reason."""
        names = tuple(names)
        return cls(dict.fromkeys(names), dict.fromkeys(names, reason))

    def joined(self, other: Scores) -> Scores:
        """Return the scores of both groups."""
        return Scores(
            self.values | other.values,
            self.missing | other.missing,
            self.protocol | other.protocol,
            self.resamples | other.resamples,
        )
