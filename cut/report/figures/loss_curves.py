"""Plot training curves as small multiples: one panel per kind of loss, one line per row.

A line is the running mean of a row, or over several seeds their mean with a band of their standard
deviation. With few rows, the values of a single seed are drawn faintly behind its line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from cut.base.errors import NothingToShow
from cut.records.history import HistoryRow
from cut.records.run import LossRecord, RunRecord
from cut.report.figures.style import BESIDE, RowStyle, row_styles
from cut.report.figures.text import COLUMN, PAGE, legend_above, wrapped

PANEL = 1.75  # inches: its height
FEW = 6  # rows: with more, values behind the running means would hide other lines
MARKED = 6  # markers per line, about

Points = tuple[pd.Series, pd.Series]  # epochs, and the loss at each


@dataclass(frozen=True)
class Curve:
    """The losses of one run: `x` in epochs, one column of `losses` per loss."""

    record: RunRecord
    x: pd.Series
    losses: pd.DataFrame

    def points(self, name: str) -> Points:
        """Return a loss without its weight."""
        return self.x, self.losses[name] / self.weight(name)

    def weight(self, name: str) -> float:
        """Return the weight of a loss in the sum that is minimised; 1 for one without."""
        known = self.record.losses.get(name)
        return float(self.record.options.get(known.weight, 1.0)) or 1.0 if known else 1.0


@dataclass(frozen=True)
class Panel:
    """One kind of loss, and the curves of the runs that have it."""

    loss: str
    shown: LossRecord
    curves: list[Curve]

    def chance(self) -> float | None:
        """Return the level of chance if it is the same in all runs, or None."""
        known = [curve.record.losses.get(self.loss, self.shown) for curve in self.curves]
        levels = {loss.chance for loss in known}
        return levels.pop() if len(levels) == 1 else None


def load_curve(run: Path) -> Curve | None:
    """Return the losses of a run, or None for one without training.

    Raises:
        UserError: `run.json` or `history.csv` is missing, not of its form, or of another run.
    """
    record = RunRecord.read(run / "run.json")
    rows = HistoryRow.read(run / "history.csv", record.history_sha256)
    if not rows or not record.trained:
        return None
    x = pd.Series([row.iteration * record.epochs / record.iterations for row in rows])
    return Curve(record, x, pd.DataFrame([row.losses for row in rows]))


def panels(curves: Sequence[Curve]) -> list[Panel]:
    """Return one panel per loss, except for sums of other losses."""
    # The methods' own order, then losses that no record describes.
    names = [name for curve in curves for name in (*curve.record.losses, *curve.losses)]
    found = []
    for name in dict.fromkeys(names):
        mine = [curve for curve in curves if name in curve.losses]
        if not mine:
            continue
        known = next((c.record.losses[name] for c in mine if name in c.record.losses), None)
        shown = known or LossRecord(title=f"{name} ({_whose(mine)})")
        if not shown.total:
            found.append(Panel(name, shown, mine))
    return found


def _whose(curves: Sequence[Curve]) -> str:
    names = dict.fromkeys(curve.record.method for curve in curves)
    return ", ".join(names) if len(names) <= 2 else f"{len(names)} rows"


def draw(runs: Sequence[Path]) -> Figure:
    """Draw the losses of every trained run in `runs`, which are run folders.

    Raises:
        UserError: as `load_curve`.
        NothingToShow: no run was trained.
    """
    styles = row_styles(RunRecord.read(run / "run.json") for run in runs)
    curves = [curve for run in runs if (curve := load_curve(run))]
    shown = panels(curves)
    if not shown:
        raise NothingToShow("no run was trained")
    names = list(dict.fromkeys(curve.record.method for curve in curves))
    across = min(3 if len(shown) > 4 else 2, len(shown))
    down = math.ceil(len(shown) / across)
    width = PAGE[0] if across > 1 else COLUMN
    size = (width, PANEL * down)
    figure, axes = plt.subplots(down, across, squeeze=False, layout="constrained", figsize=size)
    flat = list(axes.flat)
    for panel, ax in zip(shown, flat, strict=False):
        _panel(ax, panel, names, styles)
        ax.set_title(wrapped(panel.shown.title, width / across - 0.55, 8.5), loc="left")
    for ax in flat[len(shown) :]:
        ax.remove()
    for ax in flat[max(0, len(shown) - across) : len(shown)]:
        ax.set_xlabel("epoch")  # the last panel of each column
    lines = {"lw": 1.3, "ms": 4.5, "mew": 0.5}
    handles = [Line2D([], [], label=name, **lines, **styles[name].line) for name in names]
    figure.set_figheight(PANEL * down + legend_above(figure, handles))
    return figure


def smooth(values: pd.Series) -> pd.Series:
    """Return a centred running mean over a twentieth of the training, where that is 3 or more."""
    window = len(values) // 20
    return values.rolling(window, center=True, min_periods=1).mean() if window >= 3 else values


def together(seeds: Sequence[Points]) -> pd.DataFrame:
    """Return the columns mean and deviation of several seeds, indexed by the first one's x.

    Only where every seed has values. A seed with other x (another interval) is interpolated.
    """
    low, high = max(x.min() for x, _ in seeds), min(x.max() for x, _ in seeds)
    x = seeds[0][0][seeds[0][0].between(low, high)].to_numpy()
    values = np.array([np.interp(x, own, y) for own, y in seeds])
    deviation = values.std(axis=0, ddof=1) if len(seeds) > 1 else np.zeros(len(x))
    return pd.DataFrame({"mean": values.mean(axis=0), "deviation": deviation}, index=x)


def _panel(ax: Axes, panel: Panel, names: Sequence[str], styles: Mapping[str, RowStyle]) -> None:
    """Draw one loss of every row that has it."""
    lines = []
    for place, name in enumerate(names):
        mine = [curve for curve in panel.curves if curve.record.method == name]
        if mine:
            seeds = [curve.points(panel.loss) for curve in mine]
            lines.append(_row(ax, seeds, styles[name], place, faint=len(names) <= FEW))
    divided = any(curve.weight(panel.loss) != 1 for curve in panel.curves)
    ax.set_ylabel(panel.shown.unit + f"\ndivided by {panel.shown.weight}" * divided)
    if min(line["mean"].min() for line in lines) >= 0:
        ax.set_ylim(bottom=0)
    end = max(line.index.max() for line in lines)
    ax.set_xlim(0, 1.03 * end or 1)
    ax.xaxis.set_major_locator(MaxNLocator(5, integer=bool(end >= 1)))
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    _chance_level(ax, panel)
    sns.despine(ax=ax)


def _row(
    ax: Axes, seeds: Sequence[Points], style: RowStyle, place: int, faint: bool
) -> pd.DataFrame:
    """Draw one row's line, and its band or the values behind it; return the line's values."""
    line = together([(x, smooth(raw)) for x, raw in seeds])
    x, mean = line.index, line["mean"]
    if len(seeds) > 1:
        low, high = mean - line["deviation"], mean + line["deviation"]
        ax.fill_between(x, low, high, color=style.colour, alpha=0.18, lw=0, zorder=1.5)
    elif faint and smooth(seeds[0][1]) is not seeds[0][1]:
        ax.plot(*seeds[0], color=style.colour, lw=0.5, alpha=0.25, zorder=1)
    step = max(1, len(line) // MARKED)
    # The markers of each row start at another place, so that those of equal losses don't overlap.
    first = place * step // max(1, MARKED) % step
    ax.plot(x, mean, lw=1.1, ms=3.5, mew=0.5, markevery=(first, step), zorder=2.5, **style.line)
    return line


def _chance_level(ax: Axes, panel: Panel) -> None:
    """Draw the level of chance as a dotted line where it is within the axis."""
    level = panel.chance()
    if level is None or level > ax.get_ylim()[1]:
        return
    ax.axhline(level, color="0.45", lw=0.7, ls=":", zorder=0)
    ax.annotate(panel.shown.at_chance, (1, level), (2, 0), va="center", **BESIDE)
