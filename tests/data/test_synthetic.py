"""The generated data set: the same everywhere, stripes on animals and nowhere else."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from command import run_command
from PIL import Image

from cut.base.errors import UserError
from cut.data import synthetic

# Of the pixels, not of the files: two zlibs compress alike images differently.
DIGEST = "4a54880ea27b27a46f10796da6ce4e8b60092895763afe513c1f0e12b0e16131"


def test_pixels_are_the_same_on_every_machine():
    digest = hashlib.sha256()
    for domain in ("source", "target"):
        for index in range(6):
            for array in synthetic.draw(0, "test", domain, index, 48):
                digest.update(array.tobytes())
    assert digest.hexdigest() == DIGEST


def test_only_the_animal_differs_from_its_counterpart():
    for index in range(20):
        scene = synthetic.draw(0, "test", "source", index, 64)
        outside = scene.mask == 0
        assert np.array_equal(scene.plain[outside], scene.striped[outside])
        inside = scene.mask == 255
        change = np.abs(scene.plain[inside].astype(int) - scene.striped[inside]).mean()
        assert change > 40
        assert 0.15 < inside.mean() < 0.5


def test_stripes_are_black_and_white_on_the_animal_alone():
    for index in range(20):
        scene = synthetic.draw(0, "train", "target", index, 64)
        inside = scene.mask == 255
        light = scene.striped.mean(axis=2)
        plain = scene.plain.mean(axis=2)
        assert light[inside].std() > 3 * plain[inside].std()
        assert 0.25 < (light[inside] < 90).mean() < 0.6, "black stripes"
        assert (light[inside] > 150).mean() > 0.2, "white stripes"
        assert (light[~inside & (scene.mask == 0)] < 45).mean() < 0.02, "black on the ground"


def test_domains_splits_and_seeds_are_independent_draws():
    drawn = [
        synthetic.draw(seed, split, domain, 0, 32).plain
        for seed in (0, 1)
        for split in ("train", "test")
        for domain in ("source", "target")
    ]
    for i, first in enumerate(drawn):
        assert not any(np.array_equal(first, other) for other in drawn[i + 1 :])


def test_scenes_vary_in_light_pose_scale_and_ground():
    some = [synthetic.draw(0, "train", "source", i, 48) for i in range(40)]
    assert np.std([s.plain[s.mask == 0].mean() for s in some]) > 4
    assert np.std([(s.mask == 255).mean() for s in some]) > 0.01
    centres = [np.argwhere(s.mask == 255)[:, 1].mean() for s in some]
    assert min(centres) < 24 < max(centres), "some face left, some right"


def test_a_scene_is_the_same_at_any_size():
    small, large = (synthetic.draw(3, "test", "source", 1, size).plain for size in (32, 128))
    shrunk = np.array(Image.fromarray(large).resize((32, 32), Image.Resampling.BOX))
    assert np.abs(shrunk.astype(int) - small).mean() < 4


def test_the_folders_are_a_whole_data_set(tmp_path):
    run_command("scenes", [str(tmp_path / "set"), "--size=32", "--train=3", "--test=2"])
    folders = (path for path in (tmp_path / "set").iterdir() if path.is_dir())
    counts = {f.name: len(list(f.glob("*.png"))) for f in folders}
    assert counts == dict(trainA=3, trainB=3, testA=2, testB=2, truthB=2, maskA=2)
    image = Image.open(tmp_path / "set" / "truthB" / "0001.png")
    assert np.array_equal(image, synthetic.draw(0, "test", "source", 1, 32).striped)


@pytest.mark.parametrize("flag", ["--size=8", "--train=0", "--test=0"])
def test_impossible_sets_are_refused(flag, tmp_path):
    with pytest.raises(UserError, match=r"is (8|0)"):
        run_command("scenes", [str(tmp_path / "set"), "--size=32", "--train=1", "--test=1", flag])
