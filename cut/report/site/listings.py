"""The figures and the files of tables that the page shows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from PIL import Image

from cut.base.errors import UserError
from cut.report.site.links import Links

TABLE_ENDS = ("csv", "md", "tex")
DPI = 200  # of a figure that does not say its own
# The kinds of figures in the order of the page.
TITLES = {
    "ablation": "All rows of the ablation",
    "ablation-miou": "All rows of the ablation, by mIoU",
    "grid": "Translations",
    "stability": "FID by epoch",
    "curves": "Training curves",
    "cost": "FID against time and memory",
    "content": "FID against content kept",
    "cases": "Best and worst translations",
    "encoder": "What the encoder has learned",
}
CAPTIONS = resources.files("cut") / "resources" / "captions"  # the workflow's report has them too


@dataclass(frozen=True)
class ShownFigure:
    """A figure as the page shows it; sizes in pixels, `pdf` is "" without one.

    `dataset` is "" for a figure over all data sets.
    `inches` is the width that it was drawn for: text has its size in points at that width.
    """

    name: str
    dataset: str
    title: str
    caption: str
    png: str
    pdf: str
    width: int
    height: int
    inches: float


def caption_of(kind: str) -> str:
    """Return a figure's caption, or "" for a kind that no rule draws."""
    # Both scatter plots of an ablation share one caption.
    file = CAPTIONS / f"{kind.removesuffix('-miou')}.rst"
    return " ".join(file.read_text(encoding="utf-8").split()) if file.is_file() else ""


def list_figures(
    folder: Path, datasets: Sequence[str], links: Links, only: Collection[str] | None = None
) -> list[ShownFigure]:
    """Return the PNG figures of `folder`: those over all data sets, then each set's, by kind.

    `only` are the names to show, where an earlier benchmark may have left others.

    Raises:
        UserError: a file is no readable image.
    """
    kinds, found = list(TITLES), []
    for path in sorted(folder.glob("*.png"), key=lambda p: p.name):
        if path.name.startswith(".") or (only is not None and path.stem not in only):
            continue
        # The longest name wins: `a-b-grid` belongs to `a-b`, not to `a`.
        fits = [name for name in datasets if path.stem.startswith(f"{name}-")]
        dataset = max(fits, key=len, default="")
        kind = path.stem.removeprefix(f"{dataset}-") if dataset else path.stem
        place = (
            datasets.index(dataset) if dataset else -1,
            kinds.index(kind) if kind in kinds else len(kinds),
            path.name,
        )
        found.append((place, _figure(path, dataset, kind, links)))
    return [figure for _, figure in sorted(found, key=lambda pair: pair[0])]


def _figure(path: Path, dataset: str, kind: str, links: Links) -> ShownFigure:
    try:
        with Image.open(path) as image:
            width, height = image.size
            dpi = image.info.get("dpi", (DPI, DPI))[0]
    except OSError as error:
        raise UserError(f"the figure {path} can't be read ({error}); draw it again") from None
    words = TITLES.get(kind, kind)
    pdf = path.with_suffix(".pdf")
    return ShownFigure(
        name=path.name,
        dataset=dataset,
        title=f"{dataset}: {words}" if dataset else words,
        caption=caption_of(kind),
        png=links.to(path),
        pdf=links.to(pdf) if pdf.is_file() else "",
        width=width,
        height=height,
        inches=round(width / dpi, 2),
    )


def list_tables(
    folder: Path, links: Links, only: Collection[str] | None = None
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return (name, [(extension, URL)]) of the tables in `folder`; `only` those of these names."""
    stems = sorted({path.stem for path in folder.glob("*") if path.suffix[1:] in TABLE_ENDS})
    return [
        (stem, [(end, links.to(folder / f"{stem}.{end}")) for end in _ends(folder, stem)])
        for stem in stems
        if only is None or stem in only
    ]


def _ends(folder: Path, stem: str) -> list[str]:
    return [end for end in TABLE_ENDS if (folder / f"{stem}.{end}").is_file()]
