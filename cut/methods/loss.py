"""What figures need to know of a method's losses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cut.records.run import LossRecord


@dataclass(frozen=True)
class Loss:
    """What a figure needs to know of one of the losses that `step` returns.

    Attributes:
        title: the panel's title.
        unit: what the axis shows.
        weight: the option that the loss is multiplied by, which a figure divides out; or "".
        chance: from the run's options (by name), the value before the weight of a network that
            has learned nothing; `None` if there is no such value.
        at_chance: the label of that value.
        total: whether the loss is the sum of others, which a figure shows instead.
    """

    title: str
    unit: str = "loss"
    weight: str = ""
    chance: Callable[[Mapping[str, Any]], float | None] | None = None
    at_chance: str = "guessing"
    total: bool = False

    def record(self, options: Mapping[str, Any]) -> LossRecord:
        """Return the description that a run with these options keeps."""
        chance = self.chance(options) if self.chance else None
        return LossRecord(
            title=self.title,
            unit=self.unit,
            weight=self.weight,
            chance=chance,
            at_chance="" if chance is None else self.at_chance,
            total=self.total,
        )


def lsgan_term(title: str, weight: str = "") -> Loss:
    """Return the description of one least-squares GAN term (the mean, if it has two halves)."""
    return Loss(title, "squared error", weight, chance=lambda _: 0.25, at_chance="undecided")
