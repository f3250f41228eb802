"""The configurations in `config/`: each is sound, with the settings of its page."""

from __future__ import annotations

import pytest
from command import run_command
from conftest import ROOT

from cut.data.prepare import refuse_other
from cut.plan import config, inputs
from cut.plan.plan import make_plan
from cut.results.published import published_settings


@pytest.mark.parametrize("name", sorted(p.name for p in (ROOT / "config").glob("*.yaml")))
def test_every_config_here_can_be_planned_without_its_archives(name, tmp_path):
    plan = make_plan(config.read(ROOT / "config" / name))
    inputs.check_inputs(plan)
    for entry in plan.entries.values():
        refuse_other(entry, tmp_path / entry.name)


@pytest.mark.parametrize("path", sorted((ROOT / "config").glob("*.yaml")), ids=lambda p: p.stem)
def test_every_config_of_the_project_is_sound(path, capsys):
    assert run_command("config", [str(path)]) == 0
    assert "runs" in capsys.readouterr().out


def test_table_1_has_the_authors_settings_on_each_set():
    names = ("table1", "table1-cityscapes")
    first, second = (make_plan(config.read(ROOT / "config" / f"{name}.yaml")) for name in names)
    assert {*first.entries, *second.entries} == {"cityscapes", "cat2dog", "horse2zebra"}
    assert first.config.run == second.config.run
    weights = [plan.rows["gcgan"].every_option["lambda_identity"] for plan in (first, second)]
    assert weights == [5, 3]
    for plan in (first, second):
        assert plan.rows["munit"].every_training["load_size"] == plan.config.size == 256
        drit = plan.rows["drit"].every_training
        assert (drit["load_size"], drit["crop_size"]) == (256, 216)
        assert plan.rows["drit"].every_option["mode_seeking"]
        batches = {name: row.every_training.get("batch_size") for name, row in plan.rows.items()}
        assert (batches["distancegan"], batches["drit"], batches["selfdistance"]) == (2, 2, 1)


@pytest.fixture(scope="module")
def successors():
    """Return the configs of the methods after CUT, by what follows in their names."""
    paths = sorted((ROOT / "config").glob("successors*.yaml"))
    return {path.stem.removeprefix("successors").strip("-"): config.read(path) for path in paths}


def test_the_methods_after_cut_are_the_same_rows_at_every_scale(successors):
    assert set(successors) == {"", "cityscapes", "demo", "horse2zebra-64"}
    first, *others = (given["run"] for given in successors.values())
    assert all(other == first for other in others)
    assert {"copy", "gan-alone", "cut", "real"} <= set(first) and len(first) >= 13
    sets = [name for key in ("", "cityscapes") for name in successors[key]["datasets"]]
    assert sorted(sets) == ["cat2dog", "cityscapes", "horse2zebra"]


def test_the_methods_after_cut_have_the_authors_settings_on_each_set(successors):
    for key, dataset in (("", "horse2zebra"), ("", "cat2dog"), ("cityscapes", "cityscapes")):
        plan = make_plan(successors[key])
        for row in (plan.rows[name] for name in plan.config.run):
            known = published_settings(row.name, dataset)
            assert row.every_option == known.options, row.name
            lengths = ("epochs_constant", "epochs_decay", "batch_size") * bool(row.every_training)
            assert all(row.every_training[key] == known.training[key] for key in lengths), row.name


def test_the_variance_of_the_demo_is_that_of_its_rows():
    demo, many = (
        make_plan(config.read(ROOT / "config" / f"{name}.yaml"))
        for name in ("config", "variance-demo")
    )
    assert many.config.run == demo.config.run and len(many.config.seeds) == 5
    assert many.config.data_sources == demo.config.data_sources
    assert many.config.size == demo.config.size
    kept = {"snapshot_every": many.config.best.every}
    for name, row in demo.rows.items():
        assert many.rows[name].every_option == row.every_option
        changed = kept if row.trained else {}
        assert many.rows[name].every_training == row.every_training | changed


@pytest.mark.parametrize(
    "path", sorted((ROOT / "config").glob("ablation*.yaml")), ids=lambda p: p.stem
)
def test_an_ablation_has_the_gan_alone(path):
    plan = make_plan(config.read(path))
    cut, alone = (plan.rows[name].every_option for name in ("cut", "gan-alone"))
    assert alone == cut | {"lambda_nce": 0, "identity": False}
    assert plan.config.run[1] == "cut", "the variant that the others are compared with"
