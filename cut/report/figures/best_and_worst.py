"""Draw the best and the worst translations of each method, by a score of single images.

The score is L1 to the true counterpart where those are known. Otherwise it is the distance of a
translation's Inception features (pool3) to those of the nearest real test image: low where a real
image looks similar, whatever the input was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from matplotlib.figure import Figure
from PIL.Image import Image
from scipy.spatial.distance import cdist

from cut.base.errors import NothingToShow, UserError
from cut.base.image_files import by_stem, counterparts, list_images
from cut.base.image_form import RGB, Form
from cut.base.images import shown
from cut.metrics import paired
from cut.metrics.image_folder import exported
from cut.records.images import form_of
from cut.records.run import RunRecord
from cut.report.figures.image_page import POINT, Frame, ImagePage, fitted, frame
from cut.report.figures.text import PAGE, text_width, wrapped
from cut.results.run import one_dataset

# Inches: the width of an image. The page may become longer to keep the least.
LEAST, MOST = 0.38, 1.0
ACROSS = 4  # methods beside each other, at most
WORDS = 0.4  # inches left of a method's images, for the names of its lines
RIGHT, GAP = 0.08, 0.03  # inches right of a method's images, and between two
MIDDLE = 0.12  # inches between the best and the worst
HEAD = 0.24  # inches for the line that names the score
NAME, SMALL, TINY = 8, 6.5, 4.5  # points: a method's name, words and scores, images' names
LEADING = 1.2 * NAME * POINT  # inches from a name's line to the next
TITLE, SCORE, STEM, BELOW = 0.13, 0.12, 0.08, 0.08  # inches: of a line of each, and after a block
DECIMALS = {"truth": 3, "features": 2}
LABELS = {
    "truth": "L1 to the true counterpart",
    "features": "the distance of Inception features to the nearest real test image",
}
CENTRED = {"ha": "center", "va": "top"}


# -- scores --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """The images of one line of the page: by name without extension, and their form."""

    files: Mapping[str, Path]
    form: Form = RGB

    @classmethod
    def of(cls, folder: Path) -> Line:
        """Return the line of a folder of images."""
        return cls(by_stem(folder), form_of(folder))

    def image(self, stem: str) -> Image:
        """Return an image as it is shown."""
        return shown(self.files[stem], self.form)


@dataclass(frozen=True)
class Ranking:
    """One run's translations by score, the lowest (best) first: (name without extension, score)."""

    method: str
    folder: Path
    ranked: list[tuple[str, float]]

    @cached_property
    def line(self) -> Line:
        """Return the translations."""
        return Line.of(self.folder)

    def ends(self, count: int) -> list[tuple[str, float]]:
        """Return the `count` best and the `count` worst."""
        return [*self.ranked[:count], *self.ranked[-count:]]


def rank(run: Path, test: Path) -> list[tuple[str, float]]:
    """Return (name without extension, score) of every translation of a run, the best first.

    Raises:
        NothingToShow: there are neither counterparts nor features to score by.
        UserError: the features are not of these translations, or not of the reference's network.
    """
    folder = run / "translated"
    if (test / "truth").is_dir():
        pairs = counterparts(list_images(folder), exported(test / "truth").paths)
        form = form_of(folder)
        scores = {
            mine.stem: paired.l1(paired.unit(mine, form), paired.unit(true, form))
            for mine, true in pairs
        }
    else:
        scores = _nearest(folder, run / "features.npz", test / "target.npz")
    return sorted(scores.items(), key=lambda item: (item[1], item[0]))


def _nearest(folder: Path, translated: Path, reference: Path) -> dict[str, float]:
    """Return the distance of each translation to the nearest real image, in features."""
    # Deferred: they load torch, and data sets with true counterparts need neither.
    from cut.metrics.image_folder import ImageFolder
    from cut.metrics.inception import features

    given, real = features.load(translated), features.load_reference(reference)
    if reason := given.reason or real.reason:
        raise NothingToShow(f"no image can be scored by itself: no true counterparts, and {reason}")
    if given.protocol.images_sha256 != ImageFolder(folder).digest:
        raise UserError(f"{translated} is of other images than those in {folder}; score them again")
    networks = [
        (side.extractor, side.resize, side.dims, side.weights and side.weights.tensors_sha256)
        for side in (given.protocol, real.protocol)
    ]
    if networks[0] != networks[1]:
        raise UserError(
            f"{translated} and {reference} were not computed by one network and resize; compute"
            " both again with the same weights"
        )
    least = cdist(given.values, real.values).min(axis=1)
    return {Path(name).stem: float(d) for name, d in zip(given.names, least, strict=True)}


def rankings(test: Path, runs: Sequence[Path]) -> list[Ranking]:
    """Return each method's ranked translations, of the first given seed; controls are left out.

    Raises:
        UserError: runs are of several data sets, no method is among them, or as `rank`.
    """
    records = [RunRecord.read(run / "run.json") for run in runs]
    one_dataset(records)
    found: dict[str, Ranking] = {}
    for run, record in zip(runs, records, strict=True):
        name = record.method
        if not record.control and name not in found:
            found[name] = Ranking(name, run / "translated", rank(run, test))
    if not found:
        raise UserError("no method is among these runs, only controls; give a method's run")
    return list(found.values())


# -- the page ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Layout:
    """The arrangement of the methods on the page.

    Attributes:
        rankings: one per method.
        lines: lines of images per method: inputs, translations, counterparts.
        size: (width, height) of an image in its own pixels.
        across: methods beside each other.
        count: images on either side, best and worst.
    """

    rankings: Sequence[Ranking]
    lines: int
    size: tuple[int, int]
    across: int
    count: int

    @cached_property
    def titles(self) -> list[str]:
        """Return the methods' names, broken into lines."""
        return [wrapped(each.method, PAGE[0] / self.across - 0.1, NAME) for each in self.rankings]

    @property
    def down(self) -> int:
        """Return the number of methods below each other."""
        return -(-len(self.rankings) // self.across)

    @property
    def title_lines(self) -> int:
        """Return the lines of the longest name."""
        return max(len(title.splitlines()) for title in self.titles)

    @property
    def available(self) -> float:
        """Return the width in inches that the page has for an image."""
        room = PAGE[0] / self.across - WORDS - RIGHT - MIDDLE
        return (room + GAP) / (2 * self.count) - GAP

    @property
    def width(self) -> float:
        """Return the width in inches of an image for which all methods fit on the page."""
        words = self.title_lines * LEADING + TITLE + SCORE + STEM + BELOW
        height = ((PAGE[1] - HEAD) / self.down - words) / self.lines - GAP
        return min(MOST, self.available, height * self.size[0] / self.size[1])

    @cached_property
    def frame(self) -> Frame:
        """Return the frame of an image, with at least the least width that the page has."""
        width = min(self.available, max(self.width, LEAST))
        return frame(self.size, width, width * self.size[1] / self.size[0])

    @cached_property
    def stems(self) -> bool:
        """Return whether the images' names fit below them."""
        shown = [stem for each in self.rankings for stem, _ in each.ends(self.count)]
        return all(text_width(stem, TINY) <= self.frame.inches[0] for stem in shown)

    @property
    def pitch(self) -> float:
        """Return the inches from one method to the one beside it."""
        lines = [line for title in self.titles for line in title.splitlines()]
        widest = max(text_width(line, NAME) for line in lines)
        images = 2 * self.count * (self.frame.inches[0] + GAP) - GAP
        return min(PAGE[0] / self.across, max(WORDS + images + MIDDLE + RIGHT, widest + 0.15))

    @property
    def height(self) -> float:
        """Return the height in inches of one method."""
        words = self.title_lines * LEADING + TITLE + SCORE + self.stems * STEM + BELOW
        return words + self.lines * (self.frame.inches[1] + GAP)


def lay_out(rankings: Sequence[Ranking], most: int, lines: int, size: tuple[int, int]) -> Layout:
    """Return the layout with the most images on either side, up to `most`, that stay legible."""
    for count in range(most, 0, -1):
        beside = range(1, min(ACROSS, len(rankings)) + 1)
        layouts = [Layout(rankings, lines, size, across, count) for across in beside]
        best = max(layouts, key=lambda layout: (layout.width, -layout.across))
        if best.width >= LEAST:
            break
    return best


def draw(test: Path, runs: Sequence[Path], count: int) -> Figure:
    """Draw the best and worst translations of each method, up to `count`, under their inputs.

    Raises:
        UserError: `count` is less than 1, or as `rankings`.
    """
    if count < 1:
        raise UserError(f"--count is {count}; give 1 or more")
    found = rankings(test, runs)
    count = min(count, max(1, len(found[0].ranked) // 2))
    lines = {"input": Line.of(exported(test / "source").path), "output": Line({})}
    if (test / "truth").is_dir():
        lines["truth"] = Line.of(exported(test / "truth").path)
    size = lines["input"].image(next(iter(lines["input"].files))).size
    layout = lay_out(found, count, len(lines), size)
    kind = "truth" if "truth" in lines else "features"
    words = f"Best and worst by {LABELS[kind]} (below each)"
    width = max(layout.across * layout.pitch, text_width(words, NAME) + 0.1)
    page = ImagePage(width, HEAD + layout.down * layout.height, layout.frame.dpi)
    page.text(0.05, 0.05, words, va="top", fontsize=NAME)
    for i in range(len(found)):
        down, across = divmod(i, layout.across)
        corner = across * layout.pitch, HEAD + down * layout.height
        _method(page, corner, layout, i, lines, DECIMALS[kind])
    return page.figure()


def _method(
    page: ImagePage,
    corner: tuple[float, float],
    layout: Layout,
    i: int,
    lines: Mapping[str, Line],
    decimals: int,
) -> None:
    """Draw the `i`-th method: its best translations on the left and its worst on the right."""
    x, y = corner
    (w, h), count, found = layout.frame.inches, layout.count, layout.rankings[i]
    y += layout.title_lines * LEADING
    page.text(x + 0.05, y - 0.04, layout.titles[i], va="baseline", fontsize=NAME)
    y += TITLE
    half = count * (w + GAP) + MIDDLE - GAP
    for words, side in (("best", 0), ("worst", half)):
        page.text(x + WORDS + side, y - 0.04, words, va="baseline", fontsize=SMALL + 0.5)
    named = {"ha": "right", "va": "center", "fontsize": SMALL}
    for j, line in enumerate(lines):
        page.text(x + WORDS - 0.04, y + j * (h + GAP) + h / 2, line, **named)
    places = [side + k * (w + GAP) for side in (0, half) for k in range(count)]
    for place, (stem, score) in zip(places, found.ends(count), strict=True):
        left, below = x + WORDS + place, y + len(lines) * (h + GAP)
        for j, (name, line) in enumerate(lines.items()):
            shown_line = found.line if name == "output" else line
            if stem not in shown_line.files:
                raise UserError(
                    f"{found.folder / stem}{found.line.form.suffix} has no {name} of its name"
                )
            page.image(left, y + j * (h + GAP), fitted(shown_line.image(stem), layout.frame.pixels))
        page.text(left + w / 2, below, f"{score:.{decimals}f}", fontsize=SMALL, **CENTRED)
        if layout.stems:
            style = {"fontsize": TINY, "color": "0.35", **CENTRED}
            page.text(left + w / 2, below + SCORE, stem, **style)
