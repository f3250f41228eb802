"""Put the page together: data from the records, a template, and the files that it needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import yaml
from jinja2.utils import htmlsafe_json_dumps
from PIL import Image

import cut
from cut.base.errors import UserError
from cut.base.files import replacing
from cut.report.site.links import Links
from cut.report.site.overview import overview_table
from cut.report.site.pictures import pictures
from cut.report.site.records import records
from cut.report.site.scores import score_table
from cut.results.protocol import check_comparable
from cut.results.run import Run, load_run

ASSETS = resources.files("cut.report.site") / "assets"
TABLE_ENDS = ("csv", "md", "tex")
DPI = 200  # of a figure that does not say its own
# The kinds of figures in the order of the page: what was found, then how, then at what cost.
TITLES = {
    "ablation": "Every row of the ablation",
    "ablation-miou": "Every row of the ablation, by mIoU",
    "grid": "Translations",
    "stability": "FID by epoch",
    "curves": "Training curves",
    "cost": "FID against time and memory",
    "cases": "Best and worst translations",
    "encoder": "What the encoder has learned",
}
CAPTIONS = resources.files("cut") / "resources" / "captions"  # the report's figures have them too


@dataclass(frozen=True)
class Figure:
    """A figure as the page shows it; sizes in pixels, `pdf` is "" without one.

    `inches` is the width it was drawn for: its letters have their size in points at that width.
    """

    name: str
    title: str
    caption: str
    png: str
    pdf: str
    width: int
    height: int
    inches: float


def vendored() -> list[dict[str, str]]:
    """Return what `assets/vendored.yaml` says of the third-party files."""
    return yaml.safe_load(ASSETS.joinpath("vendored.yaml").read_text(encoding="utf-8"))


def assets() -> dict[str, bytes]:
    """Return the files that the page loads or links, by name."""
    return {file.name: file.read_bytes() for file in sorted(ASSETS.iterdir(), key=lambda f: f.name)
            if file.is_file()}  # fmt: skip


def caption_of(kind: str) -> str:
    """Return a figure's caption, or "" for one that no rule draws."""
    # Both of an ablation's scatters share theirs.
    file = CAPTIONS / f"{kind.removesuffix('-miou')}.rst"
    return " ".join(file.read_text(encoding="utf-8").split()) if file.is_file() else ""


def figures(
    folder: Path, datasets: Sequence[str], links: Links, only: Sequence[str] | None = None
) -> list[Figure]:
    """Return the PNG figures of `folder`: those over all data sets, then each set's, by kind.

    `only`: those of these names, where an earlier benchmark may have left others.

    Raises:
        UserError: a file is no readable image.
    """
    kinds = list(TITLES)
    found = []
    for path in sorted(folder.glob("*.png"), key=lambda p: p.name):
        if path.name.startswith(".") or only is not None and path.stem not in only:
            continue
        # The longest name wins: `a-b-grid` belongs to `a-b`, not to `a`.
        fits = [d for d in datasets if path.stem.startswith(f"{d}-")]
        dataset = max(fits, key=len, default="")
        kind = path.stem.removeprefix(f"{dataset}-") if dataset else path.stem
        place = (
            datasets.index(dataset) if dataset else -1,
            kinds.index(kind) if kind in kinds else len(kinds),
        )
        found.append((place, _figure(path, dataset, kind, links)))
    return [figure for _, figure in sorted(found, key=lambda pair: (pair[0], pair[1].name))]


def _figure(path: Path, dataset: str, kind: str, links: Links) -> Figure:
    try:
        with Image.open(path) as image:
            width, height = image.size
            dpi = image.info.get("dpi", (DPI, DPI))[0]
    except OSError as error:
        raise UserError(f"the figure {path} can't be read ({error}); draw it again") from None
    words = TITLES.get(kind, kind)
    title = f"{dataset}: {words}" if dataset else words
    pdf = path.with_suffix(".pdf")
    url = links.to(pdf) if pdf.is_file() else ""
    return Figure(path.name, title, caption_of(kind), links.to(path), url, width, height,
                  round(width / dpi, 2))  # fmt: skip


def table_files(
    folder: Path, links: Links, only: Sequence[str] | None = None
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return (name, [(extension, URL)]) of the tables in `folder`; `only` those of these names."""
    stems = sorted({p.stem for p in folder.glob("*") if p.suffix[1:] in TABLE_ENDS})
    stems = [stem for stem in stems if only is None or stem in only]
    return [
        (stem, [(end, links.to(path)) for end in TABLE_ENDS
                if (path := folder / f"{stem}.{end}").is_file()])
        for stem in stems
    ]  # fmt: skip


def context(
    out: Path,
    runs: Sequence[Run],
    figure_folder: Path,
    table_folder: Path,
    title: str | None,
    ablation: bool = False,
    only: Sequence[str] | None = None,
) -> dict[str, Any]:
    """Return all that the template shows."""
    links = Links(out)
    datasets = list(dict.fromkeys(run.facts["dataset"] for run in runs))
    by_set = {d: [run for run in runs if run.facts["dataset"] == d] for d in datasets}
    several = len(datasets) > 1
    tables = [overview_table(runs, ablation)] if several else []
    # The options of an ablation's rows stand once: in the first table.
    tables += [score_table(d, mine, i, ablation and not several)
               for i, (d, mine) in enumerate(by_set.items(), 1)]  # fmt: skip
    images = [pictures(d, mine, links) for d, mine in by_set.items()]
    return {
        "title": title or f"{'Ablation' if ablation else 'Results'}: {', '.join(datasets)}",
        "version": cut.__version__,
        "runs": len(runs),
        "datasets": datasets,
        "tables": tables,
        "table_files": table_files(table_folder, links, only),
        "images": [entry for entry in images if entry["names"]],
        "figures": figures(figure_folder, datasets, links, only),
        "records": [records(d, mine, links) for d, mine in by_set.items()],
        "vendored": vendored(),
    }


def as_json(value: Any) -> str:
    """Return compact JSON that may stand in a script element, whatever the names are."""
    return htmlsafe_json_dumps(value, separators=(",", ":"), sort_keys=True)


def render(values: dict[str, Any]) -> str:
    """Return the page's HTML."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("cut.report.site"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["as_json"] = as_json
    return environment.get_template("page.html").render(values)


def write_site(
    out: Path,
    folders: Sequence[Path],
    figure_folder: Path | None = None,
    table_folder: Path | None = None,
    title: str | None = None,
    ablation: bool = False,
    only: Sequence[str] | None = None,
) -> Path:
    """Write the page of the runs in `folders` into `out`; return `out/index.html`.

    Figures and tables are looked for in `figures` and `tables` beside `out` if not given. The title
    is otherwise made of the data sets' names. Of an `ablation` the first table shows the options.
    `only` are the names, without endings, of the figures and tables to show.

    Raises:
        UserError: a run's files are missing or damaged, runs can't stand in one table, or none of
            an ablation's is a variant of CUT.
    """
    runs = [load_run(folder) for folder in folders]
    check_comparable(runs)
    beside = out.absolute().parent
    for given in (figure_folder, table_folder):
        if given is not None and not given.is_dir():
            raise UserError(f"there is no folder {given}; give one with figures or tables in it")
    page = render(context(out, runs, figure_folder or beside / "figures",
                          table_folder or beside / "tables", title, ablation, only))  # fmt: skip
    for name, content in assets().items():
        with replacing(out / "assets" / name) as temporary:
            temporary.write_bytes(content)
    with replacing(out / "index.html") as temporary:
        temporary.write_text(page, encoding="utf-8")
    return out / "index.html"
