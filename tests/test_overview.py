"""The table over data sets, an ablation's columns, and its scatter."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from fake_runs import protocol, write_run

from cut import figures
from cut.errors import NothingToShow
from cut.overview import main
from cut.published import differences, published_entry, published_settings, verdict
from cut.results import load_run
from cut.scatter import draw

ALL = {"identity": True, "n_patches": 256, "nce_layers": [0, 4, 8, 12, 16], "tau": 0.07}
BANK = {"negatives": "external", "n_external": 255, "bank_size": 16384}


def options(**changes):
    return {"options": {**ALL, **changes}}


def on(root, dataset, fid):
    """Write the same rows on one data set, their FIDs from `fid` up."""
    big = {"size": [256, 256], "dataset": dataset}
    rows = {
        "cut": {},
        "no-id-15neg": {"identity": False, "n_patches": 16},
        "last": {"nce_layers": [16]},
        "int-and-ext": {**BANK, "negatives": "both"},
        "ext-only": BANK,
        "tau-0.2": {"tau": 0.2},
    }
    runs = [write_run(root / dataset / "copy", "copy", scores={"fid": 200.0}, **big)]
    for i, (name, changes) in enumerate(rows.items()):
        algorithm = "moco" if "negatives" in changes else "cut"
        runs.append(write_run(root / dataset / name, name, algorithm=algorithm,
                              scores={"fid": fid + i, "l1": None, "ssim": None},
                              **big, **options(**changes)))  # fmt: skip
    return runs


def table(path):
    with open(path, newline="") as file:
        return {row["row" if "row" in row else "method"]: row for row in csv.DictReader(file)}


@pytest.fixture
def runs(tmp_path):
    return on(tmp_path, "horse2zebra", 50.0) + on(tmp_path, "cityscapes", 60.0)


def test_the_ablation_shows_the_papers_columns(tmp_path, runs):
    assert main(["--ablation", "--out", str(tmp_path), *map(str, runs)]) == 0
    rows = table(tmp_path / "ablation.csv")
    columns = ("Id", "Negs", "Layers", "Int", "Ext", "other options")
    shown = {name: tuple(row[c] for c in columns) for name, row in rows.items()}
    assert shown == {
        "copy (control)": ("–",) * 6,
        "cut": ("✓", "255", "all", "✓", "✗", "–"),
        "no-id-15neg": ("✗", "15", "all", "✓", "✗", "–"),
        "last": ("✓", "255", "last", "✓", "✗", "–"),
        "int-and-ext": ("✓", "255 + 255", "all", "✓", "✓", "–"),
        "ext-only": ("✓", "255", "all", "✗", "✓", "–"),
        "tau-0.2": ("✓", "255", "all", "✓", "✗", "tau 0.2"),
    }


def test_the_difference_is_measured_minus_published_on_each_data_set(tmp_path, runs):
    main(["--ablation", "--out", str(tmp_path), *map(str, runs)])
    rows = table(tmp_path / "ablation.csv")
    got = {key: rows["last"][key] for key in rows["last"] if "difference" in key}
    assert got == {"horse2zebra difference": f"{52 - 441.7:.1f}",
                   "cityscapes difference": f"{62 - 141.1:.1f}"}  # fmt: skip
    assert rows["cut"]["horse2zebra difference"] == "+4.5"
    assert rows["cut"]["cityscapes published"] == "56.4"
    assert rows["cut"]["cityscapes verdict"] == "not comparable", "of 3 epochs"
    assert rows["tau-0.2"]["horse2zebra published"] == "–"
    text = (tmp_path / "ablation.md").read_text()
    assert "Difference: measured minus published." in text
    assert "2 + 1 epochs, published 200 + 200" in text
    assert r"$\checkmark$" in (tmp_path / "ablation.tex").read_text()


def test_without_the_switch_it_is_a_table_of_methods(tmp_path, runs):
    main(["--out", str(tmp_path), *map(str, runs)])
    rows = table(tmp_path / "overview.csv")
    assert "Id" not in rows["cut"] and rows["cut"]["cityscapes FID"] == "60.0"


def test_a_row_that_ran_on_one_set_only_has_dashes_on_the_other(tmp_path, runs):
    main(["--ablation", "--out", str(tmp_path), *map(str, runs[:-1])])
    assert table(tmp_path / "ablation.csv")["tau-0.2"]["cityscapes FID"] == "–"


def test_an_ablation_needs_a_variant_of_cut(tmp_path, capsys):
    run = write_run(tmp_path / "copy", "copy")
    with pytest.raises(Exception, match="none of these runs is a variant of CUT"):
        main(["--ablation", "--out", str(tmp_path), str(run)])


def test_the_scatter_sets_one_fid_against_the_other(runs):
    ax = draw([load_run(run) for run in runs]).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("FID, horse2zebra (lower is better)",
                                                  "FID, cityscapes (lower is better)")  # fmt: skip
    points = [tuple(float(v[0]) for v in line.get_data()) for line in ax.lines
              if len(line.get_xdata()) == 1]  # fmt: skip
    assert (52.0, 62.0) in points and (441.7, 141.1) in points


def test_the_scatter_of_one_set_takes_its_content_loss(tmp_path):
    runs = [write_run(tmp_path / n, n, scores={"fid": f, "l1": v}) for n, f, v in
            (("copy", 290.0, 0.1), ("cut", 170.0, 0.07))]  # fmt: skip
    out = tmp_path / "scatter.png"
    assert figures.main(["scatter", "--out", str(out), *map(str, runs)]) == 0
    assert out.stat().st_size > 5000 and out.with_suffix(".pdf").is_file()
    ax = draw([load_run(run) for run in runs]).axes[0]
    assert ax.get_ylabel().startswith("L1")


def test_the_scatter_can_set_fid_against_miou(tmp_path):
    runs = [write_run(tmp_path / f"{d}-{n}", n, algorithm="cut", dataset=d, scores=scores)
            for n, fid, miou in (("cut", 50.0, 0.25), ("last", 400.0, 0.1))
            for d, scores in (("horse2zebra", {"fid": fid}),
                              ("cityscapes", {"fid": 70.0, "miou": miou}))]  # fmt: skip
    out = tmp_path / "miou.png"
    assert figures.main(["scatter", "--miou", "--out", str(out), *map(str, runs)]) == 0
    ax = draw([load_run(run) for run in runs], miou=True).axes[0]
    assert ax.get_xlabel() == "FID, horse2zebra (lower is better)"
    assert ax.get_ylabel() == "mIoU, %, cityscapes (higher is better)"
    points = {tuple(float(v[0]) for v in line.get_data()): line.get_markerfacecolor() == "white"
              for line in ax.lines if len(line.get_xdata()) == 1}  # fmt: skip
    want = {(50.0, 25.0): False, (45.5, 24.7): True, (400.0, 10.0): False, (441.7, 14.9): True}
    assert {(x, round(y, 6)): published for (x, y), published in points.items()} == want
    with pytest.raises(NothingToShow, match="no run has a mIoU"):
        draw([load_run(run) for run in runs if run.name.startswith("horse")], miou=True)


@pytest.mark.parametrize(
    ("values", "reasons", "interval", "want"),
    [
        ([45.0, 47.0, 46.0], [], None, "within seed spread"),
        # Student's t of two seeds reaches 15.6 deviations, of three 4.97.
        ([40.0, 40.5], [], None, "within seed spread"),
        ([40.0, 40.5, 41.0], [], None, "better"),
        ([60.0, 60.5, 61.0], [], None, "worse"),
        ([60.0], [], None, "worse, one seed"),
        ([60.0], [], (44.0, 76.0), "within image interval, one seed"),
        ([60.0], [], (50.0, 70.0), "worse, one seed"),
        ([45.5], ["3 epochs"], (40.0, 50.0), "not comparable"),
    ],
)
def test_the_verdict_holds_a_difference_against_the_seeds(values, reasons, interval, want):
    assert verdict(values, 45.5, reasons, True, interval=interval) == want
    assert verdict(values, 45.5, [], True, equal=True) == "equal"


def test_a_published_value_that_is_one_more_seed_is_called_other_once_in_twenty():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(4000, 4))
    said = [verdict(list(row[:3]), row[3], [], True) for row in draws]
    assert np.mean([words != "within seed spread" for words in said]) == pytest.approx(
        0.05, abs=0.012
    )


def test_a_published_protocol_gets_a_verdict(tmp_path):
    counts = {"images": 120}
    scored_by = protocol(images=140)
    scored_by["fake"] |= counts
    known = published_settings("cut")
    options = known.options
    given = {"epochs": 400, "training": known.training, "size": [256, 256],
             "images_seen": 400 * 1334}  # fmt: skip
    runs = [write_run(tmp_path / str(s), "cut", dataset="horse2zebra", seed=s,
                      scores={"fid": 45.0 + s}, scored_by=scored_by, options=options, **given)
            for s in range(3)]  # fmt: skip
    main(["--out", str(tmp_path), *map(str, runs)])
    assert table(tmp_path / "overview.csv")["cut"]["horse2zebra verdict"] == "within seed spread"


def test_the_scores_of_label_maps_stand_beside_their_published_values(tmp_path):
    given = {"miou": 0.25, "pixel_accuracy": 0.7, "class_accuracy": 0.31}
    run = write_run(tmp_path / "cut", "cut", dataset="cityscapes", scores=given)
    main(["--out", str(tmp_path / "t"), str(run)])
    rows = table(tmp_path / "t" / "overview.csv")
    assert rows["cut"]["cityscapes mIoU, %"] == "25.0"
    assert rows["cut"]["cityscapes mIoU, % published"] == "24.7"
    assert rows["cut"]["cityscapes mIoU, % difference"] == "+0.3"
    assert rows["cut"]["cityscapes pixel accuracy, % published"] == "68.8"
    entry = published_entry("cityscapes", "cut", "miou")
    reasons = differences(load_run(run), entry)
    assert reasons[0] == "segmented by other weights: the paper's network was not released"
