"""Drawing training curves: small multiples, one panel a kind of loss, one look a row.

A row is its running mean, of several seeds their mean with a band of their deviation. The values
themselves stand faint behind a row of one seed, where the rows are few.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cut.report.figures.style import Look
from cut.report.figures.text import COLUMN, PAGE, legend_above, wrapped

PANEL = 1.75  # inches: its height
FEW = 6  # rows: of more, the values behind the running means would hide these
MARKED = 6  # markers a line, about


@dataclass(frozen=True)
class Curve:
    """The losses of one run: `x` in epochs, one column of `losses` a loss."""

    method: str
    seed: int
    options: Mapping[str, Any]
    x: pd.Series
    losses: pd.DataFrame


@dataclass(frozen=True)
class Panel:
    """A kind of loss: the column it draws, and the option that weighs it (divided out)."""

    title: str
    loss: str
    unit: str
    weight: str = ""


PANELS = (
    Panel("generator, adversarial", "G_GAN", "squared error", "lambda_gan"),
    Panel("discriminator, real", "D_real", "squared error"),
    Panel("discriminator, fake", "D_fake", "squared error"),
    Panel("PatchNCE, translation", "NCE", "cross-entropy, nats", "lambda_nce"),
    Panel("PatchNCE, identity", "NCE_Y", "cross-entropy, nats", "lambda_nce"),
)
# The sum that is minimised: its terms are drawn.
SUMS = {"G"}


def panels(curves: Sequence[Curve]) -> list[Panel]:
    """Return the panels that have something to show, a method's own losses last."""
    present = dict.fromkeys(name for curve in curves for name in curve.losses)
    known = {panel.loss for panel in PANELS} | SUMS
    own = []
    for name in (name for name in present if name not in known):
        whose = dict.fromkeys(curve.method for curve in curves if name in curve.losses)
        words = ", ".join(whose) if len(whose) <= 2 else f"{len(whose)} rows"
        own.append(Panel(f"{name} ({words})", name, "loss"))
    return [p for p in PANELS if p.loss in present] + own


def draw(curves: Sequence[Curve], looks: Mapping[str, Look]) -> Figure:
    """Draw every curve in its row's look; a figure that says so where there are none."""
    shown = panels(curves)
    if not shown:
        figure = plt.figure(figsize=(3.2, PANEL))
        figure.text(0.5, 0.5, "no run was trained", ha="center", va="center")
        return figure
    across = min(3 if len(shown) > 4 else 2, len(shown))
    down = math.ceil(len(shown) / across)
    width = PAGE[0] if across > 1 else COLUMN
    figure, axes = plt.subplots(
        down, across, squeeze=False, layout="constrained", figsize=(width, PANEL * down)
    )
    rows: dict[str, list[Curve]] = {}
    for curve in curves:
        rows.setdefault(curve.method, []).append(curve)
    flat = list(axes.flat)
    for panel, ax in zip(shown, flat, strict=False):
        _panel(ax, panel, rows, looks)
        ax.set_title(wrapped(panel.title, width / across - 0.55, 8.5), loc="left")
    for ax in flat[len(shown) :]:
        ax.remove()
    for i in range(len(shown)):
        if i + across >= len(shown):  # nothing below
            flat[i].set_xlabel("epoch")
    handles = [
        Line2D([], [], lw=1.3, ms=4.5, mew=0.5, label=name, **looks[name].line) for name in rows
    ]
    figure.set_figheight(PANEL * down + legend_above(figure, handles))
    return figure


def smooth(values: pd.Series) -> pd.Series:
    """Return a centred running mean over a twentieth of the training, where that is 3 or more."""
    window = len(values) // 20
    return values.rolling(window, center=True, min_periods=1).mean() if window >= 3 else values


def together(seeds: Sequence[tuple[pd.Series, pd.Series]]) -> pd.DataFrame:
    """Return the columns mean and deviation of (x, y) of several seeds, by the first one's x.

    Only where every seed has values; a seed with other x (another interval) is interpolated.
    """
    low, high = max(x.min() for x, _ in seeds), min(x.max() for x, _ in seeds)
    x = seeds[0][0][seeds[0][0].between(low, high)].to_numpy()
    values = np.array([np.interp(x, own, y) for own, y in seeds])
    deviation = values.std(axis=0, ddof=1) if len(seeds) > 1 else np.zeros(len(x))
    return pd.DataFrame({"mean": values.mean(axis=0), "deviation": deviation}, index=x)


def _panel(
    ax: Axes, panel: Panel, rows: Mapping[str, Sequence[Curve]], looks: Mapping[str, Look]
) -> None:
    """Draw one loss of every row that has it."""
    weighed, shown = set(), []
    for place, (name, curves) in enumerate(rows.items()):
        seeds = []
        for curve in (curve for curve in curves if panel.loss in curve.losses):
            weight = float(curve.options.get(panel.weight, 1.0)) or 1.0
            weighed.add(weight)
            seeds.append((curve.x, curve.losses[panel.loss] / weight))
        if seeds:
            shown.append(_row(ax, seeds, looks[name], place, faint=len(rows) <= FEW))
    divided = f", divided by {panel.weight}" if weighed - {1.0} else ""
    ax.set_ylabel(panel.unit + divided.replace(", ", "\n", 1))
    if min(line["mean"].min() for line in shown) >= 0:
        ax.set_ylim(bottom=0)
    end = max(line.index.max() for line in shown)
    ax.set_xlim(0, 1.03 * end or 1)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=bool(end >= 1)))
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    _references(ax, panel, [curve for curves in rows.values() for curve in curves])
    sns.despine(ax=ax)


def _row(
    ax: Axes,
    seeds: Sequence[tuple[pd.Series, pd.Series]],
    look: Look,
    place: int,
    faint: bool,
) -> pd.DataFrame:
    """Draw one row's line, and its band or the values behind it; return what the line shows."""
    line = together([(x, smooth(raw)) for x, raw in seeds])
    x, mean = line.index, line["mean"]
    if len(seeds) > 1:
        low, high = mean - line["deviation"], mean + line["deviation"]
        ax.fill_between(x, low, high, color=look.colour, alpha=0.18, lw=0, zorder=1.5)
    elif faint and smooth(seeds[0][1]) is not seeds[0][1]:
        ax.plot(*seeds[0], color=look.colour, lw=0.5, alpha=0.25, zorder=1)
    step = max(1, len(line) // MARKED)
    # Rows begin at other places, or the markers of equal losses would lie on each other.
    first = place * step // max(1, MARKED) % step
    ax.plot(x, mean, lw=1.1, ms=3.5, mew=0.5, markevery=(first, step), zorder=2.5, **look.line)
    return line


def _references(ax: Axes, panel: Panel, curves: Sequence[Curve]) -> None:
    """Draw the value that tells nothing: a guess among patches, or between real and fake."""
    if panel.unit == "squared error":
        level, words = 0.25, "undecided"
    else:
        patches = {c.options.get("n_patches") for c in curves if panel.loss in c.losses}
        banks = any(c.options.get("negatives", "internal") != "internal" for c in curves)
        if panel.weight != "lambda_nce" or len(patches) != 1 or None in patches or banks:
            return
        level, words = math.log(patches.pop()), "guessing"
    if level > ax.get_ylim()[1]:
        return
    ax.axhline(level, color="0.45", lw=0.7, ls=":", zorder=0)
    place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    ax.annotate(words, (1, level), (2, 0), **place, va="center", color="0.4", fontsize=7)
