"""The family of a method: what keeps the content of the input."""

from __future__ import annotations

import functools
from importlib import resources

import yaml

from cut.results.rows import Row

OTHER = "other"
ALONE = "adversarial loss alone"


@functools.cache
def families() -> dict[str, str]:
    """Return the family of each listed method, by its name."""
    text = (resources.files("cut") / "resources" / "families.yaml").read_text(encoding="utf-8")
    return {name: family for family, names in yaml.safe_load(text).items() for name in names}


def family_of(row: Row) -> str:
    """Return the family of a row; "" for a control, which belongs to every choice."""
    if row.control:
        return ""
    if row.options.get("lambda_nce") == 0:
        return ALONE
    return families().get(row.algorithm, OTHER)


def families_of(rows: list[Row]) -> list[str]:
    """Return the families of these rows, each once, in the order of the list of families."""
    order = [*dict.fromkeys(families().values()), ALONE, OTHER]
    return sorted({family_of(row) for row in rows} - {""}, key=order.index)
