"""A plan refuses to replace finished runs that differ."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_runs import run_record

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.plan.finished_runs import check_finished_runs, wanted_of
from cut.plan.plan import make_plan
from cut.records.dataset import DatasetRecord
from cut.records.run import RunRecord

CONFIG = {"datasets": ["coats2stripes"], "run": ["copy", "cut"], "size": 64, "seeds": [3]}
RUN = Path("results/coats2stripes/cut/seed3")


def check(root: Path, **changes: object) -> None:
    check_finished_runs(make_plan({**CONFIG, **changes}), root)


@pytest.fixture
def root(tmp_path) -> Path:
    """Return the folder of a benchmark whose run of CUT is finished."""
    plan = make_plan(CONFIG)
    facts = {**wanted_of(plan, plan.rows["cut"], Path()), "fingerprint": "f"}
    record = run_record("coats2stripes", "cut", "cut", 3, 100, 1.0, facts)
    record.write(tmp_path / RUN / "run.json")
    return tmp_path


def change_record(root: Path, **facts: object) -> None:
    path = root / RUN / "run.json"
    RunRecord.read(path).model_copy(update=facts).write(path)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"options": {"ngf": 32}}, "ngf 64, now 32"),
        ({"size": 128}, r"size \[64, 64\], now \[128, 128\]"),
        ({"training": {"flip": False}}, "flip true, now false"),
        ({"methods": {"cut": {"method": "fastcut"}}}, "method cut, now fastcut"),
        ({"training": {"epochs_constant": 300, "extends": [[200, 200]]}}, "can't be extended"),
    ],
)
def test_a_finished_run_that_differs_is_named(root, change, words):
    check(root)
    with pytest.raises(UserError, match=rf"{RUN} .*{words}"):
        check(root, **change)
    check(root, **change, replace=True)


@pytest.mark.parametrize(
    "facts, words", [({"seed": 4}, "seed 4, now 3"), ({"code_digest": "0" * 64}, "code")]
)
def test_another_seed_and_other_code_are_named(root, facts, words):
    change_record(root, **facts)
    with pytest.raises(UserError, match=words):
        check(root)


def test_other_images_are_named(root):
    fields = dict.fromkeys(("root", "source", "target", "licence", "citation"), "")
    data = DatasetRecord(
        **{**fields, "direction": "AtoB", "dataset": "coats2stripes", "digest": "d" * 64},
        counts={},
        options={},
        images={},
    )
    place = root / "data" / "coats2stripes" / "dataset.json"
    data.write(place)
    check(root)
    data.model_copy(update={"digest": "e" * 64}).write(place)
    with pytest.raises(UserError, match="other images"):
        check(root)


def test_options_that_change_no_weight_pass(root):
    check(root, training={"log_every": 7, "workers": 2, "keep_state": True})


def test_controls_and_runs_that_are_not_finished_pass(root):
    record = run_record("coats2stripes", "copy", "copy", 3, 0, 1.0, {"code_digest": "0" * 64})
    record.write(root / RUN.parent.parent / "copy" / "seed3" / "run.json")
    check(root)
    (root / RUN / "run.json").unlink()
    check(root, options={"ngf": 32})


def test_a_run_whose_state_was_kept_is_extended(root):
    longer = {"epochs_constant": 300, "extends": [[200, 200]]}
    state = root / RUN / "state" / "f.pt"
    state.parent.mkdir()
    state.write_bytes(b"")
    check(root, training=longer)
    with pytest.raises(UserError, match="flip"):
        check(root, training={**longer, "flip": False})


def test_weights_to_begin_from_are_compared_by_their_digest(root):
    (root / "a.pt").write_bytes(b"weights")
    with pytest.raises(UserError, match="begin_from"):
        check(root, training={"begin_from": "a.pt"})
    record = RunRecord.read(root / RUN / "run.json")
    training = {**record.training, "begin_from": "elsewhere.pt"}
    change_record(root, begun_from=sha256_of(root / "a.pt"), training=training)
    check(root, training={"begin_from": "a.pt"})
    with pytest.raises(UserError, match="begin_from"):
        check(root)
