"""The table over data sets, an ablation's columns, and its scatter."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from command import run_command
from fake_runs import protocol, write_best, write_run

from cut.base.errors import NothingToShow
from cut.records.scores import SAME_NETWORK
from cut.report import overview_table
from cut.report.figures.ablation_scatter import draw
from cut.report.published_tables import against
from cut.report.table import fitting
from cut.results.published import differences, published_entry, published_settings, verdict
from cut.results.run import load_run

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
    unpaired = {"l1": None, "ssim": None}
    runs = [write_run(root / dataset / "copy", "copy", scores={"fid": 200.0, **unpaired}, **big)]
    for i, (name, changes) in enumerate(rows.items()):
        algorithm = "moco" if "negatives" in changes else "cut"
        runs.append(write_run(root / dataset / name, name, algorithm=algorithm,
                              scores={"fid": fid + i, **unpaired},
                              **big, **options(**changes)))  # fmt: skip
    return runs


def tidy(path):
    """Return the lines of a CSV by (row, data set, metric)."""
    with open(path, newline="") as file:
        return {(row["row"], row["dataset"], row["metric"]): row for row in csv.DictReader(file)}


def cells(path, title):
    """Return the table under a title of a Markdown file: {row's name: {header: cell}}."""
    part = path.read_text().split(f"**{title}.**")[1].split("\n**")[0]
    lines = [line.strip("| ").split(" | ") for line in part.splitlines() if line.startswith("|")]
    header, _, *rows = [[cell.strip() for cell in line] for line in lines]
    return {row[0]: dict(zip(header, row, strict=True)) for row in rows}


@pytest.fixture
def runs(tmp_path):
    return on(tmp_path, "horse2zebra", 50.0) + on(tmp_path, "cityscapes", 60.0)


def test_the_ablation_shows_the_papers_columns(tmp_path, runs):
    assert (
        run_command("report overview", ["--ablation", "--out", str(tmp_path), *map(str, runs)]) == 0
    )
    rows = cells(tmp_path / "ablation.md", "Ablation")
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
    assert [c for c in rows["cut"] if c not in columns] == [
        "row", "horse2zebra FID ↓", "horse2zebra publ.", "cityscapes FID ↓", "cityscapes publ.",
        "s/iter ↓", "GB ↓",
    ]  # fmt: skip
    assert rows["cut"]["cityscapes publ."] == "56.4" and rows["cut"]["s/iter ↓"] == "0.123"
    assert rows["tau-0.2"]["horse2zebra publ."] == "–"


def test_the_difference_is_measured_minus_published_on_each_data_set(tmp_path, runs):
    run_command("report overview", ["--ablation", "--out", str(tmp_path), *map(str, runs)])
    text = (tmp_path / "ablation.md").read_text()
    last = [line for line in text.splitlines() if "| FID | last |" in line]
    starts = ("| horse2zebra | FID | last | 52.0 | 441.7 | -389.7 | not comparable | ",
              "| cityscapes | FID | last | 62.0 | 141.1 | -79.1 | not comparable | ")  # fmt: skip
    notes = dict(line[1:].split(") ", 1) for line in text.splitlines() if line.startswith("("))
    for line, start, published in zip(last, starts, ("120 against 140", "500 against 500"),
                                      strict=True):  # fmt: skip
        assert line.startswith(start)
        reasons = [notes[letter] for letter in line.removeprefix(start).rstrip(" |").split(", ")]
        assert f"4 against 6 images, published {published}" in reasons
        assert "2 + 1 epochs, published not stated, by default 200 + 200" in reasons
    assert "Difference: measured minus published." in text
    assert "| FID | tau-0.2 |" not in text, "nothing is published of it"
    tex = (tmp_path / "ablation.tex").read_text()
    assert r"$\checkmark$" in tex and "$-$389.7" in tex
    assert r"\multicolumn{2}{c}{horse2zebra}" in tex and r"\cmidrule(lr){8-9}" in tex


def test_the_csv_has_one_value_a_line_in_full(tmp_path, runs):
    runs += [write_run(tmp_path / f"cut{seed}", "cut", dataset="horse2zebra", seed=seed,
                       scores={"fid": fid, "l1": None, "ssim": None}, size=[256, 256], **options())
             for seed, fid in ((1, 52.0), (2, None))]  # fmt: skip
    run_command("report overview", ["--ablation", "--out", str(tmp_path), *map(str, runs)])
    lines = tidy(tmp_path / "ablation.csv")
    line = lines["cut", "horse2zebra", "fid"]
    assert list(line) == [
        "row", "dataset", "identity", "negatives_internal", "negatives_external", "layers", "other",
        "metric", "unit", "mean", "sd", "seeds", "published", "difference", "verdict", "reasons",
        "remark", "missing",
    ]  # fmt: skip
    assert (line["mean"], line["published"], line["difference"]) == ("51.0", "45.5", "5.5")
    assert (line["sd"], line["seeds"]) == ("1.4142135623730951", "2")
    assert line["missing"] == "FID without seed 2: not measured"
    assert line["verdict"] == "not comparable" and "; 2 + 1 epochs, published" in line["reasons"]
    options_of = {name: (lines[name, "cityscapes", "fid"][key]) for name, key in
                  (("no-id-15neg", "negatives_internal"), ("ext-only", "negatives_external"),
                   ("last", "layers"), ("tau-0.2", "other"), ("copy", "identity"))}  # fmt: skip
    assert options_of == {"no-id-15neg": "15", "ext-only": "255", "last": "16",
                          "tau-0.2": "tau 0.2", "copy": ""}  # fmt: skip
    assert lines["cut", "cityscapes", "peak_memory_gb"]["mean"] == "0.512"
    assert lines["cut", "cityscapes", "peak_memory_gb"]["unit"] == "GB (1e9 bytes)"
    unmeasured = lines["cut", "cityscapes", "miou"]
    assert (unmeasured["mean"], unmeasured["published"]) == ("", "0.247")
    assert unmeasured["missing"] == "not measured" and unmeasured["seeds"] == "0"
    assert (
        "no published number" not in str(lines) and lines["cut", "cityscapes", "kid"]["unit"] == ""
    )


def test_without_the_switch_it_is_a_table_of_methods(tmp_path, runs):
    run_command("report overview", ["--out", str(tmp_path), *map(str, runs)])
    rows = cells(tmp_path / "overview.md", "Overview")
    assert "Id" not in rows["cut"] and rows["cut"]["cityscapes FID ↓"] == "60.0"
    assert "identity" not in tidy(tmp_path / "overview.csv")["cut", "cityscapes", "fid"]


def test_a_row_that_ran_on_one_set_only_has_dashes_on_the_other(tmp_path, runs):
    run_command("report overview", ["--ablation", "--out", str(tmp_path), *map(str, runs[:-1])])
    rows = cells(tmp_path / "ablation.md", "Ablation")
    assert rows["tau-0.2"]["cityscapes FID ↓"] == "– (a)"
    assert "(a) not run on this data set" in (tmp_path / "ablation.md").read_text()


def everything(root, rows, seeds):
    """Write runs of Table 1's or of more rows, with all scores that its data sets have."""
    runs = []
    for dataset in ("cityscapes", "cat2dog", "horse2zebra"):
        labelled = dataset == "cityscapes"
        given = {"miou": 0.2, "pixel_accuracy": 0.6, "class_accuracy": 0.3} if labelled else {}
        paired = {} if labelled else {"l1": None, "ssim": None}
        for name, seed in ((name, seed) for name in rows for seed in range(seeds)):
            run = write_run(root / dataset / name / str(seed), name, dataset=dataset, seed=seed,
                            scores={"fid": 400.0 + 30 * seed, **given, **paired}, images=0,
                            points=1, size=[256, 256])  # fmt: skip
            runs.append(run if name in ("copy", "real") else write_best(run, {2: 410.0, 5: 420.0}))
    return [load_run(run) for run in runs]


TABLE1 = ("copy", "cyclegan", "munit", "drit", "distancegan", "selfdistance", "gcgan", "cut",
          "fastcut", "real")  # fmt: skip


@pytest.mark.parametrize("seeds", [1, 3])
def test_a_table_too_wide_for_a_page_is_divided_by_data_set(tmp_path, seeds):
    runs = everything(tmp_path, TABLE1, seeds)
    tables = overview_table.build(runs, ablation=False)
    assert len(tables) > 1 and all(fitting(table) for table in tables)
    groups = [list(dict.fromkeys(filter(None, table.groups))) for table in tables]
    assert groups[-1] == ["cat2dog", "horse2zebra"], "small sets stay together"
    assert all(names == ["cityscapes"] for names in groups[:-1])
    assert tables[-1].header[-2:] == ["s/iter ↓", "GB ↓"]
    every = [(g, h) for table in tables for g, h in zip(table.groups, table.header, strict=True)
             if h not in ("method", "publ.")]  # fmt: skip
    assert len(every) == len(set(every)) == 7 + 2 + 2 + 2, "nothing is left out or shown twice"
    assert all(len(table.rows) == len(TABLE1) for table in tables)


def test_many_comparisons_fill_a_table_for_each_data_set(tmp_path):
    tables = against("Overview", everything(tmp_path, TABLE1, 1), overview_table.SCORES)
    assert [table.dataset.split(": ")[1] for table in tables] == ["cityscapes", "cat2dog",
                                                                   "horse2zebra"]  # fmt: skip
    assert [len(table.rows) for table in tables] == [32, 8, 8]


def test_notes_say_shared_sentences_once_and_others_by_data_set(tmp_path, runs):
    scored_by = protocol()
    scored_by["fake"] |= {"images": 77}
    other = write_run(tmp_path / "o", "cut", dataset="cat2dog", scored_by=scored_by, **options(),
                      size=[256, 256], scores={"l1": None, "ssim": None})  # fmt: skip
    run_command(
        "report overview", ["--ablation", "--out", str(tmp_path), *map(str, [*runs, other])]
    )
    text = (tmp_path / "ablation.md").read_text().split("**Ablation, measured")[0]
    assert text.count("FID on features of") == text.count("Final epoch, 256x256 pixels") == 1
    assert "horse2zebra: 4 test translations against 6 real images." in text
    assert "cat2dog: 77 test translations" in text
    assert text.index("FID on features") < text.index("horse2zebra: 4")
    for word in ("KID", "Interval", "SSIM", "Best epoch"):
        assert word not in text, f"no column shows {word}"
    tex = (tmp_path / "ablation.tex").read_text()
    captions = [line for line in tex.splitlines() if r"\caption" in line]
    assert captions and all(len(line) < 200 for line in captions)


def test_the_same_runs_give_the_same_bytes(tmp_path, runs):
    for name in ("a", "b"):
        run_command(
            "report overview", ["--ablation", "--out", str(tmp_path / name), *map(str, runs)]
        )
    for end in ("md", "tex", "csv"):
        a, b = ((tmp_path / name / f"ablation.{end}").read_bytes() for name in ("a", "b"))
        assert a == b, end


def test_an_ablation_needs_a_variant_of_cut(tmp_path, capsys):
    run = write_run(tmp_path / "copy", "copy")
    with pytest.raises(Exception, match="none of these runs is a variant of CUT"):
        run_command("report overview", ["--ablation", "--out", str(tmp_path), str(run)])


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
    assert run_command("report figures", ["scatter", "--out", str(out), *map(str, runs)]) == 0
    assert out.stat().st_size > 5000 and out.with_suffix(".pdf").is_file()
    ax = draw([load_run(run) for run in runs]).axes[0]
    assert ax.get_ylabel().startswith("L1")


def test_the_scatter_can_set_fid_against_miou(tmp_path):
    runs = [write_run(tmp_path / f"{d}-{n}", n, algorithm="cut", dataset=d, scores=scores)
            for n, fid, miou in (("cut", 50.0, 0.25), ("last", 400.0, 0.1))
            for d, scores in (("horse2zebra", {"fid": fid}),
                              ("cityscapes", {"fid": 70.0, "miou": miou}))]  # fmt: skip
    out = tmp_path / "miou.png"
    assert (
        run_command("report figures", ["scatter", "--miou", "--out", str(out), *map(str, runs)])
        == 0
    )
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
    share = np.mean([words != "within seed spread" for words in said])
    assert share == pytest.approx(0.05, abs=0.012)


def test_a_published_protocol_gets_a_verdict(tmp_path):
    counts = {"images": 120}
    scored_by = protocol(images=140)
    scored_by["fake"] |= counts
    scored_by["weights"] = {"source": SAME_NETWORK[0], "tensors_sha256": "0" * 64}
    known = published_settings("cut")
    options = known.options
    given = {"epochs": 400, "training": known.training, "size": [256, 256],
             "images_seen": 400 * 1334}  # fmt: skip
    runs = [write_run(tmp_path / str(s), "cut", dataset="horse2zebra", seed=s,
                      scores={"fid": 45.0 + s}, scored_by=scored_by, options=options, **given)
            for s in range(3)]  # fmt: skip
    run_command("report overview", ["--out", str(tmp_path), *map(str, runs)])
    line = tidy(tmp_path / "overview.csv")["cut", "horse2zebra", "fid"]
    assert (line["verdict"], line["reasons"]) == ("within seed spread", "")
    text = (tmp_path / "overview.md").read_text()
    assert "| 46.0 ± 1.0 | 45.5 | +0.5 | within seed spread | – |" in text


def test_the_scores_of_label_maps_stand_beside_their_published_values(tmp_path):
    given = {"miou": 0.25, "pixel_accuracy": 0.7, "class_accuracy": 0.31}
    run = write_run(tmp_path / "cut", "cut", dataset="cityscapes", scores=given)
    run_command("report overview", ["--out", str(tmp_path / "t"), str(run)])
    rows = cells(tmp_path / "t" / "overview.md", "Overview")
    assert rows["cut"]["cityscapes mIoU ↑"] == "25.0"
    assert rows["cut"]["cityscapes pixAcc ↑"] == "70.0"
    text = (tmp_path / "t" / "overview.md").read_text()
    assert "| cityscapes | mIoU, % | cut | 25.0 | 24.7 | +0.3 |" in text
    assert "mIoU, pixAcc, classAcc in percent." in text
    line = tidy(tmp_path / "t" / "overview.csv")["cut", "cityscapes", "pixel_accuracy"]
    assert (line["published"], line["mean"], line["unit"]) == ("0.688", "0.7", "")
    entry = published_entry("cityscapes", "cut", "miou")
    reasons = differences(load_run(run), entry)
    assert reasons[0] == "segmented by other weights: the paper's network was not released"
