"""Drawing the best and the worst translations of each method, by a score of single images.

The score is L1 to the true counterpart where those are known. Elsewhere it is the distance of a
translation's Inception features (pool3) to those of the nearest real test image: low where some
real image looks alike, whatever the input was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.spatial.distance import cdist

from cut.errors import NothingToShow, UserError
from cut.images import list_images, read_image
from cut.metrics import content, features
from cut.results import CONTROLS, load_facts, one_dataset

CELL = 0.82  # inches a side of an image along its longer side
LABELS = {"truth": "L1 to the truth", "features": "feature distance to a real image"}
LEFT = 0.25  # inches for the names of the lines


@dataclass(frozen=True)
class Cases:
    """One run's translations by score, the lowest (best) first: (stem, score)."""

    method: str
    folder: Path
    ranked: list[tuple[str, float]]


def rank(run: Path, test: Path) -> list[tuple[str, float]]:
    """Return (stem, score) of every translation of a run, the best first.

    Raises:
        UserError: there is neither a counterpart nor a file of features to score by.
    """
    folder = run / "translated"
    if (test / "truth").is_dir():
        pairs = content.counterparts(folder, test / "truth")
        scores = {mine.stem: content.l1(_pixels(mine), _pixels(true)) for mine, true in pairs}
    else:
        scores = _nearest(run / "features.npz", test / "target.npz")
    return sorted(scores.items(), key=lambda item: (item[1], item[0]))


def _pixels(path: Path) -> np.ndarray:
    return np.asarray(read_image(path), np.float64) / 255


def _nearest(translated: Path, reference: Path) -> dict[str, float]:
    given, real = features.load(translated), features.load(reference)
    if reason := given.reason or real.reason:
        raise NothingToShow(f"no image can be scored by itself: no true counterparts, and {reason}")
    least = cdist(given.values, real.values).min(axis=1)
    return {Path(name).stem: float(d) for name, d in zip(given.names, least, strict=True)}


def find(test: Path, runs: Sequence[Path]) -> list[Cases]:
    """Return each method's ranked translations; controls left out, of seeds the first given.

    Raises:
        UserError: runs of several data sets, no method among them, or as `rank`.
    """
    found: dict[str, Cases] = {}
    facts = [load_facts(run) for run in runs]
    one_dataset(facts)
    for run, fact in zip(runs, facts, strict=True):
        name = fact["method"]
        if fact["algorithm"] not in CONTROLS and name not in found:
            found[name] = Cases(name, run / "translated", rank(run, test))
    if not found:
        raise UserError("no method is among these runs, only controls; give a method's run")
    return list(found.values())


def draw(test: Path, runs: Sequence[Path], count: int) -> Figure:
    """Draw the `count` best and worst translations of each method under their inputs.

    Raises:
        UserError: as `find`, or fewer than one image a side.
    """
    if count < 1:
        raise UserError(f"--count is {count}; give 1 or more")
    cases = find(test, runs)
    count = min(count, max(1, len(cases[0].ranked) // 2))
    sources = {path.stem: path for path in list_images(test / "source")}
    truths = {}
    if (test / "truth").is_dir():
        truths = {path.stem: path for path in list_images(test / "truth")}
    lines = ["input", "translation", *(["truth"] if truths else [])]
    first = read_image(next(iter(sources.values())))
    scale = CELL / max(first.size)
    w, h = first.width * scale, first.height * scale
    size = (2 * count * w + LEFT + 0.3, len(cases) * (len(lines) * h + 0.36))
    figure = plt.figure(figsize=size)
    blocks = figure.subfigures(len(cases), 1, squeeze=False)[:, 0]
    for block, case in zip(blocks, cases, strict=True):
        shown = [*case.ranked[:count], *case.ranked[-count:]]
        axes = block.subplots(
            len(lines), 2 * count + 1, squeeze=False,
            gridspec_kw={"width_ratios": [*[1] * count, 0.25, *[1] * count], "wspace": 0.05,
                         "hspace": 0.05, "left": LEFT / size[0], "right": 0.99,
                         "bottom": 0.16 / (len(lines) * h + 0.36),
                         "top": 1 - 0.2 / (len(lines) * h + 0.36)},
        )  # fmt: skip
        places = [*range(count), *range(count + 1, 2 * count + 1)]
        for row in axes:
            row[count].remove()
        for place, (stem, score) in zip(places, shown, strict=True):
            paths = [sources.get(stem), case.folder / f"{stem}.png", truths.get(stem)]
            for ax, path in zip(axes[:, place], paths, strict=False):
                _image(ax, path)
            axes[-1, place].set_xlabel(f"{score:#.3g}", labelpad=2, fontsize=7)
        for ax, label in zip(axes[:, 0], lines, strict=True):
            ax.set_ylabel(label, fontsize=7, labelpad=2)
        words = LABELS["truth" if truths else "features"]
        axes[0, 0].set_title(f"{case.method}: best by {words}", loc="left", pad=3)
        axes[0, count + 1].set_title("worst", loc="left", pad=3)
    return figure


def _image(ax: Axes, path: Path | None) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    if path is not None:
        ax.imshow(np.asarray(read_image(path)), interpolation="nearest")
