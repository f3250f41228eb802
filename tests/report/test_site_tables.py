"""The tables of the page: over all data sets, of an ablation, and their intervals."""

from __future__ import annotations

import pytest
from command import run_command
from fake_runs import write_run
from site_results import write_ablation, write_results

from cut.base.errors import UserError
from cut.report.site.all_sets import all_sets_table
from cut.report.site.page import Contents, write_site
from cut.report.site.pictures import natural
from cut.report.site.scores import ScoreTable, score_table
from cut.results.rows import rows_of
from cut.results.run import load_run


def rows(folders):
    return rows_of(map(load_run, folders))


def line(table: ScoreTable, method: str):
    """Return a row's cells without its name."""
    return next(cells[1:] for row, cells in table.lines if row.name == method)


def texts(table: ScoreTable, method: str) -> list[str]:
    """Return a row's texts without its name."""
    return [cell.text for cell in line(table, method)]


def interval(table: ScoreTable, method: str):
    """Return the cell of a row's interval."""
    place = [column.key for column in table.columns[1:]].index("interval")
    return line(table, method)[place]


# -- over all data sets --------------------------------------------------------------------------


def test_one_table_holds_every_data_set_with_published_numbers_and_verdicts(tmp_path):
    table = all_sets_table(rows(write_ablation(tmp_path)))
    heads = [(column.group, column.label) for column in table.columns]
    measured = ["FID ↓", "published", "verdict"]
    assert heads == [
        ("", "method"),
        *[("horse2zebra", label) for label in measured],
        *[("cityscapes", label) for label in (*measured, "mIoU, % ↑", "published")],
    ]
    assert table.groups == [("", 1), ("horse2zebra", 3), ("cityscapes", 5)]
    cut = ["45.0", "45.5", "not comparable", "45.0", "56.4", "not comparable", "20.0", "24.7"]
    assert texts(table, "cut") == cut
    assert texts(table, "copy")[:3] == ["290.0", "–", "–"]


def test_a_number_of_another_segmentation_network_says_so_once(tmp_path):
    table = all_sets_table(rows(write_ablation(tmp_path)))
    last = [cells[-1].notes for row, cells in table.lines if not row.control]
    (shared,) = {notes[0] for notes in last}
    assert "segmented by other weights" in shared
    assert len([text for _, text in table.notes if text == shared]) == 1


def test_a_method_that_ran_on_one_set_has_dashes_for_the_other(tmp_path):
    folders = write_ablation(tmp_path)
    left = [run for run in folders if run.parts[-3:-1] != ("horse2zebra", "no-id")]
    table = all_sets_table(rows(left))
    assert texts(table, "no-id")[:3] == ["–", "–", "–"] and texts(table, "no-id")[3] == "39.0"
    assert all(len(cells) == len(table.columns) for cells in table.cells)


def test_a_set_without_published_numbers_has_the_measured_ones_alone(tmp_path):
    runs = [write_run(tmp_path / d / "cut", "cut", dataset=d) for d in ("mine", "yours")]
    table = all_sets_table(rows(runs))
    assert [column.label for column in table.columns] == ["method", "FID ↓", "FID ↓"]


# -- an ablation ---------------------------------------------------------------------------------


def test_an_ablation_shows_the_options_once(tmp_path):
    runs = [str(run) for run in write_ablation(tmp_path)]
    out = tmp_path / "site"
    assert run_command("report page", ["--out", str(out), "--ablation", *runs]) == 0
    page = (out / "index.html").read_text()
    assert page.count(">Negs</button>") == 1
    assert "<h1>Ablation: horse2zebra, cityscapes</h1>" in page
    one = [run for run in runs if "horse2zebra" in run]
    assert run_command("report page", ["--out", str(out), "--ablation", *one]) == 0
    page = (out / "index.html").read_text()
    assert page.count(">Negs</button>") == 1 and 'id="overview"' not in page
    assert run_command("report page", ["--out", str(out), *one]) == 0
    page = (out / "index.html").read_text()
    assert ">Negs</button>" not in page and "<h1>Results: horse2zebra</h1>" in page


def test_the_options_of_a_row_are_those_that_it_ran_with(tmp_path):
    runs = write_ablation(tmp_path, ["horse2zebra"])
    table = score_table(rows(runs), ablation=True)
    assert [column.label for column in table.columns[1:6]] == ["Id", "Negs", "Layers", "Int", "Ext"]
    assert texts(table, "cut")[:5] == ["✓", "255", "all", "✓", "✗"]
    assert texts(table, "no-id-15neg")[:5] == ["✗", "15", "all", "✓", "✗"]
    assert texts(table, "last")[2] == "last"
    assert texts(table, "ext-only")[:5] == ["✓", "2048", "all", "✗", "✓"]
    assert texts(table, "copy")[:5] == ["–"] * 5
    negatives = {row.name: cells[2].sort for row, cells in table.lines}
    assert negatives["no-id-15neg"] < negatives["cut"] < negatives["ext-only"]
    assert negatives["copy"] is None


def test_an_ablation_without_a_variant_is_one_sentence(tmp_path):
    run = write_run(tmp_path / "run", "cyclegan", options={"lambda_cycle": 10.0})
    with pytest.raises(UserError, match="none of these runs is a variant of CUT"):
        write_site(tmp_path / "site", [run], Contents(ablation=True))


# -- intervals -----------------------------------------------------------------------------------


def test_a_collapsed_row_and_controls_leave_the_axis_to_the_others(tmp_path):
    runs = write_ablation(tmp_path, ["horse2zebra"])
    table = score_table(rows(runs))
    (ends,) = (column.ends for column in table.columns if column.ends)
    assert 30 < float(ends[0]) < 35 and 57 < float(ends[1]) < 62
    for method in ("last", "copy"):
        bar = interval(table, method).bar
        assert bar.right and not bar.left and not bar.whiskers, method
    (cut,) = interval(table, "cut").bar.whiskers
    assert cut.high - cut.low > 20, "a difference of some FID can be seen"


def test_the_best_row_stays_on_the_axis_however_far_it_is_ahead(tmp_path):
    fids = {"a": 20.0, "b": 80.0, "c": 81.0, "d": 82.0, "e": 83.0}
    runs = [
        load_run(
            write_run(
                tmp_path / name,
                name,
                algorithm="cut",
                scores={"fid": fid, "fid_low": fid - 1, "fid_high": fid + 1},
            )
        )
        for name, fid in fids.items()
    ]
    bar = interval(score_table(rows_of(runs)), "a").bar
    assert len(bar.whiskers) == 1 and not bar.left


def test_of_several_seeds_the_numbers_are_only_read_aloud(tmp_path):
    runs = write_ablation(tmp_path, ["horse2zebra"], seeds=(0, 1))
    table = score_table(rows(runs))
    cells = {method: interval(table, method) for method in ("copy", "cut")}
    assert all(cell.spoken and not cell.notes for cell in cells.values())
    heights = [whisker.y for whisker in cells["cut"].bar.whiskers]
    assert heights == [25.0, 75.0], "one line per seed"


# -- the rest ------------------------------------------------------------------------------------


def test_tab_stops_at_each_note_once_and_the_description_is_a_sentence(tmp_path):
    runs = write_results(tmp_path) + write_results(tmp_path, "cat2dog")
    page = write_site(tmp_path / "site", runs).read_text()
    for part in page.split('<table class="scores"')[1:]:
        table, after = part.split("</table>")[0], part.split("</table>", 1)[1]
        links = [link for link in table.split("<a ")[1:] if 'class="note"' in link]
        stops = [link.split("#")[1].split('"')[0] for link in links if "tabindex" not in link]
        letters = {link.split("#")[1].split('"')[0] for link in links}
        assert sorted(stops) == sorted(letters)
        described = table.split('aria-describedby="')[1].split('"')[0]
        words = after.split(f'id="{described}">')[1].split("</span>")[0]
        assert 3 < len(words.split()) < 40, words


def test_names_sort_as_readers_count():
    names = ["168", "n2_131", "20", "n2_20", "131", "n10_1", "02", "2"]
    assert sorted(names, key=natural) == ["02", "2", "20", "131", "168", "n2_20", "n2_131", "n10_1"]
