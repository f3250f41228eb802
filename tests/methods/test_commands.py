"""Methods of commands: their method.yaml, the checks of their output, the example."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from command import run_command
from conftest import ROOT
from fake_runs import picture, write_images
from PIL import Image

import baselines
from cut.base.errors import UserError
from cut.methods import commands
from cut.methods.code_digest import code_digest
from cut.methods.registry import discover
from cut.plan.plan import make_plan
from cut.records.images import ExportRecord
from cut.records.request import RequestRecord
from cut.training import external_record

REINHARD = ROOT / "baselines" / "reinhard"
SPEC = "summary: a test\noptions:\n  k: {type: int, default: 3, ge: 1, description: x}\n"


def folder(path, text):
    path.mkdir()
    (path / "method.yaml").write_text(text)
    (path / "environment.yaml").write_text("dependencies: [python]\n")
    return path


def test_a_folder_with_commands_is_a_method(tmp_path, monkeypatch):
    folder(tmp_path / "mine", SPEC + "translate: run {input} {output} -k {k}\n")
    monkeypatch.setattr(baselines, "__path__", [*baselines.__path__, str(tmp_path)])
    method = discover()["mine"]
    assert method.summary == "a test" and not method.trained
    config = {"datasets": ["coats2stripes"], "run": ["mine"]}
    row = {"methods": {"mine": {"options": {"k": 5}}}}
    commands = make_plan({**config, **row}).rows["mine"].commands
    line = commands.command("translate", {"input": "a b", "output": "c;d"})
    assert line == "run 'a b' 'c;d' -k 5"
    assert commands.command("train", {}) == "", "a method without training"
    with pytest.raises(UserError, match=r"k .*mine.* 0"):
        make_plan({**config, "methods": {"mine": {"options": {"k": 0}}}})
    with pytest.raises(UserError, match="mine"):
        method(method.Options()).outputs(None, (8, 8), 1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("- 1\n", "mapping"),
        ("summary: x\n", "translate"),
        (SPEC + "translate: x\nextra: 1\n", "extra"),
        (SPEC + "translate: run {inptu}\n", "{inptu}"),
        (SPEC + "train: run {output}\ntranslate: x\n", "{output}"),
    ],
)
def test_a_damaged_method_yaml_is_a_broken_plugin(tmp_path, monkeypatch, text, words):
    folder(tmp_path / "mine", text)
    monkeypatch.setattr(baselines, "__path__", [*baselines.__path__, str(tmp_path)])
    registry = discover()
    assert words in registry.broken["mine"] and "reinhard" in registry.methods


def test_an_environment_is_required(tmp_path):
    (folder(tmp_path / "mine", SPEC + "translate: x\n") / "environment.yaml").unlink()
    with pytest.raises(UserError, match=r"environment\.yaml"):
        commands.load(tmp_path / "mine")


def test_the_code_digest_is_of_every_file_in_the_folder(tmp_path):
    shutil.copytree(REINHARD, tmp_path / "reinhard")
    method = commands.load(tmp_path / "reinhard")
    before = code_digest(method)
    (tmp_path / "reinhard" / "__pycache__").mkdir(exist_ok=True)
    (tmp_path / "reinhard" / "__pycache__" / "x.pyc").write_text("x")
    assert code_digest(method) == before
    (tmp_path / "reinhard" / "method.yaml").write_text("changed")
    assert code_digest(method) != before


def test_whole_translations_pass(tmp_path):
    out = write_images(tmp_path / "out", 3)
    digests = external_record.check_translations(out, ["img_0", "img_1", "img_2"], (24, 24))
    assert list(digests) == ["img_0.png", "img_1.png", "img_2.png"]
    assert all(len(value) == 64 for value in digests.values())


@pytest.mark.parametrize(
    ("names", "size", "words"),
    [
        (["img_0", "img_1", "img_2", "img_3"], (24, 24), "img_3.png"),
        (["img_0", "img_1"], (24, 24), "img_2.png"),
        (["img_0", "img_1", "img_2"], (24, 32), r"img_0.png .*24x24.*24x32"),
    ],
)
def test_wrong_translations_are_refused(tmp_path, names, size, words):
    out = write_images(tmp_path / "out", 3)
    with pytest.raises(UserError, match=words):
        external_record.check_translations(out, names, size)


def test_a_damaged_translation_is_named(tmp_path):
    out = write_images(tmp_path / "out", 2)
    (out / "img_1.png").write_bytes(b"")
    with pytest.raises(UserError, match=r"img_1\.png"):
        external_record.check_translations(out, ["img_0", "img_1"], (24, 24))


def test_the_record_has_options_code_and_seconds(tmp_path):
    write_images(tmp_path / "test" / "source", 2)
    ExportRecord(
        dataset="d", dataset_digest="f" * 64, split="test", size=(24, 24), counts={"source": 2}
    ).write(tmp_path / "test" / "manifest.json")
    run = tmp_path / "run"
    write_images(run / "translated", 2)
    for stage, seconds in (("train", "1.5"), ("translate", "0.25")):
        (tmp_path / f"{stage}.tsv").write_text(f"s\tmax_rss\n{seconds}\t-\n")
    request = RequestRecord(
        dataset="d.json", row="half", method="reinhard", options={"strength": 0.5}
    )
    request.write(run / "request.json")
    measured = [tmp_path / "train.tsv", tmp_path / "translate.tsv"]
    arguments = [run / "request.json", "--test", tmp_path / "test", "--measured", *measured]
    assert run_command("external record", arguments) == 0
    facts = json.loads((run / "run.json").read_text())
    assert facts["method"] == "half" and facts["options"] == {"strength": 0.5}
    assert facts["train_seconds"] == 1.75
    assert facts["code_digest"] == code_digest(discover()["reinhard"])


def reinhard(*arguments):
    script = REINHARD / "colour_transfer.py"
    subprocess.run(
        [sys.executable, str(script), *map(str, arguments)], check=True, capture_output=True
    )


def test_colour_transfer_moves_colours_and_nothing_else(tmp_path):
    """Between images of one colour the result is the target's colour, whatever the space."""
    for name, colour in (("target", (200, 90, 40)), ("input", (30, 160, 90))):
        (tmp_path / name).mkdir()
        Image.new("RGB", (9, 5), colour).save(tmp_path / name / "a.png")
    (tmp_path / "out").mkdir()
    reinhard("train", tmp_path / "target", tmp_path / "c.json")
    for strength, want in ((1, (200, 90, 40)), (0, (30, 160, 90))):
        reinhard(
            "translate",
            tmp_path / "input",
            tmp_path / "c.json",
            tmp_path / "out",
            "--strength",
            strength,
        )
        got = np.asarray(Image.open(tmp_path / "out" / "a.png"))
        assert got.shape == (5, 9, 3)
        assert np.abs(got - np.array(want)).max() <= 1


def test_colour_transfer_takes_the_targets_contrast(tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "input").mkdir()
    (tmp_path / "out").mkdir()
    picture(1).save(tmp_path / "target" / "a.png")
    flat = picture(1).point(lambda level: 100 + level // 8)
    flat.save(tmp_path / "input" / "a.png")
    reinhard("train", tmp_path / "target", tmp_path / "c.json")
    reinhard("translate", tmp_path / "input", tmp_path / "c.json", tmp_path / "out")
    spread = {
        n: np.asarray(Image.open(tmp_path / n / "a.png")).std() for n in ("target", "input", "out")
    }
    assert abs(spread["out"] - spread["target"]) < 0.35 * (spread["target"] - spread["input"])
