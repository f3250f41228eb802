"""Sizes: what is read, and a rectangular greyscale set through every step of a benchmark."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from command import run_command
from PIL import Image
from standin import write_weights
from training_runs import OPTIONS, arguments

from cut.base.errors import UserError
from cut.base.image_size import height_width, in_words
from cut.base.images import read_image
from cut.data.dataset import Dataset
from cut.methods import registry
from cut.plan import plan
from cut.records.request import RequestRecord
from cut.training import train
from cut.training.options import training_options

COUNTS = {"trainA": 4, "trainB": 3, "testA": 2, "testB": 3}


@pytest.mark.parametrize(
    "given, expected",
    [(96, (96, 96)), ("96", (96, 96)), ("96x128", (96, 128)), ([96, 128], (96, 128))],
)
def test_a_size_is_a_number_or_height_and_width(given, expected):
    assert height_width(given) == expected
    assert height_width(in_words(given)) == expected


@pytest.mark.parametrize("wrong", ["96x", "x96", "", "96x96x3", "9.5", "-4", 9.5, True, None, []])
def test_what_is_no_size_is_one_sentence(wrong):
    with pytest.raises(UserError, match=r"--size is .*; give pixels, as 256, or HEIGHTxWIDTH"):
        height_width(wrong, "--size")


@pytest.fixture
def grey(tmp_path: Path) -> Path:
    """Return a prepared set of greyscale images of several shapes: 8 bits, 16 bits and JPEG."""
    rng = np.random.default_rng(0)
    for folder, n in COUNTS.items():
        (tmp_path / "grey" / folder).mkdir(parents=True)
        for k in range(n):
            blocks = rng.integers(0, 256, (3 + k, 5, 1), dtype=np.uint8).repeat(9, 0).repeat(11, 1)
            image = Image.fromarray(blocks[:, :, 0])
            if k == 1:
                image = Image.fromarray(blocks[:, :, 0].astype(np.uint16) * 257)
            name = f"{k}.jpg" if k == 2 else f"{k}.png"
            image.save(tmp_path / "grey" / folder / name)
    run_command("prepare", ["grey", f"--out={tmp_path}/data", f"--source={tmp_path}/grey"])
    return tmp_path / "data" / "dataset.json"


@pytest.mark.parametrize("method", ["cut", "fastcut", "cyclegan", "copy", "real"])
def test_rectangular_greyscale_images_pass_every_step(method, grey, tmp_path):
    run, test = tmp_path / "run", tmp_path / "test"
    options = {
        k: v for k, v in OPTIONS.items() if k in train.discover()[method].Options.model_fields
    }
    once = {"epochs_constant": 1, "epochs_decay": 1}
    assert run_command("train", arguments(grey, run, method, options, once, size="32x48")) == 0
    assert json.loads((run / "run.json").read_text())["size"] == [32, 48]
    run_command("translate", [f"--dataset={grey}", f"--run={run}", "--device=cpu"])
    run_command("export", [str(grey), str(test), "--size=32x48"])
    shown = [*(run / "translated").glob("*.png"), *test.rglob("*.png")]
    assert len(shown) == (COUNTS["testA"] * 2 + COUNTS["testB"])
    for path in shown:
        assert Image.open(path).mode == "RGB" and Image.open(path).size == (48, 32)
    source = np.asarray(read_image(test / "source" / "0.png"))
    assert (source == source[:, :, :1]).all(), "greyscale is three equal channels"
    run_command(
        "report figures", ["grid", f"--out={tmp_path}/grid.png", f"--test={test}", str(run)]
    )
    if method == "cut":
        weights = write_weights(tmp_path / "weights.pth")
        run_command(
            "score",
            [
                str(test / "target"),
                str(run / "translated"),
                f"--fid-weights={weights}",
                f"--json={tmp_path}/scores.json",
            ],
        )
        scored = json.loads((tmp_path / "scores.json").read_text())
        assert scored["scores"]["fid"] > 0
        assert scored["protocol"]["fake"]["size"] == [32, 48]


def test_both_sides_get_room_to_crop(grey, tmp_path):
    dataset = Dataset.load(grey)
    method = registry.build_method("cut", OPTIONS, 0)

    def load(**training):
        given = {"epochs_constant": 1, **training}
        options = training_options(type(method), given, (64, 128))
        trainer = train.Trainer(
            method,
            dataset,
            options,
            tmp_path,
            request=RequestRecord(dataset=str(grey), row="cut", method="cut"),
            size=(64, 128),
            device=train.choose_device("cpu"),
        )
        return trainer.loop.augmentation(1).load, trainer.loop.augmentation(2).load

    assert load() == ((72, 143), (64, 128))  # 64 and 128 times 286/256, then none
    assert load(load_size="70x140") == ((70, 140), (64, 128))
    assert load(load_size=[70, 140]) == ((70, 140), (64, 128))
    with pytest.raises(UserError, match="load_size 100 "):
        load(load_size=100)


@pytest.mark.parametrize(
    "size, sentence",
    [
        ("96x", "size is '96x'; give pixels"),
        ("0", "size 0x0 has a side under one pixel"),
        ("32x30", "size 32x30 is no multiple of 4, which cut needs"),
    ],
)
def test_sizes_that_no_network_takes_are_one_sentence(size, sentence, grey, tmp_path):
    with pytest.raises(UserError, match=sentence) as caught:
        run_command("train", arguments(grey, tmp_path / "run", size=size))
    assert "\n" not in str(caught.value)


def test_a_config_takes_a_rectangle_and_plans_the_same_for_a_square():
    given = {"datasets": ["coats2stripes"], "run": ["cut"]}
    sizes = [
        plan.make_plan({**given, "size": size}).config.size
        for size in (64, "64", [64, 64], "64x64", "64x96", [64, 96])
    ]
    assert sizes == [64, 64, 64, 64, "64x96", "64x96"]
    for size, says in {
        "96x": "key size of the config is '96x': give pixels, as 256, or HEIGHTxWIDTH",
        0: "key size of the config is 0: ",
        "8x64": "key size of the config is '8x64': a side has to have 16 pixels or more",
        "64x66": "size 64x66 is no multiple of 4, which cut needs",
    }.items():
        with pytest.raises(UserError, match=says):
            plan.make_plan({**given, "size": size})
