"""The options in which the variants of CUT in an ablation differ."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cut.results.rows import Row

FAMILY = ("identity", "n_patches", "nce_layers")  # a method with all of these is a variant of CUT
# Options that the other fields of a variant show.
SHOWN = {*FAMILY, "negatives", "n_external", "bank_size"}
WEIGHT = "lambda_nce"  # with the weight 0 a variant is the GAN alone, and compares nothing


@dataclass(frozen=True)
class Variant:
    """What one row of an ablation is.

    Attributes:
        identity: whether the loss has the identity term.
        internal: negatives per query from the same image.
        external: negatives per query from other images.
        layers: indices of the encoder's layers whose features are compared; none in the GAN alone.
        other: further options in which the row differs from the first variant, and their values.
    """

    identity: bool
    internal: int
    external: int
    layers: tuple[int, ...]
    other: dict[str, Any]


def variants_of(rows: Iterable[Row]) -> dict[str, Variant]:
    """Return the variants of CUT by the rows' names. Other rows have no entry."""
    found: dict[str, Row] = {}
    for row in rows:
        if all(name in row.options for name in FAMILY):
            found.setdefault(row.name, row)
    first = next(iter(found.values()), None)
    return {name: _variant(row.options, first.options) for name, row in found.items()}


def _variant(options: dict[str, Any], first: dict[str, Any]) -> Variant:
    negatives = options.get("negatives", "internal")
    external = options.get("n_external") or options.get("bank_size") or 0
    compares = options.get(WEIGHT, 1) > 0
    return Variant(
        identity=options["identity"] and compares,
        internal=options["n_patches"] - 1 if compares and negatives != "external" else 0,
        external=external if compares and negatives != "internal" else 0,
        layers=tuple(options["nce_layers"]) if compares else (),
        other={
            name: value
            for name, value in options.items()
            if name not in SHOWN and name in first and value != first[name]
        },
    )


def all_layers(variants: Sequence[Variant]) -> tuple[int, ...]:
    """Return the longest list of layers of any variant."""
    return max((variant.layers for variant in variants), key=len, default=())
