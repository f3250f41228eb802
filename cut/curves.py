"""Drawing training curves: small multiples, one panel a kind of loss, one colour a method."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

PANEL = (3.2, 1.9)  # inches
DASHED = (0, (4, 1.6))


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
    """A kind of loss: the columns it draws, and the option that weighs them (divided out)."""

    title: str
    losses: tuple[str, ...]
    unit: str
    weight: str = ""


PANELS = (
    Panel("generator, adversarial", ("G_GAN",), "squared error", "lambda_gan"),
    Panel("discriminator", ("D_real", "D_fake"), "squared error"),
    Panel("PatchNCE, translation", ("NCE",), "cross-entropy, nats", "lambda_nce"),
    Panel("PatchNCE, identity", ("NCE_Y",), "cross-entropy, nats", "lambda_nce"),
)
# The sum that is minimised: its terms are drawn.
SUMS = {"G"}


def panels(curves: Sequence[Curve]) -> list[Panel]:
    """Return the panels that have something to show, a method's own losses last."""
    present = dict.fromkeys(name for curve in curves for name in curve.losses)
    known = {name for panel in PANELS for name in panel.losses} | SUMS
    own = []
    for name in (name for name in present if name not in known):
        whose = dict.fromkeys(curve.method for curve in curves if name in curve.losses)
        own.append(Panel(f"{name} ({', '.join(whose)})", (name,), "loss"))
    return [p for p in PANELS if any(name in present for name in p.losses)] + own


def draw(curves: Sequence[Curve]) -> Figure:
    """Draw every curve; a figure that says so where there are none."""
    shown = panels(curves)
    if not shown:
        figure = plt.figure(figsize=PANEL)
        figure.text(0.5, 0.5, "no run was trained", ha="center", va="center")
        return figure
    methods = list(dict.fromkeys(curve.method for curve in curves))
    colours = dict(zip(methods, sns.color_palette("colorblind", len(methods)), strict=True))
    across = min(3 if len(shown) > 6 else 2, len(shown))
    down = math.ceil(len(shown) / across)
    figure, axes = plt.subplots(
        down, across, squeeze=False, layout="constrained",
        figsize=(PANEL[0] * across, PANEL[1] * down + 0.3),
    )  # fmt: skip
    flat = list(axes.flat)
    for panel, ax in zip(shown, flat, strict=False):
        _panel(ax, panel, curves, colours)
    for ax in flat[len(shown) :]:
        ax.remove()
    for i in range(len(shown)):
        if i + across >= len(shown):  # nothing below
            flat[i].set_xlabel("epoch")
    handles = [Line2D([], [], color=colours[name], lw=1.8, label=name) for name in methods]
    figure.legend(handles=handles, loc="outside upper center", ncols=min(4, len(methods)),
                  frameon=False, handlelength=1.4)  # fmt: skip
    return figure


def smooth(values: pd.Series) -> pd.Series:
    """Return a centred running mean over a twentieth of the training, where that is 3 or more."""
    window = len(values) // 20
    return values.rolling(window, center=True, min_periods=1).mean() if window >= 3 else values


def _panel(ax: Axes, panel: Panel, curves: Sequence[Curve], colours: Mapping[str, tuple]) -> None:
    weighed = set()
    for curve in curves:
        weight = float(curve.options.get(panel.weight, 1.0)) or 1.0
        for i, name in enumerate(panel.losses):
            if name not in curve.losses:
                continue
            weighed.add(weight)
            raw = curve.losses[name] / weight
            line, colour = smooth(raw), colours[curve.method]
            if line is not raw:
                ax.plot(curve.x, raw, color=colour, lw=0.5, alpha=0.25)
            ax.plot(curve.x, line, color=colour, lw=1.2, ls=DASHED if i else "-")
    if len(panel.losses) > 1:
        styles = [
            Line2D([], [], color="0.3", lw=1.2, ls=ls, label=name.rpartition("_")[2])
            for name, ls in zip(panel.losses, ("-", DASHED), strict=True)
        ]
        ax.legend(handles=styles, edgecolor="none", framealpha=0.85, loc="upper right",
                  handlelength=1.8, ncols=2)  # fmt: skip
    divided = f", divided by {panel.weight}" if weighed - {1.0} else ""
    ax.set_title(panel.title, loc="left")
    ax.set_ylabel(panel.unit + divided.replace(", ", "\n", 1))
    ax.set_ylim(bottom=0)
    ax.margins(x=0.02)
    ax.set_xlim(left=0)
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    _references(ax, panel, curves)
    sns.despine(ax=ax)


def _references(ax: Axes, panel: Panel, curves: Sequence[Curve]) -> None:
    """Draw the value that tells nothing: a guess among patches, or between real and fake."""
    if panel.unit == "squared error":
        level, words = 0.25, "undecided"
    else:
        patches = {c.options.get("n_patches") for c in curves if panel.losses[0] in c.losses}
        banks = any(c.options.get("negatives", "internal") != "internal" for c in curves)
        if panel.weight != "lambda_nce" or len(patches) != 1 or None in patches or banks:
            return
        level, words = math.log(patches.pop()), "guessing"
    if level > ax.get_ylim()[1]:
        return
    ax.axhline(level, color="0.45", lw=0.7, ls=":", zorder=0)
    place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    ax.annotate(words, (1, level), (2, 0), **place, va="center", color="0.4", fontsize=7)
