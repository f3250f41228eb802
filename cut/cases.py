"""Drawing the best and the worst translations of each method, by a score of single images.

The score is L1 to the true counterpart where those are known. Elsewhere it is the distance of a
translation's Inception features (pool3) to those of the nearest real test image: low where some
real image looks alike, whatever the input was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from scipy.spatial.distance import cdist

from cut.errors import NothingToShow, UserError
from cut.images import list_images, read_image
from cut.metrics import content, features
from cut.results import CONTROLS, load_facts, one_dataset

WIDTH, HEIGHT = 6.9, 8.6  # inches: a page
CELL = (0.2, 0.82)  # inches: an image's width at least, though the page end, and at most
STACKED = 3  # methods above each other; of more, two stand side by side
LEFT, RIGHT, TOP, BOTTOM = 0.25, 0.05, 0.2, 0.16  # inches around a method's images, for words
HEAD = 0.22  # inches for the line that says what the score is
GAPS = 1.05  # an image's side with the gap after it, in sides
MIDDLE = 0.25  # of an image's width, between the best and the worst
LABELS = {
    "truth": "L1 to the true counterpart",
    "features": "the distance of Inception features to the nearest real test image",
}
SAME = ("extractor", "resize", "dims")  # what two files of features must agree in


@dataclass(frozen=True)
class Cases:
    """One run's translations by score, the lowest (best) first: (stem, score)."""

    method: str
    folder: Path
    ranked: list[tuple[str, float]]


def rank(run: Path, test: Path) -> list[tuple[str, float]]:
    """Return (stem, score) of every translation of a run, the best first.

    Raises:
        UserError: there is neither a counterpart nor a file of features to score by, or the
            features are not of these translations, or not of the reference's network.
    """
    folder = run / "translated"
    if (test / "truth").is_dir():
        pairs = content.counterparts(folder, test / "truth")
        scores = {mine.stem: content.l1(_pixels(mine), _pixels(true)) for mine, true in pairs}
    else:
        scores = _nearest(folder, run / "features.npz", test / "target.npz")
    return sorted(scores.items(), key=lambda item: (item[1], item[0]))


def _pixels(path: Path) -> np.ndarray:
    return np.asarray(read_image(path), np.float64) / 255


def _nearest(folder: Path, translated: Path, reference: Path) -> dict[str, float]:
    given, real = features.load(translated), features.load(reference)
    if reason := given.reason or real.reason:
        raise NothingToShow(f"no image can be scored by itself: no true counterparts, and {reason}")
    if given.protocol.get("images_sha256") != features.images_digest(list_images(folder)):
        raise UserError(f"{translated} is of other images than those in {folder}; score them again")
    if _network(given) != _network(real):
        raise UserError(
            f"{translated} and {reference} were not computed by one network and resize; compute"
            " both again with the same weights"
        )
    least = cdist(given.values, real.values).min(axis=1)
    return {Path(name).stem: float(d) for name, d in zip(given.names, least, strict=True)}


def _network(given: features.Features) -> list[Any]:
    weights = given.protocol.get("weights", {})
    return [given.protocol.get(key) for key in SAME] + [weights.get("tensors_sha256")]


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
    lines = {"input": content.by_stem(test / "source"), "output": {}}
    if (test / "truth").is_dir():
        lines["truth"] = content.by_stem(test / "truth")
    across = 1 if len(cases) <= STACKED else 2
    down = -(-len(cases) // across)
    first = read_image(next(iter(lines["input"].values())))
    tall = len(lines) * first.height / first.width  # the images' height, in their widths
    fits = ((WIDTH / across - LEFT - RIGHT) / (2 * count + MIDDLE),
            ((HEIGHT - HEAD) / down - TOP - BOTTOM) / tall)  # fmt: skip
    w = max(CELL[0], min(CELL[1], *(side / GAPS for side in fits)))
    h = GAPS * w * tall + TOP + BOTTOM
    figure = plt.figure(figsize=(WIDTH, down * h + HEAD))
    words = LABELS["truth" if "truth" in lines else "features"]
    figure.text(0.01, 1 - 0.05 / (down * h + HEAD), f"Best and worst by {words} (below each)",
                va="top", fontsize=7.5)  # fmt: skip
    _, body = figure.subfigures(2, 1, height_ratios=(HEAD, down * h), hspace=0)
    blocks = body.subfigures(down, across, squeeze=False, hspace=0, wspace=0).flat
    for block, case in zip(blocks, cases, strict=False):
        _block(block, case, lines, count, (WIDTH / across, h), w)
    return figure


def _block(
    block: SubFigure,
    case: Cases,
    lines: Mapping[str, Mapping[str, Path]],
    count: int,
    size: tuple[float, float],
    cell: float,
) -> None:
    """Draw one method's best `count` translations on the left and its worst on the right.

    `size` is that of the block in inches, `cell` the width of an image.
    """
    w, h = size
    right = LEFT + GAPS * cell * (2 * count + MIDDLE)
    axes = block.subplots(
        len(lines), 2 * count + 1, squeeze=False,
        gridspec_kw={"width_ratios": [*[1] * count, MIDDLE, *[1] * count], "wspace": GAPS - 1,
                     "hspace": GAPS - 1, "left": LEFT / w, "right": right / w,
                     "bottom": BOTTOM / h, "top": 1 - TOP / h},
    )  # fmt: skip
    for row in axes:
        row[count].remove()
    best, worst = case.ranked[:count], case.ranked[-count:]
    places = [*range(count), *range(count + 1, 2 * count + 1)]
    for place, (stem, score) in zip(places, [*best, *worst], strict=True):
        for ax, (line, paths) in zip(axes[:, place], lines.items(), strict=True):
            own = case.folder / f"{stem}.png" if line == "output" else paths.get(stem)
            if own is None:
                raise UserError(f"{case.folder / stem}.png has no {line} of its name")
            _image(ax, own)
        axes[-1, place].set_xlabel(f"{score:#.3g}", labelpad=2, fontsize=6.5)
    for ax, line in zip(axes[:, 0], lines, strict=True):
        ax.set_ylabel(line, fontsize=6.5, labelpad=2)
    axes[0, 0].set_title(f"{case.method}, best", loc="left", pad=3, fontsize=8)
    axes[0, count + 1].set_title("worst", loc="left", pad=3, fontsize=8)


def _image(ax: Axes, path: Path) -> None:
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.imshow(np.asarray(read_image(path)), interpolation="nearest")
