"""Measured against published: differences in the settings, and verdicts."""

from __future__ import annotations

import numpy as np
import pytest
from fake_runs import protocol, write_run

from cut.records.scores import SAME_NETWORK, ScoresRecord
from cut.results.comparison import (
    Difference,
    Verdict,
    compare,
    differences,
    judge,
    judge_untrained,
)
from cut.results.published import (
    PublishedNumber,
    published,
    published_number,
    published_numbers,
    published_settings,
)
from cut.results.rows import rows_of
from cut.results.run import load_run
from cut.results.seed_deviation import SeedDeviation

ROWS = sorted({n.method for n in published_numbers() if n.source in ("table1", "fig4")})
LATER = ("gan-alone", "monce", "hneg-src", "enco", "santa")  # with settings of many kinds
FID = PublishedNumber("horse2zebra", "cut", "fid", 45.5, "table1", "V3")


def as_published(root, row, training=None, seed=0, fid=45.0, scored_by=None, options=None, **facts):
    """Return a run with the published settings of `row` on horse2zebra, some of them changed."""
    known = published_settings(row)
    training = {**known.training, **(training or {})}
    epochs = training["epochs_constant"] + training["epochs_decay"]
    given = {
        "algorithm": known.method,
        "dataset": "horse2zebra",
        "size": [256, 256],
        "epochs": epochs,
        "images_seen": 1334 * epochs,
        "options": {**known.options, **(options or {})},
        "training": training,
    }
    counts = protocol(images=140)
    counts["fake"]["images"] = 120
    counts["weights"] = {"source": SAME_NETWORK[0], "tensors_sha256": "0" * 64}
    changes = dict(scored_by or {})
    counts["fake"] |= changes.pop("fake", {})
    folder = write_run(
        root / f"{row}{seed}",
        row,
        seed=seed,
        scores={"fid": fid},
        scored_by=counts | changes,
        points=1,
        images=0,
        **(given | facts),
    )
    return load_run(folder)


@pytest.mark.parametrize("row", [*ROWS, *LATER])
def test_a_run_under_the_papers_conditions_has_no_difference(tmp_path, row):
    assert differences(as_published(tmp_path, row), FID) == []
    (found,) = differences(as_published(tmp_path, row, {"epochs_constant": 3}), FID)
    stated = row in published()["protocol"]["epochs_stated"]
    assert found.kind == ("epochs" if stated else "default_epochs") and found.measured[0] == 3


@pytest.mark.parametrize(
    ("row", "change", "name", "measured", "theirs"),
    [
        ("cut", {"options": {"lambda_nce": 4.0}}, "lambda_nce", 4.0, 1.0),
        ("no-id-15neg-last", {"options": {"n_patches": 64}}, "n_patches", 64, 16),
        ("cyclegan", {"options": {"lambda_identity": 0.5}}, "lambda_identity", 0.5, 0.0),
        ("cut", {"training": {"load_size": 300}}, "load_size", 300, None),
        ("cut", {"training": {"batch_size": 4}}, "batch_size", 4, 1),
    ],
)
def test_a_changed_option_is_named(tmp_path, row, change, name, measured, theirs):
    found = differences(as_published(tmp_path, row, **change), FID)
    assert found == [Difference("option", measured, theirs, name)]


def test_the_default_load_size_may_be_spelled_out(tmp_path):
    assert differences(as_published(tmp_path, "cut", {"load_size": 286}), FID) == []


def test_held_out_images_are_one_difference(tmp_path):
    run = as_published(tmp_path, "cut", {"held_out": 100}, images_seen=1234 * 400)
    assert differences(run, FID) == [Difference("option", 100, 0, "held_out")]


def test_fewer_training_pairs_are_a_difference(tmp_path):
    run = as_published(tmp_path, "cut", images_seen=667 * 400)
    assert differences(run, FID) == [Difference("pairs", 667.0, 1334)]


@pytest.mark.parametrize(
    ("scored_by", "want"),
    [
        ({"fake": {"images": 50}}, [Difference("images", (50, 140), (120, 140))]),
        ({"fake": {"formats": ["JPEG"]}}, [Difference("formats", ("JPEG",), ("PNG",))]),
        ({"weights": {"source": SAME_NETWORK[1], "tensors_sha256": "1" * 64}}, []),
        (
            {"weights": {"source": "the given file x.pth", "tensors_sha256": "1" * 64}},
            [Difference("weights", "the given file x.pth", SAME_NETWORK[0])],
        ),
    ],
)
def test_a_changed_scoring_is_a_difference(tmp_path, scored_by, want):
    assert differences(as_published(tmp_path, "cut", scored_by=scored_by), FID) == want


@pytest.mark.parametrize(
    ("facts", "kind"),
    [
        ({"algorithm": "gcgan"}, "method"),
        ({"external": True}, "commands"),
        ({"size": [48, 64]}, "size"),
    ],
)
def test_other_kinds_of_difference(tmp_path, facts, kind):
    assert [d.kind for d in differences(as_published(tmp_path, "cut", **facts), FID)] == [kind]


def test_a_number_of_the_best_epoch_is_not_comparable_with_the_last(tmp_path):
    best = PublishedNumber("horse2zebra", "cut", "fid", 45.5, "unsb", "V1", epoch="best")
    found = differences(as_published(tmp_path, "cut"), best)
    assert found == [Difference("epoch", "last", "best")]


def test_a_row_may_have_other_settings_on_one_set():
    for row, option, values in (
        ("gcgan", "lambda_identity", (3, 5)),
        ("hneg-src", "lambda_src", (0.1, 0.05)),
        ("hneg-src", "gamma_one_after", (200, 0)),
        ("santa", "lambda_path", (0.1, 0.01)),
    ):
        sets = "cityscapes", "horse2zebra"
        assert tuple(published_settings(row, name).options[option] for name in sets) == values


def test_a_row_may_have_its_own_training():
    known = published_settings("monce")
    assert (known.training["batch_size"], known.options["epsilon"]) == (12, 0.1)


def test_the_gan_alone_is_cut_without_patch_nce():
    known = published_settings("gan-alone")
    cut = published_settings("cut").options
    assert (known.method, known.options) == ("cut", cut | {"lambda_nce": 0, "identity": False})


def test_a_published_row_without_a_method_here_is_not_compared(tmp_path):
    run = load_run(write_run(tmp_path / "run", "flsesim", algorithm="cut", size=[256, 256]))
    assert published_settings("flsesim") is None
    assert differences(run, FID)[-1] == Difference("no_method", name="flsesim")


def test_costs_and_label_maps_are_never_comparable(tmp_path):
    run = as_published(tmp_path, "cut")
    cost = published_number("horse2zebra", "cut", "seconds_per_iteration")
    miou = published_number("cityscapes", "cut", "miou")
    assert [d.kind for d in differences(run, cost)] == ["hardware"]
    assert [d.kind for d in differences(run, miou)] == ["segmenter"]


def test_a_number_that_was_scored_otherwise_is_not_comparable(tmp_path):
    munit = published_number("horse2zebra", "munit", "fid")
    found = differences(as_published(tmp_path, "munit"), munit)
    assert found == [Difference("entry", None, munit.differs)] and munit.differs


def test_a_remark_does_not_block_comparison(tmp_path):
    gcgan = published_number("horse2zebra", "gcgan", "fid")
    assert gcgan.remark and differences(as_published(tmp_path, "gcgan"), gcgan) == []


# -- verdicts ------------------------------------------------------------------------------------


ELSEWHERE = SeedDeviation(deviation=1.0, seeds=3, source="docs/variance.md")


@pytest.mark.parametrize(
    ("values", "given", "want"),
    [
        ([45.0, 47.0, 46.0], None, Verdict("within seed spread", "seeds")),
        # Student's t of two seeds reaches 15.6 deviations, of three 4.97.
        ([40.0, 40.5], None, Verdict("within seed spread", "seeds")),
        ([40.0, 40.5, 41.0], None, Verdict("better", "seeds")),
        ([60.0, 60.5, 61.0], None, Verdict("worse", "seeds")),
        ([40.0], None, Verdict("one training")),
        ([60.0], None, Verdict("one training")),
        # Between two trainings: 4.303 deviations of a Student's t of three seeds, times root 2.
        ([45.5 + 6.08], ELSEWHERE, Verdict("within seed spread", "given deviation")),
        ([45.5 + 6.09], ELSEWHERE, Verdict("worse", "given deviation")),
        ([45.5 - 6.09], ELSEWHERE, Verdict("better", "given deviation")),
        # The spread of several seeds is their own.
        ([40.0, 40.5, 41.0], ELSEWHERE, Verdict("better", "seeds")),
    ],
)
def test_a_training_is_judged_by_its_seeds(values, given, want):
    assert judge(values, 45.5, True, given) == want


@pytest.mark.parametrize(
    ("value", "interval", "want"),
    [
        (60.0, (44.0, 76.0), Verdict("within image interval", "images")),
        (60.0, (50.0, 70.0), Verdict("worse", "images")),
        (40.0, (30.0, 45.0), Verdict("better", "images")),
        (40.0, None, Verdict("better")),
    ],
)
def test_what_no_seed_changes_is_judged_by_the_images(value, interval, want):
    assert judge_untrained(value, 45.5, True, interval) == want


def test_one_more_seed_is_judged_as_another_once_in_twenty():
    draws = np.random.default_rng(0).normal(size=(4000, 4))
    kinds = [judge(list(row[:3]), row[3], True).kind for row in draws]
    share = np.mean([kind != "within seed spread" for kind in kinds])
    assert share == pytest.approx(0.05, abs=0.012)


def test_a_comparable_row_gets_a_verdict(tmp_path):
    runs = [as_published(tmp_path, "cut", seed=s, fid=45.0 + s) for s in range(3)]
    (row,) = rows_of(runs)
    found = compare(row, FID)
    assert found.difference == pytest.approx(0.5) and found.differences == []
    assert found.verdict == Verdict("within seed spread", "seeds")
    others = [as_published(tmp_path, "cut", seed=s, fid=45.5 + s / 100) for s in range(3)]
    (equal,) = rows_of(others)
    assert compare(equal, FID).verdict == Verdict("equal")


@pytest.mark.parametrize("fid", [45.52, 60.0])
def test_one_training_gets_a_verdict_by_a_given_deviation_alone(tmp_path, fid):
    run = as_published(tmp_path, "cut", fid=fid)
    (row,) = rows_of([run])
    assert row.one_training and compare(row, FID).verdict == Verdict("one training")
    (row,) = rows_of([run], {"horse2zebra": {"cut": {"fid": ELSEWHERE}}})
    found = compare(row, FID)
    judged = Verdict("equal") if fid == 45.52 else Verdict("worse", "given deviation")
    assert found.verdict == judged
    assert found.deviation == (None if fid == 45.52 else ELSEWHERE)


def test_a_row_without_training_keeps_the_verdict_of_the_images(tmp_path):
    runs = [as_published(tmp_path, "cut", seed=s, fid=50.0, iterations=0) for s in (0, 1)]
    for given in (runs[:1], runs):
        (row,) = rows_of(given)
        assert not row.varies and compare(row, FID).verdict == Verdict("worse")
    scores = ScoresRecord.read(runs[0].folder / "scores.json")
    bounds = {"fid_low": 45.0, "fid_high": 55.0}
    scores.model_copy(update={"scores": scores.scores | bounds}).write(
        runs[0].folder / "scores.json"
    )
    (row,) = rows_of([load_run(runs[0].folder)])
    assert compare(row, FID).verdict == Verdict("within image interval", "images")


def test_a_difference_or_a_missing_value_decides_the_verdict(tmp_path):
    (other,) = rows_of([as_published(tmp_path, "cut", {"flip": False})])
    assert compare(other, FID).verdict == Verdict("not comparable")
    (none,) = rows_of([as_published(tmp_path, "cut", fid=None)])
    assert (compare(none, FID).verdict, compare(none, FID).difference) == (None, None)


def test_images_that_are_not_stretched_are_not_as_published(tmp_path):
    found = differences(as_published(tmp_path, "cut", fit="pad"), FID)
    assert found == [Difference("fit", "pad", "stretch")]
