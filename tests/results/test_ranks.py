"""In which share of draws a row is better than another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fake_runs import write_resamples, write_run
from scipy.special import ndtr, stdtr

from cut.base.errors import UserError
from cut.results.ranks import ranking, rankings, seeds_of
from cut.results.rows import rows_of
from cut.results.run import load_run
from cut.results.seed_deviation import SeedDeviation

DRAWS = np.random.default_rng(0).normal(size=200)


def write(root, name, fid, spread=0.0, seed=0, **scores):
    """Write a run whose FIDs over resamples are `fid` plus `spread` times the shared draws."""
    run = write_run(
        root / f"{name}{seed}", name, seed=seed, scores={"fid": fid}, images=0, points=1
    )
    return load_run(write_resamples(run, fid=fid + spread * DRAWS, **scores))


def share(runs, one, other, metric="fid"):
    """Return the share of draws in which row `one` is better than row `other`."""
    found = ranking(rows_of(runs), metric)
    places = {row.name: i for i, row in enumerate(found.rows)}
    return found.shares[places[one], places[other]]


def test_rows_share_the_images_of_a_draw(tmp_path):
    """What both rows gain from a choice of images cancels: 1 apart, they never change places."""
    runs = [write(tmp_path, "cut", 50, 20), write(tmp_path, "fastcut", 51, 20)]
    assert share(runs, "cut", "fastcut") == 1 and share(runs, "fastcut", "cut") == 0
    # Here the draws differ between the rows by -1 + 20 x.
    runs[0] = write(tmp_path, "cut", 50, 40)
    assert share(runs, "cut", "fastcut") == np.mean(20 * DRAWS < 1)


def test_rows_stand_in_the_order_of_their_means(tmp_path):
    """The floor is the first and the ceiling the last, whatever they score."""
    fids = {"copy": 20, "cut": 60, "fastcut": 50, "real": 90}
    runs = [write(tmp_path, name, fid) for name, fid in fids.items()]
    found = ranking(rows_of(runs), "fid")
    assert [row.name for row in found.rows] == ["copy", "fastcut", "cut", "real"]


def test_equal_scores_count_half(tmp_path):
    runs = [write(tmp_path, "cut", 50), write(tmp_path, "fastcut", 50)]
    assert share(runs, "cut", "fastcut") == share(runs, "fastcut", "cut") == 0.5


def test_a_score_may_be_better_when_higher(tmp_path):
    given = {"ssim": np.full(200, 0.9)}, {"ssim": np.full(200, 0.8)}
    runs = [write(tmp_path, n, 50, **s) for n, s in zip(("cut", "fastcut"), given, strict=True)]
    assert share(runs, "cut", "fastcut", "ssim") == 1
    assert [found.metric for found in rankings(rows_of(runs))] == ["fid", "ssim"]


def test_seeds_are_resampled_and_their_few_corrected(tmp_path):
    """Two seeds at 50 +- 2: the mean of two draws has the variance s^2 / 2 = 4, corrected."""
    runs = [write(tmp_path, "cut", 50 + 2 * way, seed=i) for i, way in enumerate((-1, 1))]
    runs.append(write(tmp_path, "copy", 52))
    # Three values: 50 and 50 +- 2 times the root of 2, at a half and two quarters.
    assert share(runs, "cut", "copy") == pytest.approx(0.75, abs=0.03)
    assert seeds_of(rows_of(runs)[1], "fid") == "several"


def test_a_given_deviation_stands_for_the_seeds(tmp_path):
    """By Student's t with the seeds of the deviation; without one, the images alone."""
    runs = [write(tmp_path, "cut", 50), write(tmp_path, "copy", 53)]
    assert share(runs, "cut", "copy") == 1
    copy, cut = rows_of(runs)
    assert (seeds_of(cut, "fid"), seeds_of(copy, "fid")) == ("one training", "no training")
    for seeds in (2, 1000):
        given = SeedDeviation(deviation=3, seeds=seeds, source="a page")
        row = replace(cut, deviations={"fid": given})
        found = ranking([copy, row], "fid").shares[1, 0]
        expected = stdtr(1, 1) if seeds == 2 else ndtr(1)
        assert found == pytest.approx(expected, abs=0.03)
        assert seeds_of(row, "fid") == "given deviation"


def test_the_first_of_the_methods_is_counted(tmp_path):
    runs = [write(tmp_path, "cut", 50, 1), write(tmp_path, "fastcut", 50, -1)]
    runs.append(write(tmp_path, "real", 10))
    found = ranking(rows_of(runs), "fid")
    first = dict(zip([row.name for row in found.rows], found.first, strict=True))
    better = float(np.mean(DRAWS < 0))
    assert first == {"cut": better, "fastcut": pytest.approx(1 - better), "real": None}


def test_a_row_without_resamples_is_left_out(tmp_path):
    runs = [write(tmp_path, "cut", 50), load_run(write_run(tmp_path / "f", "fastcut", images=0))]
    assert ranking(rows_of(runs), "fid") is None
    runs.append(write(tmp_path, "copy", 90))
    assert [row.name for row in ranking(rows_of(runs), "fid").rows] == ["copy", "cut"]


def test_resamples_of_other_scores_are_refused(tmp_path):
    folder = write(tmp_path, "cut", 50).folder
    text = (folder / "resamples.csv").read_text()
    (folder / "resamples.csv").write_text(text.replace("50.0", "49.0"))
    with pytest.raises(UserError, match="resamples.csv has changed"):
        load_run(folder)
