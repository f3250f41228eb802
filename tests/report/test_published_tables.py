"""Measured numbers against published ones."""

from __future__ import annotations

import json

import pandas as pd
import pytest
from command import run_command
from fake_runs import protocol, write_run
from tables_of import ALL, rows, write_table1, write_variants

from cut.base.errors import UserError
from cut.records.scores import SAME_NETWORK
from cut.report.overview_table import SCORES
from cut.report.published_tables import against, tidy
from cut.report.site.all_sets import all_sets_table
from cut.report.site.scores import score_table
from cut.report.wording import one_training
from cut.results.published import published_settings
from cut.results.rows import rows_of
from cut.results.run import load_run
from cut.results.seed_deviation import parse_deviations

FIVE = {"deviation": 0.25, "seeds": 5, "source": "my/page"}


@pytest.fixture
def runs(tmp_path):
    return [
        *write_variants(tmp_path, "horse2zebra", 50.0),
        *write_variants(tmp_path, "cityscapes", 60.0),
    ]


def lines(table):
    """Return a table's texts and its reasons: {(data set, metric, row): ([text], notes)}."""
    return {
        (pair.row.dataset, pair.metric, pair.row.name): (
            [cell.text for cell in cells[3:7]],
            cells[-1].notes,
        )
        for pair, cells in table.lines
    }


def test_the_difference_is_measured_minus_published(runs):
    (table,) = against("Ablation", rows(runs), SCORES)
    found = lines(table)
    numbers, notes = found["horse2zebra", "fid", "last"]
    assert numbers == ["52.0", "441.7", "-389.7", "not comparable"]
    assert "4 against 6 images, published 120 against 140" in notes
    assert "2 + 1 epochs, published not stated, by default 200 + 200" in notes
    numbers, notes = found["cityscapes", "fid", "last"]
    assert numbers[:3] == ["62.0", "141.1", "-79.1"]
    assert "4 against 6 images, published 500 against 500" in notes
    assert ("horse2zebra", "fid", "tau-0.2") not in found, "nothing is published of it"


def test_a_published_score_that_was_not_measured_has_its_reason(runs):
    (table,) = against("Ablation", rows(runs), SCORES)
    numbers, notes = lines(table)["cityscapes", "miou", "cut"]
    assert numbers == ["–", "24.7", "–", "not measured"] and notes == ("not measured",)


@pytest.fixture
def comparable(tmp_path):
    """Return three seeds of CUT with the published settings and protocol."""
    known = published_settings("cut")
    scored_by = protocol(images=140)
    scored_by["fake"]["images"] = 120
    scored_by["weights"] = {"source": SAME_NETWORK[0], "tensors_sha256": "0" * 64}
    return [
        write_run(
            tmp_path / str(seed),
            "cut",
            dataset="horse2zebra",
            seed=seed,
            scores={"fid": 45.0 + seed, "fid_low": 46.0, "fid_high": 47.0},
            scored_by=scored_by,
            options=known.options,
            training=known.training,
            epochs=400,
            size=[256, 256],
            images_seen=400 * 1334,
        )
        for seed in range(3)
    ]


def test_a_published_protocol_gets_a_verdict(comparable):
    (table,) = against("Overview", rows(comparable), ["fid"])
    numbers, notes = lines(table)["horse2zebra", "fid", "cut"]
    assert numbers == ["46.0 ± 1.0", "45.5", "+0.5", "within seed spread"] and not notes
    assert table.cells[0][-1].text == "–" and not one_training(rows(comparable))
    frame = tidy(rows(comparable), ablation=False).set_index("metric")
    assert frame.loc["fid"].judged_by == "judged by 3 seeds"


def verdict(table):
    """Return the cell of the verdict in a table of one line."""
    (cells,) = table.cells
    return cells[[column.key for column in table.columns].index("verdict")]


def test_one_training_has_no_verdict_whatever_the_images_say(comparable):
    one = rows(comparable[2:])
    for table in (*against("Overview", one, ["fid"]), score_table(one), all_sets_table(one)):
        assert verdict(table).text.startswith("one training") and not verdict(table).notes
        assert one_training(one)[0] in table.caption
    line = tidy(one, ablation=False).set_index("metric").loc["fid"]
    assert line.verdict.startswith("one training") and line.judged_by == ""


def test_a_verdict_by_a_given_deviation_says_where_it_was_measured(comparable, tmp_path):
    given = {"horse2zebra": {"cut": {"fid": FIVE}}}
    one = rows_of(map(load_run, comparable[2:]), parse_deviations(given))
    for table in (*against("Overview", one, ["fid"]), score_table(one), all_sets_table(one)):
        (note,) = verdict(table).notes
        assert verdict(table).text == "worse" and "my/page" in note and "5 seeds" in note
    arguments = ["--seed-deviation", json.dumps(given), str(comparable[2])]
    run_command("report overview", ["--out", tmp_path / "tables", *arguments])
    line = pd.read_csv(tmp_path / "tables" / "overview.csv").set_index("metric").loc["fid"]
    assert line.verdict == "worse" and "my/page" in line.judged_by
    run_command("report page", ["--out", tmp_path / "site", *arguments])
    assert "my/page" in (tmp_path / "site" / "index.html").read_text()
    with pytest.raises(UserError, match="which has 3 seeds"):
        rows_of(map(load_run, comparable), parse_deviations(given))
    with pytest.raises(UserError, match="deviations given is"):
        parse_deviations({"horse2zebra": {"cut": {"fid": {**FIVE, "seeds": 1}}}})


def successors(root):
    names = ("gan-alone", "cut", "dclgan", "negcut")
    return [write_run(root / n, n, dataset="cityscapes", algorithm="cut") for n in names]


def test_numbers_of_several_sources_have_their_source_epoch_and_scorer_beside_them(tmp_path):
    (table,) = against("Overview", rows(successors(tmp_path)), ["fid", "miou"])
    cells = {(pair.metric, pair.row.name): line[4] for pair, line in table.lines}
    texts = {key: cell.text for key, cell in cells.items()}
    assert (texts["fid", "gan-alone"], texts["miou", "gan-alone"]) == ("47.4", "21.9")
    assert (texts["miou", "cut"], texts["miou", "negcut"]) == ("24.7", "28.6")
    own, *others = cells["miou", "cut"].notes
    assert "Table 1" in own and "epoch not stated" in own and "DRN-D-22" in own
    assert others == ["also 27.8 by DECENT's authors (epoch not stated)"]
    assert cells["fid", "gan-alone"].notes == cells["fid", "negcut"].notes
    assert "55.5" in cells["fid", "dclgan"].notes[1] and "140" in cells["fid", "dclgan"].notes[1]
    assert not any("49.4" in note for note in cells["fid", "dclgan"].notes), "an equal number"


def test_numbers_of_one_source_have_it_in_the_caption(tmp_path):
    mine = rows([write_run(tmp_path / "cut", "cut", dataset="cat2dog")])
    (table,) = against("Overview", mine, ["fid"])
    assert table.cells[0][4].notes == () and any("How scored" in s for s in table.caption)


def test_many_comparisons_are_divided_by_data_set(tmp_path):
    tables = against("Overview", rows(write_table1(tmp_path, 1)), SCORES)
    sets = [table.title.split(": ")[1] for table in tables]
    assert sets == ["cityscapes", "cat2dog", "horse2zebra"]
    assert [len(table.rows) for table in tables] == [32, 8, 8]


def test_without_a_published_number_there_is_no_table(tmp_path):
    assert against("Overview", rows([write_run(tmp_path / "cut")]), SCORES) == []


def test_the_tidy_table_has_one_value_per_line_in_full(tmp_path, runs):
    for seed, fid in ((1, 52.0), (2, None)):
        scores = {"fid": fid, "l1": None, "ssim": None}
        size = {"size": [256, 256], "options": ALL, "points": 1}
        folder = tmp_path / f"cut{seed}"
        runs.append(
            write_run(folder, "cut", dataset="horse2zebra", seed=seed, scores=scores, **size)
        )
    frame = tidy(rows(runs), ablation=True)
    assert list(frame)[:2] == ["row", "dataset"]
    assert list(frame)[2:7] == [
        "identity",
        "negatives_internal",
        "negatives_external",
        "layers",
        "other",
    ]
    found = frame.set_index(["row", "dataset", "metric"])
    line = found.loc["cut", "horse2zebra", "fid"]
    assert (line["mean"], line.published, line.difference) == (51.0, 45.5, 5.5)
    assert line.sd == pytest.approx(2**0.5) and line.seeds == 2
    assert "seed 2" in line.missing and line.verdict == "not comparable" and line.reasons
    options = {
        "no-id-15neg": ("negatives_internal", 15),
        "ext-only": ("negatives_external", 255),
        "last": ("layers", "16"),
        "tau-0.2": ("other", "tau 0.2"),
        "copy": ("identity", None),
    }
    for name, (key, want) in options.items():
        assert found.loc[name, "cityscapes", "fid"][key] == want
    cost = found.loc["cut", "cityscapes", "peak_memory_gb"]
    assert (cost["mean"], cost.unit) == (0.512, "GB (1e9 bytes)")
    unmeasured = found.loc["cut", "cityscapes", "miou"]
    assert (unmeasured["mean"], unmeasured.published, unmeasured.seeds) == (None, 0.247, 0)
    assert unmeasured.missing and found.loc["cut", "cityscapes", "kid"].unit == ""
    assert "Table 1" in unmeasured.source and "epoch not stated" in unmeasured.scored
    assert "27.8" in unmeasured.remark


def test_the_tidy_table_of_methods_has_no_options(runs):
    assert "identity" not in tidy(rows(runs), ablation=False)
