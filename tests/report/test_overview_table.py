"""The table over data sets, and an ablation's columns."""

from __future__ import annotations

import pytest
from command import run_command
from fake_runs import protocol, write_run
from golden import check_golden
from tables_of import ALL, TABLE1, UNPAIRED, rows, texts, write_table1, write_variants

from cut.base.errors import UserError
from cut.report.overview_table import MOST, MOST_WITH_DEVIATIONS, overview_tables

OPTIONS = ("Id", "Negs", "Layers", "Int", "Ext", "other options")


@pytest.fixture
def runs(tmp_path):
    return [
        *write_variants(tmp_path, "horse2zebra", 50.0),
        *write_variants(tmp_path, "cityscapes", 60.0),
    ]


def test_an_ablation_has_the_papers_columns(runs):
    (table,) = overview_tables(rows(runs), ablation=True)
    shown = texts(table)
    assert {name: tuple(row["", o] for o in OPTIONS) for name, row in shown.items()} == {
        "copy": ("–",) * 6,
        "cut": ("✓", "255", "all", "✓", "✗", "–"),
        "no-id-15neg": ("✗", "15", "all", "✓", "✗", "–"),
        "last": ("✓", "255", "last", "✓", "✗", "–"),
        "int-and-ext": ("✓", "255 + 255", "all", "✓", "✓", "–"),
        "ext-only": ("✓", "255", "all", "✗", "✓", "–"),
        "tau-0.2": ("✓", "255", "all", "✓", "✗", "tau 0.2"),
    }
    assert [head for head in shown["cut"] if head[1] not in OPTIONS] == [
        ("", "row"),
        ("horse2zebra", "FID ↓"),
        ("horse2zebra", "publ."),
        ("cityscapes", "FID ↓"),
        ("cityscapes", "publ."),
        ("", "s/iter ↓"),
        ("", "GB ↓"),
    ]
    assert shown["cut"]["cityscapes", "publ."] == "56.4" and shown["cut"]["", "s/iter ↓"] == "0.123"
    assert shown["tau-0.2"]["horse2zebra", "publ."] == "–"


def test_without_the_switch_it_is_a_table_of_methods(runs):
    (table,) = overview_tables(rows(runs), ablation=False)
    assert ("", "Id") not in texts(table)["cut"]
    assert texts(table)["cut"]["cityscapes", "FID ↓"] == "60.0"


def test_a_row_without_a_run_on_a_set_has_a_dash_with_a_note(runs):
    (table,) = overview_tables(rows(runs[:-1]), ablation=True)
    place = [column.group for column in table.columns].index("cityscapes")
    cell = next(line[place] for row, line in table.lines if row.name == "tau-0.2")
    assert cell.text == "–" and "not run" in cell.notes[0]


def test_the_scores_of_label_maps_have_published_values(tmp_path):
    given = {"miou": 0.25, "pixel_accuracy": 0.7, "class_accuracy": 0.31}
    run = write_run(tmp_path / "cut", "cut", dataset="cityscapes", scores=given)
    (table,) = overview_tables(rows([run]), ablation=False)
    shown = texts(table)["cut"]
    assert shown["cityscapes", "mIoU ↑"] == "25.0" and shown["cityscapes", "pixAcc ↑"] == "70.0"
    assert any("mIoU, pixAcc, classAcc" in sentence for sentence in table.caption)


@pytest.mark.parametrize(("seeds", "most"), [(1, MOST), (3, MOST_WITH_DEVIATIONS)])
def test_a_wide_table_is_divided_by_data_set(tmp_path, seeds, most):
    tables = overview_tables(rows(write_table1(tmp_path, seeds)), ablation=False)
    assert len(tables) > 1 and all(len(table.columns) - 1 <= most for table in tables)
    groups = [[name for name, _ in table.groups if name] for table in tables]
    assert groups[-1] == ["cat2dog", "horse2zebra"], "small sets stay together"
    assert all(names == ["cityscapes"] for names in groups[:-1])
    assert [column.key for column in tables[-1].columns[-2:]] == [
        "seconds_per_iteration",
        "peak_memory_gb",
    ]
    every = [
        (column.group, column.key)
        for table in tables
        for column in table.columns
        if column.key not in ("method", "published")
    ]
    assert len(every) == len(set(every)) == 7 + 2 + 2 + 2, "nothing is left out or shown twice"
    assert all(len(table.rows) == len(TABLE1) for table in tables)


def test_the_caption_gives_shared_sentences_once(tmp_path, runs):
    scored_by = protocol()
    scored_by["fake"]["images"] = 77
    other = write_run(
        tmp_path / "other",
        "cut",
        dataset="cat2dog",
        scored_by=scored_by,
        options=ALL,
        size=[256, 256],
        scores=UNPAIRED,
    )
    table = overview_tables(rows([*runs, other]), ablation=True)[-1]
    first, *rest = table.caption
    text = " ".join(rest)
    assert text.count("FID on features") == text.count("256x256") == 1
    assert "horse2zebra: 4 test" in text and "cat2dog: 77 test" in text
    assert text.index("FID on features") < text.index("horse2zebra: 4")
    for word in ("KID", "Interval", "SSIM", "Best epoch"):
        assert word not in text, f"no column shows {word}"
    assert len(first) < 200


def test_an_ablation_needs_a_variant_of_cut(tmp_path):
    run = write_run(tmp_path / "copy", "copy")
    with pytest.raises(UserError, match="variant of CUT"):
        run_command("report overview", ["--ablation", "--out", str(tmp_path / "out"), str(run)])
    assert not (tmp_path / "out").exists()


def test_the_gan_alone_has_no_negatives_and_no_layers(tmp_path):
    off = {"lambda_nce": 0.0, "identity": False}
    runs = [
        write_run(tmp_path / "c", "cut", dataset="cityscapes", options=ALL | {"lambda_nce": 1.0}),
        write_run(tmp_path / "g", "gan-alone", dataset="cityscapes", options=ALL | off),
    ]
    (only,) = overview_tables(rows(runs[1:]), ablation=True)
    assert texts(only)["gan-alone"]["", "Layers"] == "–"
    (table,) = overview_tables(rows(runs), ablation=True)
    shown = texts(table)["gan-alone"]
    cells = {label: shown["", label] for label in ("Id", "Negs", "Layers", "Int", "Ext")}
    assert cells == {"Id": "✗", "Negs": "–", "Layers": "–", "Int": "✗", "Ext": "✗"}
    assert shown["", "other options"] == "lambda_nce 0.0"
    assert shown["cityscapes", "publ."] == "47.4"


def test_an_ablation_may_have_a_foreign_method_with_layers(tmp_path):
    foreign = write_run(tmp_path / "f", "foreign", options={"nce_layers": [0, 4]})
    cut = write_run(tmp_path / "c", "cut", options=ALL)
    (table,) = overview_tables(rows([foreign, cut]), ablation=True)
    assert texts(table)["foreign"]["", "Negs"] == "–"


def test_files_are_as_kept_and_the_same_again(tmp_path, runs):
    for name in ("a", "b"):
        run_command(
            "report overview", ["--ablation", "--out", str(tmp_path / name), *map(str, runs)]
        )
    for end in ("md", "tex", "csv"):
        written = tmp_path / "a" / f"ablation.{end}"
        assert written.read_bytes() == (tmp_path / "b" / f"ablation.{end}").read_bytes(), end
        check_golden(written)
