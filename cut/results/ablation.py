"""What tells the variants of CUT apart that stand in an ablation: their options, as columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cut.results.run import Run

YES = {True: "✓", False: "✗"}
# Options that columns of their own show.
SHOWN = {"identity", "n_patches", "nce_layers", "negatives", "n_external", "bank_size"}


def variants_of(rows: Sequence[Sequence[Run]]) -> dict[str, dict[str, Any]]:
    """Return what each variant is, by its row's name; other rows have no entry.

    Keys: identity; negatives_internal and negatives_external, how many a query has; layers, their
    indices; other, the options in which a row differs from the first variant, else "".
    """
    runs = [row[0] for row in rows if "nce_layers" in row[0].facts["options"]]
    return {run.facts["method"]: _variant(run, runs[0]) for run in runs}


def _variant(run: Run, first: Run) -> dict[str, Any]:
    options = run.facts["options"]
    negatives = options.get("negatives", "internal")
    external = negatives != "internal" and (options["n_external"] or options["bank_size"])
    return {
        "identity": options["identity"],
        "negatives_internal": options["n_patches"] - 1 if negatives != "external" else 0,
        "negatives_external": external or 0,
        "layers": " ".join(map(str, options["nce_layers"])),
        "other": _others(run, first),
    }


def variant_columns(rows: Sequence[Sequence[Run]]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the columns that tell CUT's variants apart, and each row's cells by its name.

    Columns: identity term, negatives a query, layers, internal and external negatives; and one of
    other options, where a row has any that the first variant has not.
    """
    variants = variants_of(rows)
    names = ["Id", "Negs", "Layers", "Int", "Ext"]
    every = max((v["layers"].split() for v in variants.values()), key=len, default=[])
    cells = {name: _cells(variant, every) for name, variant in variants.items()}
    if any(variant["other"] for variant in variants.values()):
        names.append("other options")
        cells = {name: [*cell, variants[name]["other"] or "–"] for name, cell in cells.items()}
    return names, cells


def _cells(variant: dict[str, Any], every: Sequence[str]) -> list[str]:
    counts = [variant["negatives_internal"], variant["negatives_external"]]
    layers = variant["layers"].split()
    shown = "all" if layers == every else "last" if layers == every[-1:] else variant["layers"]
    return [
        YES[variant["identity"]],
        " + ".join(str(count) for count in counts if count),
        shown,
        *(YES[bool(count)] for count in counts),
    ]


def _others(run: Run, first: Run) -> str:
    """Return the options in which a variant differs from the first one, columns' aside."""
    mine, base = run.facts["options"], first.facts["options"]
    return ", ".join(
        f"{name} {mine[name]}"
        for name in mine
        if name not in SHOWN and name in base and mine[name] != base[name]
    )
