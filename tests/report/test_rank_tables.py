"""The rank matrices as tables and on the page."""

from __future__ import annotations

import pytest
from command import run_command
from fake_runs import write_resamples, write_run
from tables_of import rows

from cut.report.rank_tables import percent, rank_tables
from cut.results.families import family_of

FIDS = {"copy": [90.0] * 4, "cut": [50.0, 52, 54, 56], "fastcut": [51.0, 53, 53, 55]}


def write(root):
    return [
        write_resamples(write_run(root / name / "seed0", name, points=1), fid=fids)
        for name, fids in FIDS.items()
    ]


def test_a_matrix_has_a_line_and_a_column_per_row(tmp_path):
    (table,) = rank_tables(rows(write(tmp_path)))
    heads = ["method", "trainings", "copy", "cut", "fastcut", "first"]
    assert [column.label for column in table.columns] == heads
    assert [[cell.text for cell in line] for line in table.cells] == [
        ["copy (control)", "–", "–", "0", "0", "–"],
        ["cut", "one training", "100", "–", "50", "50"],
        ["fastcut", "one training", "100", "50", "–", "50"],
    ]


def test_runs_without_resamples_have_a_file_that_says_so(tmp_path):
    runs = [write_run(tmp_path / name, name, points=1) for name in FIDS]
    run_command("report tables", ["--out", tmp_path / "t", *runs])
    text = (tmp_path / "t" / "coats2stripes-ranks.md").read_text()
    assert "no two rows" in text.lower() and "cut" not in text.split("|")[-1]
    assert (tmp_path / "t" / "coats2stripes-ranks.tex").is_file()


def test_the_page_shows_them(tmp_path):
    runs = write(tmp_path)
    run_command("report page", ["--out", tmp_path / "site", *runs])
    page = (tmp_path / "site" / "index.html").read_text()
    assert page.count('id="ranks"') == 1 and '<a href="#ranks">' in page
    matrix = page.partition('id="ranks"')[2].partition("</section>")[0]
    # A row has the family of its method in its line, in its column's header and in its cells.
    assert matrix.count(f'data-family="{family_of(rows(runs)[1])}"') == 2 * (1 + 1 + 3)
    assert matrix.count('data-set="coats2stripes"') == 1
    run_command("report page", ["--out", tmp_path / "other", write_run(tmp_path / "x", points=1)])
    assert 'id="ranks"' not in (tmp_path / "other" / "index.html").read_text()


@pytest.mark.parametrize(
    ("share", "text"), [(0, "0"), (0.005, "< 1"), (0.5, "50"), (0.994, "> 99"), (1, "100")]
)
def test_only_all_and_none_are_shown_as_such(share, text):
    assert percent(share) == text
