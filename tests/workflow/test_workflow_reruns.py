"""Changes that rerun jobs, changes that do not, and configurations that are refused."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, write_photos
from standin import write_weights
from workflow_runs import TINY, job_counts, snakemake

from cut.base.errors import UserError
from cut.data.prepare import MARK, made_from, prepare, refuse_other
from cut.data.registry import resolve

# One worker runs these in order, beside those of test_workflow.py: Snakemake takes both cores.
pytestmark = [pytest.mark.xdist_group("workflow"), pytest.mark.slow]
TRAINING = {"epochs_constant": 1, "epochs_decay": 0}


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, dict]:
    """Return a folder in which one row was trained on a folder of images, and its config."""
    folder = tmp_path_factory.mktemp("own")
    for seed, name in enumerate(("trainA", "trainB", "testA", "testB")):
        write_photos(folder / "images" / name, 4, seed=seed)
    config = {
        **TINY,
        "datasets": ["mine"],
        "data_sources": {"mine": str(folder / "images")},
        "run": ["cut", "reinhard"],
        "training": TRAINING,
        "results": "results/own",
        "replace": True,
    }
    del config["best"]
    code, output = snakemake(folder, "--until", "train", "external_translate", config=config)
    assert code == 0, output
    return folder, config


def planned(trained: tuple[Path, dict], **changes: object) -> dict[str, int]:
    """Return the jobs up to the trainings that a changed config asks for; the sum left out."""
    folder, config = trained
    until = ("--until", "train", "external_translate")
    code, output = snakemake(folder, "--dry-run", *until, config={**config, **changes})
    assert code == 0, output
    assert "Job stats:" in output or "Nothing to be done" in output, output
    return {rule: n for rule, n in job_counts(output).items() if rule != "total"}


@pytest.mark.parametrize("kind", ["changed", "added", "removed"])
def test_changed_images_rerun_the_set_and_its_rows(trained, kind):
    folder = trained[0] / "images" / "trainA"
    image = folder / "000.png"
    kept, times = image.read_bytes(), image.stat()
    if kind == "changed":
        shutil.copyfile(folder / "001.png", image)
    elif kind == "added":
        shutil.copyfile(image, folder / "new.png")
    else:
        image.unlink()
    counts = planned(trained)
    (folder / "new.png").unlink(missing_ok=True)
    image.write_bytes(kept)
    os.utime(image, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert counts["dataset"] == counts["train"] == counts["external_train"] == 1


def test_loop_options_without_effect_train_nothing_again(trained):
    loop = {"log_every": 7, "checkpoint_minutes": 1, "tensorboard": True, "workers": 1}
    loop |= {"cache_images": True}
    assert planned(trained, training={**TRAINING, **loop}) == {}
    assert planned(trained, methods={"cut": {"training": loop}}) == {}
    assert planned(trained, training={**TRAINING, "flip": False}) == {"train": 1}


def test_changed_options_run_commands_again(trained):
    counts = planned(trained, methods={"reinhard": {"options": {"strength": 0.5}}})
    assert counts == {"external_train": 1, "external_translate": 1}


def test_the_loops_options_reach_the_training(trained):
    folder, config = trained
    given = {**config, "run": ["cut"], "training": {**TRAINING, "log_every": 3}, "results": "again"}
    code, output = snakemake(folder, "--until", "train", config=given)
    assert code == 0, output
    request = json.loads((folder / "again" / "mine" / "cut" / "seed0" / "request.json").read_text())
    assert request["training"] == {**TRAINING, "log_every": 3}
    record = json.loads((folder / "again" / "mine" / "cut" / "seed0" / "run.json").read_text())
    assert record["training"]["log_every"] == 3 and record["training"]["epochs_constant"] == 1


def test_another_source_for_a_prepared_set_is_refused(trained):
    folder, config = trained
    other = folder / "others"
    shutil.copytree(folder / "images", other, dirs_exist_ok=True)
    sources = {"mine": {"source": str(other), "direction": "BtoA"}}
    changed = {**config, "data_sources": sources, "results": "results/other"}
    code, output = snakemake(folder, "--dry-run", config=changed)
    assert code != 0 and "Traceback" not in output
    assert f"with direction AtoB, source {folder / 'images'}" in output
    assert f"direction BtoA, source {other}" in output
    code, output = snakemake(folder, "--dry-run", config={**changed, "data": "data-2"})
    assert code == 0 and job_counts(output)["dataset"] == 1, output


def test_a_registered_set_is_the_same_from_any_source():
    brought = resolve("horse2zebra", "elsewhere/horse2zebra.zip")
    assert made_from(brought) == made_from(resolve("horse2zebra"))
    small = resolve("coats2stripes", {"size": 32})
    assert made_from(small) != made_from(resolve("coats2stripes"))


def test_a_set_with_half_a_mark_is_made_again(tmp_path):
    small, other = (resolve("coats2stripes", {"size": n, "train": 2, "test": 2}) for n in (16, 24))
    prepare(small, tmp_path)
    mark = tmp_path / MARK
    kept = json.loads(mark.read_text())
    mark.write_text(json.dumps({key: kept[key] for key in kept if key != "made_from"}))
    refuse_other(other, tmp_path)
    prepare(small, tmp_path)
    assert json.loads(mark.read_text()).keys() == kept.keys()
    with pytest.raises(UserError, match="size 16.* size 24"):
        refuse_other(other, tmp_path)
    refuse_other(small, tmp_path)


def test_a_set_prepared_by_hand_with_other_settings_is_refused(tmp_path):
    small = resolve("coats2stripes", {"size": 16, "train": 2, "test": 2})
    prepare(small, tmp_path / "data" / "coats2stripes")
    code, output = snakemake(tmp_path, "--dry-run", config=TINY)
    assert code != 0
    assert re.search("size 16, train 2, test 2.* size 32", output)


def test_weights_of_one_config_leave_the_shared_record_alone(trained):
    folder, config = trained
    shared = folder / "data" / "inception.json"
    shared.write_text("{}")
    (folder / "wrong.pth").write_bytes(b"no weights")
    given = {**config, "fid_weights": "wrong.pth"}
    code, output = snakemake(folder, "--until", "inception", config=given)
    assert code != 0 and "wrong.pth" in output
    assert shared.read_text() == "{}"
    shared.unlink()


def test_weights_that_another_file_replaced_are_looked_at_again(trained):
    folder, config = trained
    weights = write_weights(folder / "mine.pth")
    given = {**config, "fid_weights": "mine.pth", "results": "results/weights"}
    code, output = snakemake(folder, "--until", "inception", config=given)
    assert code == 0, output
    write_weights(weights, seed=1)
    os.utime(weights, (0, 0))  # older than the record of it
    code, output = snakemake(folder, "--dry-run", "--until", "inception", config=given)
    assert code == 0 and job_counts(output)["inception"] == 1, output


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"fid_weights": "none.pth"}, "fid_weights is 'none.pth', and there is no such file"),
        ({"data_sources": {"mine": "nowhere"}}, "there is no file or folder nowhere"),
        ({"grid": {"names": ["004"]}}, "unknown image in grid.names for mine '004'"),
    ],
)
def test_missing_files_are_reported_before_anything_runs(trained, change, sentence):
    folder, config = trained
    code, output = snakemake(folder, "--dry-run", config={**config, **change})
    assert code != 0 and sentence in output and "Traceback" not in output, output


def test_the_workflow_refuses_a_key_given_twice(tmp_path):
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(TINY) + "size: 64\n")
    code, output = snakemake(tmp_path, "--dry-run")
    assert code != 0 and "the key 'size' is given twice" in output


def test_a_training_asks_for_the_cores_of_its_loaders(trained):
    folder, config = trained
    given = {**config, "training": {**TRAINING, "threads": 2, "workers": 3}, "results": "cores"}
    code, output = snakemake(folder, "--dry-run", "--cores=8", config=given)
    assert code == 0, output
    _, _, train = output.partition("rule train:")
    assert "threads: 5\n" in train.partition("\n\n")[0]


def test_the_cluster_profile_sets_resources_of_trainings_and_no_local_rules():
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "profile.yaml").read_text())
    given = profile["set-resources"]
    assert given["external_train"]["runtime"] == given["train"]["runtime"]
    rules = {}
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        for text in path.read_text().split("\nrule ")[1:]:
            rules[text.partition(":")[0]] = text
    local = {name for name, text in rules.items() if "localrule: True" in text}
    assert local == {"dataset", "inception", "networks"}  # they fetch
    assert not local & set(given), "a rule that runs where Snakemake does has no use for a node's"
