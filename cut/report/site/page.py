"""Write the page: data from the runs, a template, and the files that it needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import yaml
from jinja2.utils import htmlsafe_json_dumps

import cut
from cut.base.errors import UserError
from cut.base.files import replacing
from cut.report.rank_tables import rank_tables
from cut.report.site.all_sets import all_sets_table, check_ablation
from cut.report.site.cards import card_links, write_cards
from cut.report.site.links import Links
from cut.report.site.listings import list_figures, list_tables
from cut.report.site.pictures import pictures
from cut.report.site.run_details import set_details
from cut.report.site.scores import score_table
from cut.report.site.summary import summary_of
from cut.results.families import families_of, family_of
from cut.results.protocol import load_comparable
from cut.results.rows import Row, by_dataset, rows_of, runs_of
from cut.results.seed_deviation import SeedDeviations

ASSETS = resources.files("cut.report.site") / "assets"


@dataclass(frozen=True)
class Contents:
    """What the page shows besides the runs' own records.

    Attributes:
        figures: the folder of figures, by default `figures` beside the page's folder.
        tables: the folder of tables, by default `tables` beside it.
        title: by default made of the data sets' names.
        ablation: show the options that tell CUT's variants apart in the first table.
        only: names, without endings, of the figures and tables to show; by default all.
    """

    figures: Path | None = None
    tables: Path | None = None
    title: str | None = None
    ablation: bool = False
    only: Collection[str] | None = None


def vendored() -> list[dict[str, str]]:
    """Return `assets/vendored.yaml`, which lists the third-party files."""
    return yaml.safe_load(ASSETS.joinpath("vendored.yaml").read_text(encoding="utf-8"))


def assets() -> dict[str, bytes]:
    """Return the files that the page loads or links, by name."""
    files = sorted((file for file in ASSETS.iterdir() if file.is_file()), key=lambda f: f.name)
    return {file.name: file.read_bytes() for file in files}


def context(out: Path, rows: Sequence[Row], contents: Contents) -> dict[str, Any]:
    """Return the template's values.

    Raises:
        UserError: a figure is no readable image, or an ablation has no variant of CUT.
    """
    links, sets = Links(out), by_dataset(rows)
    several, ablation = len(sets) > 1, contents.ablation
    if ablation:
        check_ablation(rows)
    tables = [all_sets_table(rows, ablation)] if several else []
    # The first table alone shows the options of an ablation's rows.
    tables += [score_table(mine, i, ablation and not several) for i, mine in _numbered(sets)]
    images = [pictures(mine, links) for mine in sets.values()]
    summaries = [summary_of(*both) for both in zip(sets.values(), images, strict=True)]
    beside = out.absolute().parent
    return {
        "title": contents.title or f"{'Ablation' if ablation else 'Results'}: {', '.join(sets)}",
        "version": cut.__version__,
        "runs": len(runs_of(rows)),
        "datasets": list(sets),
        "families": families_of(rows),
        "summaries": [found for found in summaries if found],
        "cards": card_links(rows, links),
        "tables": tables,
        "ranks": {name: found for name, mine in sets.items() if (found := rank_tables(mine))},
        "family_of": family_of,
        "table_files": list_tables(contents.tables or beside / "tables", links, contents.only),
        "images": [entry for entry in images if entry["names"]],
        "figures": list_figures(
            contents.figures or beside / "figures", list(sets), links, contents.only
        ),
        "details": [set_details(mine, links) for mine in sets.values()],
        "vendored": vendored(),
    }


def _numbered(sets: dict[str, list[Row]]) -> list[tuple[int, list[Row]]]:
    return list(enumerate(sets.values(), 1))


def as_json(value: Any) -> str:
    """Return compact JSON that is safe in a script element, whatever the names are."""
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
    contents: Contents | None = None,
    deviations: SeedDeviations | None = None,
) -> Path:
    """Write the page of the runs in `folders` into `out`; return `out/index.html`.

    `deviations` are those that `rows_of` takes.

    Raises:
        UserError: as `load_comparable`, `rows_of` and `context`, or a given folder does not exist.
    """
    contents = contents or Contents()
    rows = rows_of(load_comparable(folders), deviations)
    for given in (contents.figures, contents.tables):
        if given is not None and not given.is_dir():
            raise UserError(f"there is no folder {given}; give one with figures or tables in it")
    page = render(context(out, rows, contents))
    for name, content in assets().items():
        with replacing(out / "assets" / name) as temporary:
            temporary.write_bytes(content)
    write_cards(out, rows)
    with replacing(out / "index.html") as temporary:
        temporary.write_text(page, encoding="utf-8")
    return out / "index.html"
