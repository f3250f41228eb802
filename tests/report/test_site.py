"""The page of results: what stands on it, and what a browser does with it."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from urllib.parse import unquote

import pytest
from command import run_command
from fake_runs import write_run, write_test
from site_results import ODD, write_figure, write_results

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.report.site.page import Contents, assets, render, vendored, write_site
from cut.report.site.scores import score_table
from cut.results.rows import rows_of
from cut.results.run import load_run


class Elements(HTMLParser):
    """Every start tag of a page with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, {name: value or "" for name, value in attributes}))

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    """Return a results folder of two data sets with a page."""
    root = tmp_path_factory.mktemp("results")
    runs = write_results(root) + write_results(root, "cat2dog", truth=False)
    write_site(root / "site", runs, Contents(title="Horses & <cats>"))
    return root


# -- what is written -----------------------------------------------------------------------------


def test_the_same_runs_give_the_same_bytes(tmp_path, capsys):
    runs = [str(run) for run in write_results(tmp_path)]
    out = tmp_path / "site"
    assert run_command("report page", ["--out", str(out), *runs]) == 0
    assert capsys.readouterr().out == f"wrote {out / 'index.html'}\n"
    first = {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    assert run_command("report page", ["--out", str(out), *runs]) == 0
    assert first == {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}
    cards = {f"cards/horse2zebra-{name}-seed0.md" for name in ("cut", "fastcut", "none")}
    made = {"index.html", *(f"assets/{n}" for n in assets())}
    assert {str(name) for name in first} == made | cards


def test_a_run_that_is_not_scored_is_one_sentence(tmp_path):
    runs = write_results(tmp_path)
    (runs[1] / "scores.json").unlink()
    with pytest.raises(UserError, match=r"there is no .*scores.json; score this run first"):
        write_site(tmp_path / "site", runs)
    assert not (tmp_path / "site").exists()


def test_a_folder_of_figures_that_is_not_there_is_one_sentence(tmp_path):
    runs = write_results(tmp_path)
    with pytest.raises(UserError, match="there is no folder .*nowhere; give one with figures"):
        write_site(tmp_path / "site", runs, Contents(figures=tmp_path / "nowhere"))


def test_templates_and_assets_travel_with_the_package():
    package = resources.files("cut.report.site")
    names = {file.name for file in (package / "templates").iterdir()}
    assert {"page.html", "scores.html", "images.html", "figures.html", "details.html"} <= names
    text = (package / "templates" / "page.html").read_text(encoding="utf-8")
    for file in re.findall(r'(?:src|href)="assets/([^"{]+)"', text):
        assert (package / "assets" / file).is_file(), file


def test_third_party_files_are_unchanged_and_have_a_licence():
    folder = resources.files("cut.report.site") / "assets"
    own = {"site.css", "filter.js", "scores.js", "images.js", "columns.js", "elements.js"}
    listed = {entry["file"] for entry in vendored()}
    licences = {entry["licence_file"] for entry in vendored()}
    own.add("vendored.yaml")
    assert {file.name for file in folder.iterdir()} == own | listed | licences
    for entry in vendored():
        assert sha256_of(folder / entry["file"]) == entry["sha256"], entry["file"]
        assert entry["licence"] == "MIT" and re.fullmatch(r"\d+\.\d+\.\d+", entry["version"])
        licence = (folder / entry["licence_file"]).read_text()
        assert "Copyright (c)" in licence and "Permission is hereby granted" in licence


def test_every_link_leads_to_a_file_and_nothing_to_a_network(results):
    page = (results / "site" / "index.html").read_text()
    elements = Elements(page)
    urls = [a[key] for _, a in elements.found for key in ("href", "src") if key in a]
    files = [url for url in urls if not url.startswith(("#", "data:,"))]
    assert not [url for url in files if "://" in url or url.startswith("/")]
    for url in files:
        assert (results / "site" / unquote(url)).is_file(), url
    ids = [a["id"] for _, a in elements.found if "id" in a]
    assert len(set(ids)) == len(ids)
    assert {url[1:].partition("&")[0] for url in urls if url.startswith("#")} <= set(ids)
    for name in ("run.json", "scores.json", "history.csv", "epochs.csv", "best.json"):
        assert f"../horse2zebra/cut/seed0/{name}" in files
    assert {"../tables/horse2zebra.md", "../figures/horse2zebra-curves.pdf"} <= set(files)


def test_names_of_any_kind_are_quoted_and_escaped(tmp_path):
    folder = tmp_path / ODD / "horse2zebra" / "odd" / "seed0"
    write_test(tmp_path / ODD / "horse2zebra" / "test")
    run = write_run(
        folder,
        "odd",
        algorithm="cut",
        dataset="horse2zebra",
        description="</script><script>alert(1)</script>",
    )
    # Left as it is, this would keep the script element around the data from ending.
    name = f"{ODD} <!--<script>.png"
    for place in (run / "translated", tmp_path / ODD / "horse2zebra" / "test" / "source"):
        shutil.copy(place / "img_0.png", place / name)
    page = write_site(tmp_path / "site", [run]).read_text()
    assert "<script>alert" not in page and ODD not in page
    assert "../a%20%2250%25%22%20%231%20%3C%C3%BC%3E" in page
    (data,) = images_data(page)
    assert Path(name).stem in data["names"]
    assert "<!--" not in page
    assert (tmp_path / "site" / unquote(data["columns"][1]["folder"])).is_dir()


def images_data(page: str) -> list[dict]:
    found = re.search(r'<script type="application/json" id="images-data">(.*?)</script>', page)
    assert found
    return json.loads(found[1])


def test_the_page_holds_no_date_and_no_absolute_path(results):
    page = (results / "site" / "index.html").read_text()
    assert str(results) not in page
    assert not re.search(r"\b20[2-9]\d-\d\d", page)


# -- scores --------------------------------------------------------------------------------------


def table_of(folders):
    return score_table(rows_of(map(load_run, folders)))


def cells(table, method: str) -> dict:
    """Return a row's cells by the columns' keys."""
    (line,) = (cells for row, cells in table.lines if row.name == method)
    return dict(zip([column.key for column in table.columns], line, strict=True))


def test_a_row_has_interval_published_number_and_verdict(tmp_path):
    table = table_of(write_results(tmp_path))
    cut = cells(table, "cut")
    assert (cut["fid"].text, cut["interval"].text) == ("171.7", "163.9 to 179.8")
    assert (cut["published"].text, cut["difference"].text) == ("45.5", "+126.2")
    assert cut["verdict"].text == "not comparable"
    assert "published 256x256" in cut["verdict"].notes[0]
    assert (cut["fid_best"].text, cut["epoch_best"].text) == ("150.2", "2")
    (whisker,) = cut["interval"].bar.whiskers
    assert whisker.low < whisker.point < whisker.high
    assert [row.name for row in table.rows if row.control] == ["copy", "real"]


def test_a_missing_value_has_its_reason_and_no_place_in_the_order(tmp_path):
    table = table_of(write_results(tmp_path))
    none = cells(table, "none")["fid"]
    assert (none.text, none.sort) == ("–", None)
    assert none.notes == ("no weights <here>",)
    assert cells(table, "copy")["seconds_per_iteration"].notes == ("not trained",)
    assert cells(table, "real")["l1"].sort is None


def test_several_seeds_give_a_mean_a_deviation_and_a_whisker_each(tmp_path):
    runs = [
        load_run(
            write_run(
                tmp_path / f"seed{seed}",
                "cut",
                seed=seed,
                scores={"fid": fid, "fid_low": fid - 5, "fid_high": fid + 5},
            )
        )
        for seed, fid in enumerate([60.0, 64.0])
    ]
    table = score_table(rows_of(runs))
    row = cells(table, "cut")
    assert (row["fid"].text, row["fid"].sort) == ("62.0 ± 2.8", 62.0)
    assert row["seeds"].text == "2"
    assert row["interval"].text == "55.0 to 65.0; 59.0 to 69.0" and row["interval"].spoken
    assert not row["interval"].notes and len(row["interval"].bar.whiskers) == 2


def test_scores_that_no_run_has_are_listed_and_have_no_column(tmp_path):
    scores = {"fid": 50.0, "l1": None, "ssim": None}
    missing = dict.fromkeys(("l1", "ssim"), "no true counterparts")
    run = load_run(write_run(tmp_path / "run", "cut", scores=scores, missing=missing))
    table = score_table(rows_of([run]))
    assert not {"l1", "ssim", "interval", "published"} & {c.key for c in table.columns}
    assert "L1, SSIM (no true counterparts)" in table.absent


# -- images and details --------------------------------------------------------------------------


def test_image_lists_have_every_column_and_what_is_absent(results):
    first, second = images_data((results / "site" / "index.html").read_text())
    labels = [column["label"] for column in first["columns"]]
    assert labels == [
        "input",
        "copy (control)",
        "cut",
        "cut, best epoch (2)",
        "fastcut",
        "none",
        "true counterpart",
    ]
    assert first["names"] == [f"img_{i}" for i in range(4)]
    assert (first["left"], first["right"]) == (0, 2), "the input beside the first method"
    assert "real (control): its images show other scenes" in first["absent"][0]
    assert "true counterpart" not in [column["label"] for column in second["columns"]]
    best = first["columns"][3]["folder"]
    assert best == "../horse2zebra/cut/seed0/best/translated/"


def test_missing_translations_and_other_formats_are_listed(tmp_path):
    runs = write_results(tmp_path)
    (runs[1] / "translated" / "img_1.png").unlink()
    (runs[1] / "translated" / "img_2.png").rename(runs[1] / "translated" / "img_2.webp")
    (data,) = images_data(write_site(tmp_path / "site", runs).read_text())
    assert data["columns"][2]["other"] == {"1": None, "2": "img_2.webp"}


def test_a_page_needs_no_images_history_figures_or_tables(tmp_path):
    run = write_run(tmp_path / "elsewhere" / "cut", "cut", images=0)
    (run / "history.csv").unlink()
    page = write_site(tmp_path / "out" / "site", [run]).read_text()
    assert 'id="images"' not in page and 'id="figures"' not in page
    assert "history.csv" not in page and "cut, seed 0" in page
    with_images = write_run(tmp_path / "other" / "cut", "cut")
    (data,) = images_data(write_site(tmp_path / "out" / "site", [with_images]).read_text())
    assert (data["left"], data["right"]) == (0, 0)
    assert data["absent"] == ["input: there is no folder test beside the runs"]


def test_shared_details_are_shown_once(results):
    page = (results / "site" / "index.html").read_text()
    assert page.count("<dd>Example CPU &amp; Co</dd>") == 2, "once per data set"
    assert page.count("<dt>n_patches</dt>") == 6, "a method's options stand with each run"
    assert "no weights &lt;here&gt;" in page


def test_figures_are_ordered_by_data_set_and_kind(tmp_path):
    runs = [write_run(tmp_path / d / "cut" / "seed0", "cut", dataset=d) for d in ("set", "set-two")]
    for name in (
        "set-two-grid",
        "set-curves",
        "set-cases",
        "set-grid",
        "set-own",
        "all",
        "ablation-miou",
        "ablation",
    ):
        write_figure(tmp_path / "figures" / f"{name}.png")
    page = write_site(tmp_path / "site", runs).read_text()
    titles = re.findall(r'alt="Figure ([^"]+)"', page)
    assert titles == [
        "All rows of the ablation",
        "All rows of the ablation, by mIoU",
        "all",
        "set: Translations",
        "set: Training curves",
        "set: Best and worst translations",
        "set: own",
        "set-two: Translations",
    ]


def test_files_of_an_earlier_benchmark_can_be_left_out(results):
    runs = sorted((results / "horse2zebra").glob("*/seed0"))
    write_figure(results / "figures" / "horse2zebra-grid.png")
    (results / "tables" / "scores.csv").write_text("table")
    with_all = write_site(results / "site", runs).read_text()
    assert "horse2zebra-grid.png" in with_all and "scores.csv" in with_all
    only = ["horse2zebra-curves", "horse2zebra"]
    page = write_site(results / "site", runs, Contents(only=only)).read_text()
    assert "horse2zebra-curves.png" in page and "tables/horse2zebra.md" in page
    assert "horse2zebra-grid.png" not in page and "scores.csv" not in page


def test_the_template_takes_no_value_that_is_not_given():
    with pytest.raises(Exception, match="'title' is undefined"):
        render({})


def test_a_row_of_several_possible_translations_has_a_note_at_its_name(tmp_path):
    write_test(tmp_path / "results" / "coats2stripes" / "test")
    run = tmp_path / "results" / "coats2stripes" / "munit" / "seed0"
    write_run(run, "munit", scored="one sample per image")
    out = tmp_path / "site"
    assert run_command("report page", ["--out", str(out), str(run)]) == 0
    page = (out / "index.html").read_text()
    assert re.search(r'class="name">munit</span><a class="note"', page)
    assert "one sample per image" in page
