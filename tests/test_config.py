"""Configurations: the plan they come to, and one sentence for each mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT

from cut import config
from cut.errors import UserError

GOOD = {"datasets": ["coats2stripes"], "run": ["copy", "cut"], "size": 64}


def test_rows_are_a_method_with_options():
    plan = config.make_plan(
        {
            **GOOD,
            "run": ["cut", "no-id"],
            "methods": {"no-id": {"method": "cut", "options": {"identity": False}}},
            "options": {"ngf": 8},
            "training": {"threads": 2},
            "seeds": [1, 2],
        }
    )
    row = plan.rows["no-id"]
    assert (row.algorithm, row.options) == ("cut", {"ngf": 8, "identity": False})
    assert row.threads == 2 and row.code == plan.rows["cut"].code
    assert plan.runs()[1] == "results/coats2stripes/cut/seed2"
    assert len(plan.runs()) == 4


def test_a_shared_option_goes_to_the_methods_that_have_it():
    plan = config.make_plan({**GOOD, "options": {"ngf": 8}, "training": {"batch_size": 2}})
    assert plan.rows["copy"].options == {} and plan.rows["copy"].training == {}
    assert plan.rows["cut"].training == {"batch_size": 2}


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"seedz": [1]}, "unknown config key 'seedz'; did you mean 'seeds'"),
        ({"size": "large"}, "config key size is 'large'"),
        ({"seeds": []}, "config key seeds is"),
        ({"device": "tpu"}, "config key device is 'tpu'"),
        ({"run": ["cutt"]}, "unknown method in run 'cutt'; did you mean 'cut'"),
        ({"run": ["cut", "cut"]}, "run lists an entry twice"),
        ({"datasets": ["coats2stripe"]}, "coats2stripe"),
        ({"options": {"ngff": 1}}, "unknown option under options 'ngff'; did you mean 'ngf'"),
        ({"options": {"tau": -1}}, "option tau of row cut is -1"),
        ({"training": {"epochs": 4}}, "unknown option of training 'epochs'"),
        ({"training": {"precision": "half"}}, "option precision of training is 'half'"),
        ({"size": 66}, "size 66 is no multiple of 4, which cut needs"),
        ({"methods": {"x": {"option": {}}}}, "unknown key of methods.x 'option'"),
        ({"methods": {"x": {}}}, "row 'x' names no method"),
        ({"methods": {"x": {"method": "y"}}, "run": ["x"]}, "unknown method 'y'"),
        ({"data_sources": {"coats2stripes": {"sizes": 3}}}, "sizes"),
        ({"grid": {"row": 3}}, "unknown key of grid 'row'"),
        ({"best": {"held": 3}}, "the config lacks 'best.every'"),
        ({"best": {"every": 2, "held": 3}}, "unknown key of best 'held'"),
        ({"best": {"every": 0}}, "config key best.every is 0: input should be greater than"),
    ],
)
def test_mistakes_are_one_sentence(change, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        config.make_plan({**GOOD, **change})
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_what_is_missing_is_named():
    with pytest.raises(UserError, match="lacks 'run'"):
        config.make_plan({"datasets": ["coats2stripes"]})


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_config_of_the_project_is_sound(path, capsys):
    assert config.main([str(path)]) == 0
    assert "runs" in capsys.readouterr().out


def test_the_checked_in_schema_is_the_present_one(capsys):
    config.main(["--schema"])
    printed = json.loads(capsys.readouterr().out)
    kept = json.loads((ROOT / "workflow" / "schemas" / "config.schema.json").read_text())
    assert kept == printed, "python -m cut.config --schema > workflow/schemas/config.schema.json"
    assert all("description" in field for field in printed["properties"].values())


def test_unreadable_files_are_said(tmp_path):
    with pytest.raises(UserError, match="can't read the config"):
        config.main([str(tmp_path / "none.yaml")])
    (tmp_path / "torn.yaml").write_text("run: [cut\nsize: 3")
    with pytest.raises(UserError, match="torn.yaml is not YAML at line 2"):
        config.main([str(tmp_path / "torn.yaml")])
    (tmp_path / "list.yaml").write_text("- cut")
    with pytest.raises(UserError, match="no mapping"):
        config.main([str(tmp_path / "list.yaml")])


def test_scoring_along_the_way_is_asked_of_trained_rows_alone():
    plan = config.make_plan({**GOOD, "run": ["copy", "cut", "reinhard"], "best": {"every": 3}})
    assert plan.rows["cut"].training["snapshot_every"] == 3
    assert not plan.rows["copy"].training
    assert [Path(run).parent.name for run in plan.followed()] == ["cut"]
    assert config.make_plan(GOOD).followed() == []
