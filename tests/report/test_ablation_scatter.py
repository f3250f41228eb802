"""The scatter of an ablation's rows."""

from __future__ import annotations

import pytest
from command import run_command
from fake_runs import write_run
from tables_of import write_variants

from cut.base.errors import NothingToShow
from cut.report.figures.ablation_scatter import draw
from cut.results.run import load_run


@pytest.fixture
def runs(tmp_path):
    return [
        *write_variants(tmp_path, "horse2zebra", 50.0),
        *write_variants(tmp_path, "cityscapes", 60.0),
    ]


def test_the_scatter_sets_one_fid_against_the_other(runs):
    ax = draw([load_run(run) for run in runs]).axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == (
        "FID, horse2zebra (lower is better)",
        "FID, cityscapes (lower is better)",
    )
    points = [
        tuple(float(v[0]) for v in line.get_data())
        for line in ax.lines
        if len(line.get_xdata()) == 1
    ]
    assert (52.0, 62.0) in points and (441.7, 141.1) in points


def test_the_scatter_of_one_set_takes_its_content_loss(tmp_path):
    runs = [
        write_run(tmp_path / n, n, scores={"fid": f, "l1": v})
        for n, f, v in (("copy", 290.0, 0.1), ("cut", 170.0, 0.07))
    ]
    out = tmp_path / "scatter.png"
    assert run_command("report figures", ["scatter", "--out", str(out), *map(str, runs)]) == 0
    assert out.stat().st_size > 5000 and out.with_suffix(".pdf").is_file()
    ax = draw([load_run(run) for run in runs]).axes[0]
    assert ax.get_ylabel().startswith("L1")


def test_the_scatter_can_set_fid_against_miou(tmp_path):
    runs = [
        write_run(tmp_path / f"{d}-{n}", n, algorithm="cut", dataset=d, scores=scores)
        for n, fid, miou in (("cut", 50.0, 0.25), ("last", 400.0, 0.1))
        for d, scores in (
            ("horse2zebra", {"fid": fid}),
            ("cityscapes", {"fid": 70.0, "miou": miou}),
        )
    ]
    out = tmp_path / "miou.png"
    assert (
        run_command("report figures", ["scatter", "--miou", "--out", str(out), *map(str, runs)])
        == 0
    )
    ax = draw([load_run(run) for run in runs], miou=True).axes[0]
    assert ax.get_xlabel() == "FID, horse2zebra (lower is better)"
    assert ax.get_ylabel() == "mIoU, %, cityscapes (higher is better)"
    points = {
        tuple(float(v[0]) for v in line.get_data()): line.get_markerfacecolor() == "white"
        for line in ax.lines
        if len(line.get_xdata()) == 1
    }
    want = {(50.0, 25.0): False, (45.5, 24.7): True, (400.0, 10.0): False, (441.7, 14.9): True}
    assert {(x, round(y, 6)): published for (x, y), published in points.items()} == want
    with pytest.raises(NothingToShow, match="no run has a mIoU"):
        draw([load_run(run) for run in runs if run.name.startswith("horse")], miou=True)
