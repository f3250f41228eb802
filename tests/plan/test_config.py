"""Configurations: the plan they come to, and one sentence for each mistake."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from command import run_command
from conftest import ROOT

from cut.base.errors import UserError
from cut.data.prepare import known_source_digest, prepare, refuse_other, source_digest
from cut.data.registry import resolve
from cut.plan import config, inputs
from cut.plan.plan import make_plan
from cut.results.seed_deviation import SeedDeviation

GOOD = {"datasets": ["coats2stripes"], "run": ["copy", "cut"], "size": 64}


def test_rows_are_a_method_with_options():
    plan = make_plan(
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
    plan = make_plan({**GOOD, "options": {"ngf": 8}, "training": {"batch_size": 2}})
    assert plan.rows["copy"].options == {} and plan.rows["copy"].training == {}
    assert plan.rows["cut"].training == {"batch_size": 2}


FIVE = {"deviation": 3.0, "seeds": 5, "source": "docs/variance.md"}


def deviation(**rows: dict) -> dict:
    return {"seed_deviation": {"coats2stripes": rows}}


def test_a_deviation_over_seeds_is_of_rows_that_a_seed_changes():
    given = deviation(cut={"fid": FIVE, "l1": FIVE}, reinhard={"fid": FIVE})
    plan = make_plan({**GOOD, "run": ["copy", "cut", "reinhard"], **given})
    found = plan.config.seed_deviation["coats2stripes"]
    assert found["cut"]["fid"] == SeedDeviation(**FIVE) and list(found) == ["cut", "reinhard"]


def named(row: str) -> dict:
    return {"methods": {row: {"method": "cut"}}}


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"seedz": [1]}, "unknown key of the config 'seedz'; did you mean 'seeds'"),
        ({"size": "large"}, "key size of the config is 'large'"),
        ({"seeds": []}, "key seeds of the config is"),
        ({"device": "tpu"}, "key device of the config is 'tpu'"),
        ({"run": ["cutt"]}, "unknown method in run 'cutt'; did you mean 'cut'"),
        ({"run": ["cut", "cut"]}, "run lists an entry twice"),
        ({"datasets": ["coats2stripe"]}, "coats2stripe"),
        ({"options": {"ngff": 1}}, "unknown option under options 'ngff'; did you mean 'ngf'"),
        ({"options": {"tau": -1}}, "option tau of row cut is -1"),
        ({"training": {"epochs": 4}}, "unknown option of training 'epochs'"),
        ({"training": {"precision": "half"}}, "option precision of training is 'half'"),
        ({"size": 66}, "size 66 is no multiple of 4, which cut needs"),
        ({"methods": {"x": {"option": {}}}}, "unknown key of methods.x in the config 'option'"),
        ({"methods": {"x": {}}}, "row 'x' names no method"),
        ({"methods": {"x": {"method": "y"}}, "run": ["x"]}, "unknown method 'y'"),
        ({"data_sources": {"coats2stripes": {"sizes": 3}}}, "sizes"),
        ({"grid": {"row": 3}}, "unknown key of grid in the config 'row'"),
        ({"best": {"held_out": 3}}, "the config has no key 'best.every'"),
        ({"best": {"evry": 2}}, "unknown key of best in the config 'evry'; did you mean 'every'"),
        ({"best": {"every": 2, "held": 3}}, "unknown key of best in the config 'held'"),
        ({"best": {"every": 0}}, "key best.every of the config is 0: input should be greater than"),
        ({"seeds": [True]}, "key seeds.0 of the config is True: input should be a valid integer"),
        (
            {"seeds": [2**70]},
            "key seeds.0 of the config is 1180591620717411303424: input should be less",
        ),
        ({"run": ["a/b"]}, "row 'a/b': a name starts with a letter or digit, then those and . _ -"),
        ({"run": [""]}, "row '': a name starts"),
        ({"run": ["a{x}"]}, "row 'a{x}': a name starts"),
        ({"run": [".."]}, "row '..': a name starts"),
        ({"run": ["-x"]}, "row '-x': a name starts"),
        ({"methods": {"a b": {"method": "cut"}}}, "row 'a b': a name starts"),
        ({"run": ["test"], **named("test")}, "row 'test': the workflow keeps files of its own"),
        ({"run": ["Held_Out"], **named("Held_Out")}, "row 'Held_Out': the workflow keeps"),
        ({"run": ["cut", "CUT"], **named("CUT")}, "row 'CUT' differs from 'cut' in case alone"),
        ({"datasets": ["a", "a-scores"]}, "data set 'a-scores' would share tables with 'a'"),
        ({"datasets": ["tables"]}, "data set 'tables': the workflow keeps files of its own"),
        ({"datasets": ["Logs"]}, "data set 'Logs': the workflow keeps files of its own"),
        ({"datasets": ["../a"]}, "data set '../a': a name starts"),
        ({"methods": {"copy": {"options": {"x": 1}}}}, "option of row copy 'x'; there is none"),
        ({"options": {"nce_layers": [0, 99]}}, "row cut: .*layer 99"),
        (
            {"options": {"n_blocks": 1, "nce_layers": [0, 24]}},
            "row cut: option nce_layers: .* 24 .* 0 to 23",
        ),
        (
            {"best": {"every": 2}, "training": {"snapshot_every": 3}},
            "training.snapshot_every .* give best.every alone",
        ),
        (
            {"best": {"every": 2}, "methods": {"cut": {"training": {"held_out": 3}}}},
            "methods.cut.training.held_out .* give best.held_out alone",
        ),
        (deviation(datset={"fid": FIVE}), "row of seed_deviation.coats2stripes 'datset'; known"),
        (deviation(copy={"fid": FIVE}), "seed_deviation.coats2stripes names copy, which no seed"),
        (deviation(cut={"fd": FIVE}), "score of seed_deviation.coats2stripes.cut 'fd'.* 'fid'"),
        (deviation(cut={"epoch_best": FIVE}), "unknown score of seed_deviation.*'epoch_best'"),
        ({"seeds": [0, 1], **deviation(cut={"fid": FIVE})}, "names cut, which has 2 seeds; leave"),
        (
            {"seed_deviation": {"coats2stripe": {"cut": {"fid": FIVE}}}},
            "data set of seed_deviation 'coats2stripe'; did you mean 'coats2stripes'",
        ),
        (
            deviation(cut={"fid": {**FIVE, "deviation": 0}}),
            "key seed_deviation.coats2stripes.cut.fid.deviation of the config is 0: input",
        ),
        (
            deviation(cut={"fid": {**FIVE, "deviation": True}}),
            "fid.deviation of the config is True",
        ),
        (
            deviation(cut={"fid": {**FIVE, "seeds": 1}}),
            "fid.seeds of the config is 1: input should",
        ),
        (deviation(cut={"fid": {"deviation": 3.0, "seeds": 5}}), "has no key .*cut.fid.source'"),
        (
            deviation(cut={"fid": {**FIVE, "devation": 1}}),
            "unknown key of .*cut.fid in the config 'devation'; did you mean 'deviation'",
        ),
    ],
)
def test_mistakes_are_one_sentence(change, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        make_plan({**GOOD, **change})
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 350


def test_a_data_set_that_is_not_known_may_be_ones_own():
    with pytest.raises(UserError) as near:
        make_plan({**GOOD, "datasets": ["coats2stripe"]})
    assert "did you mean 'coats2stripes'? Or give your own set's folder" in str(near.value)
    with pytest.raises(UserError, match="known: .*summer2winter; or give your own set's folder"):
        make_plan({**GOOD, "datasets": ["qqq"]})


SMALL = {"data_sources": {"coats2stripes": {"size": 32, "train": 8, "test": 5}}}


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"fid_weights": "no.pth"}, "fid_weights is 'no.pth', and there is no such file"),
        ({"segmenter": "no.pth"}, "segmenter is 'no.pth', and there is no such file"),
        ({"datasets": ["a"], "data_sources": {"a": "no"}}, "no file or folder no for data set a"),
        ({"datasets": ["maps"], "data_sources": {"maps": "no.zip"}}, "no file or folder no.zip"),
        ({"best": {"every": 1, "held_out": 7}}, "held_out is 7, but coats2stripes has 8 images"),
        ({"training": {"held_out": 1}}, "held_out is 1, but coats2stripes has 8 images in trainA"),
        ({"grid": {"names": ["0005"]}}, "unknown image in grid.names for coats2stripes '0005'"),
        (
            {"datasets": ["horse2zebra"], "grid": {"names": ["n02381460_1"]}},
            "in grid.names for horse2zebra 'n02381460_1'; did you mean 'n02381460_",
        ),
        (
            {"datasets": ["horse2zebra"], "grid": {"names": ["zebra"]}},
            "for horse2zebra 'zebra'; known: n[0-9_]+, n.* and 115 more$",
        ),
    ],
)
def test_what_the_files_can_not_give_is_one_sentence(change, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        inputs.check_inputs(make_plan({**GOOD, **SMALL, **change}))
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_what_the_files_give_passes(tmp_path):
    """Also the first and the last name that a generated set has, with and without its ending."""
    made = prepare(resolve("coats2stripes", {"size": 16, "train": 8, "test": 5}), tmp_path)
    names = [path.name for path in made.files("test", "source")]
    changes = {"best": {"every": 1, "held_out": 6}, "grid": {"names": [names[0], names[-1][:-4]]}}
    inputs.check_inputs(make_plan({**GOOD, **SMALL, **changes}))
    own = {**GOOD, "datasets": ["mine"], "data_sources": {"mine": str(tmp_path)}, **changes}
    inputs.check_inputs(make_plan(own))
    with pytest.raises(UserError, match="held_out is 7, but mine has 8 images in trainA"):
        inputs.check_inputs(make_plan({**own, "best": {"every": 1, "held_out": 7}}))


def test_a_set_that_is_here_needs_no_source_any_more(tmp_path):
    made = resolve("coats2stripes", {"size": 16, "train": 8, "test": 5})
    prepare(made, tmp_path / "images")
    archive = shutil.make_archive(str(tmp_path / "mine"), "zip", tmp_path / "images")
    entry = resolve("mine", archive)
    prepare(entry, tmp_path / "data" / "mine")
    before = known_source_digest(entry, tmp_path / "data" / "mine")
    assert before and before == source_digest(entry)
    own = {**GOOD, "datasets": ["mine"], "data": str(tmp_path / "data")}
    plan = make_plan({**own, "data_sources": {"mine": archive}})
    Path(archive).unlink()
    inputs.check_inputs(plan)
    refuse_other(entry, tmp_path / "data" / "mine")
    assert known_source_digest(entry, tmp_path / "data" / "mine") == before
    # A source that was moved, as with the whole project, is the same set's.
    refuse_other(resolve("mine", str(tmp_path / "images")), tmp_path / "data" / "mine")


def test_the_loops_own_options_stand_apart():
    training = {"log_every": 7, "batch_size": 2, "workers": 3, "threads": 2}
    row = make_plan({**GOOD, "training": training}).rows["cut"]
    assert row.training == {"batch_size": 2, "threads": 2}
    assert row.loop == {"log_every": 7, "workers": 3}
    assert row.threads == 5, "a core for each process that loads images"


def test_controls_run_once_and_not_once_a_seed():
    plan = make_plan({**GOOD, "run": ["copy", "cut", "real"], "seeds": [4, 5]})
    runs = [run.removeprefix("results/coats2stripes/") for run in plan.runs()]
    assert runs == ["copy/seed4", "cut/seed4", "cut/seed5", "real/seed4"]


def test_what_is_missing_is_named():
    with pytest.raises(UserError, match="no key 'run'"):
        make_plan({"datasets": ["coats2stripes"]})


def test_the_checked_in_schema_is_the_present_one(capsys):
    run_command("config", ["--schema"])
    printed = json.loads(capsys.readouterr().out)
    kept = json.loads((ROOT / "docs" / "schemas" / "config.schema.json").read_text())
    assert kept == printed, "python -m cut config --schema > docs/schemas/config.schema.json"
    assert all("description" in field for field in printed["properties"].values())


def test_unreadable_files_are_said(tmp_path):
    with pytest.raises(UserError, match="can't be read"):
        run_command("config", [str(tmp_path / "none.yaml")])
    (tmp_path / "torn.yaml").write_text("run: [cut\nsize: 3")
    with pytest.raises(UserError, match="torn.yaml is not YAML at line 2"):
        run_command("config", [str(tmp_path / "torn.yaml")])
    (tmp_path / "twice.yaml").write_text("run: [cut]\nbest:\n  every: 2\n  every: 3\n")
    with pytest.raises(UserError, match="not YAML at line 4: the key 'every' is given twice"):
        run_command("config", [str(tmp_path / "twice.yaml")])
    (tmp_path / "list.yaml").write_text("- cut")
    with pytest.raises(UserError, match="no mapping"):
        run_command("config", [str(tmp_path / "list.yaml")])


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"run: [caf\xe9]", "bad.yaml is not UTF-8"),
        (
            b"a: &a [1]\nb: [*a, *a]\n"
            + b"".join(
                b"c%d: &c%d [%s]\n" % (k, k, b", ".join([b"*c%d" % (k - 1) if k else b"1"] * 9))
                for k in range(12)
            ),
            "aliases stand for more than",
        ),
        (b"a: &a [*a]", "aliases stand for more than"),
        (b"[" * 1500, "nested too deep"),
        (b"seeds: [" + b"1" * 5000 + b"]", "can't be read as a config"),
        (b"day: 2024-02-31", "can't be read as a config"),
    ],
)
def test_files_that_no_parser_likes_are_sentences(tmp_path, content, says):
    (tmp_path / "bad.yaml").write_bytes(content)
    with pytest.raises(UserError, match=says) as caught:
        config.read(tmp_path / "bad.yaml")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


PATHS = ("results", "data", "fid_weights", "segmenter")


@pytest.mark.parametrize("key", PATHS)
@pytest.mark.parametrize("value", ["", " ", " x", "x ", "a{b}", "a\nb", "a\tb", "~nobody-here/x"])
def test_paths_that_no_workflow_carries_are_refused(key, value):
    with pytest.raises(UserError, match=f"key {key} of the config is"):
        make_plan({**GOOD, key: value})


@pytest.mark.parametrize("key", ["results", "data"])
@pytest.mark.parametrize("value", ["/", ".", "./", "..", "../..", "x/..", "//"])
def test_a_folder_that_holds_everything_is_refused(key, value):
    with pytest.raises(UserError, match=f"key {key} of the config is .*one of its own"):
        make_plan({**GOOD, key: value})


@pytest.mark.parametrize(
    ("results", "data", "fine"),
    [
        ("x", "x", False),
        ("x/", "./x", False),
        ("data/x", "data", False),
        ("x", "x/data", True),
        ("x", "x/tables", False),
        ("x", "x/coats2stripes", False),
        ("a/x", "a/y", True),
    ],
)
def test_results_and_data_do_not_mix(results, data, fine):
    asked = {**GOOD, "results": results, "data": data}
    if fine:
        assert make_plan(asked).config.results == results
    else:
        with pytest.raises(UserError, match="data is"):
            make_plan(asked)


def test_paths_are_tidied_and_the_home_folder_may_be_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    plan = make_plan({**GOOD, "results": "./x//y/", "data": "~/sets", "segmenter": "~/drn.pth"})
    assert plan.runs()[0] == "x/y/coats2stripes/copy/seed0"
    assert plan.config.data == f"{tmp_path}/sets"
    assert plan.config.segmenter == f"{tmp_path}/drn.pth"


def test_a_name_too_long_for_a_file_is_refused():
    with pytest.raises(UserError, match="80 characters"):
        make_plan({**GOOD, "run": ["x" * 81], **named("x" * 81)})


def test_merged_mappings_may_be_overridden(tmp_path):
    text = "a: &a {x: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: *b, x: 3}\n"
    (tmp_path / "merged.yaml").write_text(text)
    assert config.read(tmp_path / "merged.yaml") == {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 3}}


def test_scoring_along_the_way_is_asked_of_trained_rows_alone():
    plan = make_plan({**GOOD, "run": ["copy", "cut", "reinhard"], "best": {"every": 3}})
    assert plan.rows["cut"].training["snapshot_every"] == 3
    assert not plan.rows["copy"].training
    assert [Path(run).parent.name for run in plan.followed()] == ["cut"]
    assert make_plan(GOOD).followed() == []
