"""Text in figures: its width, wrapped names, and legends that fit above or beside the axes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath

PAGE = (6.9, 8.6)  # inches: a page's text width, and a height that leaves room for a caption
COLUMN = 3.3  # inches: the width of one of two columns
LINES = 3  # of a name in a legend of several columns, at most


# -- words ---------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def text_width(text: str, size: float) -> float:
    """Return the width in inches of a line in `size` points, with a margin of 4 %."""
    return TextPath((0, 0), text, size=size).get_extents().x1 / 72 * 1.04 if text.strip() else 0.0


def wrapped(text: str, width: float, size: float) -> str:
    """Return `text` in lines of at most `width` inches, broken after -_./ or a space if it can."""
    lines, line = [], ""
    for part in re.split(r"(?<=[-_./ ])", text):
        if line and text_width(line + part, size) > width:
            lines.append(line.rstrip())
            line = ""
        line += part
        while text_width(line, size) > width and len(line) > 1:
            lengths = range(len(line) - 1, 1, -1)
            cut = next((n for n in lengths if text_width(line[:n], size) <= width), 1)
            lines.append(line[:cut])
            line = line[cut:]
    return "\n".join([*lines, line.rstrip()] if line.strip() else lines)


def hard_cut(text: str) -> bool:
    """Return whether `wrapped` broke a name without spaces inside a word."""
    return any(line[-1] not in "-_." for line in text.splitlines()[:-1])


def shortened(text: str, width: float, size: float) -> str:
    """Return `text`, with its middle replaced by … where it is wider than `width` inches."""
    for kept in range(len(text), 1, -1):
        tail = kept // 2
        short = text if kept == len(text) else f"{text[: kept - tail]}…{text[-tail:]}"
        if text_width(short, size) <= width:
            return short
    return ""


# -- legends -------------------------------------------------------------------------------------

PAD, BETWEEN = 0.5, 1.2  # times the font size: before a name, and between columns
LINE, POINT = 2.6, 1.0  # times the font size: the length of a line with dashes, of a point


def legend_above(figure: Figure, handles: Sequence[Line2D], most: int = 4) -> float:
    """Draw a legend above the axes, with the number of columns that needs the fewest lines.

    Returns:
        Its height in inches, to be added to that of the axes.
    """
    size, labels = _size(), [handle.get_label() for handle in handles]
    ways = []
    for columns in range(1, min(most, len(labels)) + 1):
        room = (figure.get_figwidth() - 0.15) / columns - (LINE + PAD + BETWEEN) * size / 72
        texts = [wrapped(label, room, size) for label in labels]
        counts = [text.count("\n") + 1 for text in texts]
        if columns == 1 or max(counts) <= LINES:
            tall = max(sum(part) for part in np.array_split(counts, columns))
            ways.append((tall, columns, texts))
    _, columns, texts = min(ways)
    how = {"loc": "outside upper center", "ncols": columns, "handlelength": LINE}
    return _legend(figure, handles, texts, **how)


def legend_beside(figure: Figure, handles: Sequence[Line2D], width: float) -> float:
    """Draw a legend right of the axes, at most `width` inches wide; return its height in inches."""
    size = _size()
    room = width - (POINT + PAD + 0.8) * size / 72
    texts = [wrapped(handle.get_label(), room, size) for handle in handles]
    return _legend(figure, handles, texts, loc="outside right center", handlelength=POINT)


def _size() -> float:
    return FontProperties(size=plt.rcParams["legend.fontsize"]).get_size_in_points()


def _legend(figure: Figure, handles: Sequence[Line2D], texts: Sequence[str], **how: Any) -> float:
    """Draw a legend with `texts` for labels; return its height in inches."""
    for handle, text in zip(handles, texts, strict=True):
        handle.set_label(text)
    spacing = {"handletextpad": PAD, "columnspacing": BETWEEN, "labelspacing": 0.35}
    legend = figure.legend(handles=list(handles), frameon=False, **spacing, **how)
    renderer = figure.canvas.get_renderer()
    return legend.get_window_extent(renderer).height / figure.dpi
