"""What a group of scores comes to: values, why any is missing, and the protocol behind them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Scores:
    """Scores by name; one that is None has its reason in `missing`."""

    values: dict[str, float | None]
    missing: dict[str, str] = field(default_factory=dict)
    protocol: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def none(cls, names: Iterable[str], reason: str) -> Scores:
        """Return no value for any of `names`, for one reason."""
        names = tuple(names)
        return cls(dict.fromkeys(names), dict.fromkeys(names, reason))
