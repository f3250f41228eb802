"""The page's beginning: a few inputs with every method's translation, and a chart of the scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from cut.report.site.chart import Chart, chart_of
from cut.results.rows import Row

SHOWN = 3  # images of the strip


@dataclass(frozen=True)
class Tile:
    """One picture: its URL ("" where there is none), its words, and the address of a comparison."""

    url: str
    words: str
    address: str


@dataclass(frozen=True)
class StripColumn:
    """The pictures of the inputs, of a method, or of the true counterparts."""

    label: str
    family: str
    tiles: list[Tile]


@dataclass(frozen=True)
class SetSummary:
    """What the page begins with for one data set; `width` and `height` are an image's, in pixels.

    `images` is the number of all images, of which the strip shows a few.
    """

    dataset: str
    strip: list[StripColumn]
    chart: Chart | None
    width: int
    height: int
    images: int


def summary_of(rows: Sequence[Row], images: Mapping[str, Any]) -> SetSummary | None:
    """Return the beginning of one data set, or None if there is nothing to show.

    Args:
        rows: its rows.
        images: what `pictures` returned for them.
    """
    chart, names = chart_of(rows), images["names"]
    if chart is None and not names:
        return None
    count = min(SHOWN, len(names))
    chosen = [k * len(names) // count for k in range(count)]
    strip = [_column(images, column, chosen) for column in _columns(images)] if chosen else []
    return SetSummary(
        images["dataset"], strip, chart, images["width"], images["height"], len(names)
    )


def _columns(images: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the first column of each group that the grid shows at first."""
    found: dict[str, dict[str, Any]] = {}
    for column in images["columns"]:
        if column["chosen"]:
            found.setdefault(column["group"], column)
    return list(found.values())


def _column(
    images: Mapping[str, Any], column: Mapping[str, Any], chosen: Sequence[int]
) -> StripColumn:
    left = images["columns"][images["left"]]["label"]
    tiles = []
    for i in chosen:
        name = images["names"][i]
        file = column["other"].get(i, name + column["ext"])
        query = {"set": images["dataset"], "image": name, "left": left, "right": column["label"]}
        tiles.append(
            Tile(
                url=column["folder"] + quote(file) if file else "",
                words=f"{column['label']}: {name}",
                address=f"#images&{urlencode(query)}",
            )
        )
    return StripColumn(column["group"], column["family"], tiles)
