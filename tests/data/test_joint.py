"""Joint images of the pix2pix layout, and true counterparts by name."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
from command import run_command
from conftest import SHARED
from PIL import Image
from small_sets import make_set, own, pack

from cut.base.errors import UserError
from cut.base.images import read_image
from cut.data import export
from cut.data.prepare import prepare
from cut.data.registry import FOLDERS, resolve
from cut.metrics import paired

FACADES = SHARED / "data" / "facades.zip"


def make_joint(root: Path, **splits: int) -> Path:
    """Write joint images of noise, 24x12: the name of each split to a number of images."""
    rng = np.random.default_rng(0)
    for split, n in splits.items():
        (root / split).mkdir(parents=True)
        for k in range(n):
            pixels = rng.integers(0, 256, (12, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / split / f"{k}.png")
    return root


@pytest.mark.parametrize(("joint", "left"), [("AB", "A"), ("BA", "B")])
@pytest.mark.parametrize("form", ["folder", "zip"])
def test_each_domain_has_its_half(joint, left, form, tmp_path):
    root = make_joint(tmp_path / "pix", train=3, val=2, test=2)
    source = root if form == "folder" else pack(root, tmp_path / "pix.zip", "pix")
    dataset = own(source, tmp_path / "data", joint=joint, direction="BtoA")
    assert dataset.counts == {"testA": 2, "testB": 2, "trainA": 3, "trainB": 3}
    for name in dataset.images:
        folder, file = name.split("/")
        whole = np.asarray(Image.open(root / folder[:-1] / file))
        half = whole[:, :12] if folder[-1] == left else whole[:, 12:]
        assert np.array_equal(np.asarray(Image.open(dataset.root / name)), half)
    truths = dataset.truths()
    assert truths == {stem: dataset.root / "testA" / f"{stem}.png" for stem in ("0", "1")}


def test_val_is_the_test_set_of_a_source_without_test(tmp_path):
    root = make_joint(tmp_path / "pix", train=3, val=2)
    assert own(root, tmp_path / "data", joint="AB").counts["testA"] == 2
    make_joint(root, test=3)
    assert own(root, tmp_path / "data", joint="AB").counts["testA"] == 3
    chosen = {"testA": "val", "testB": "val"}
    assert own(root, tmp_path / "other", joint="AB", folders=chosen).counts["testA"] == 2


def test_joint_images_that_cannot_be_split_are_refused(tmp_path):
    root = make_joint(tmp_path / "pix", train=2, test=2)
    Image.new("RGB", (25, 12)).save(root / "test" / "0.png")
    with pytest.raises(UserError, match=r"test./0\.png is 25x12"):
        own(root, tmp_path / "data", joint="AB")
    Image.fromarray(np.full((12, 24), 40_000, np.uint16)).save(root / "test" / "0.png")
    with pytest.raises(UserError, match="bits"):
        own(root, tmp_path / "data", joint="AB")
    with pytest.raises(UserError, match="joint"):
        own(root, tmp_path / "data", joint="CB")
    with pytest.raises(UserError, match="no images in train val"):
        own(
            make_joint(tmp_path / "half", train=2),
            tmp_path / "data",
            joint="AB",
            folders={"testA": "val", "testB": "val"},
        )


def test_joint_images_of_twelve_bits_are_scaled_and_split(tmp_path):
    root = make_joint(tmp_path / "pix", train=2, test=2)
    values = np.repeat(np.array([[0, 4095]], np.uint16), 12, axis=1)
    for path in root.rglob("*.png"):
        Image.fromarray(np.repeat(values, 12, axis=0)).save(path)
    dataset = own(root, tmp_path / "data", joint="BA", bits=12)
    a, b = (np.asarray(read_image(dataset.root / f"train{x}" / "0.png")) for x in "AB")
    assert (a == 255).all() and (b == 0).all()


def test_equal_names_are_counterparts_only_where_that_is_said(tmp_path):
    root = make_set(tmp_path / "mine", trainA=2, trainB=2, testA=2, testB=2)
    assert own(root, tmp_path / "data").truths() is None
    dataset = own(root, tmp_path / "data", paired=True)
    assert dataset.truths() == {k: root / "testB" / f"{k}.png" for k in "01"}
    for letter in "AB":  # as in CycleGAN's maps
        for k in "01":
            (root / f"test{letter}" / f"{k}.png").rename(
                root / f"test{letter}" / f"{k}_{letter}.png"
            )
    dataset = own(root, tmp_path / "data", paired=True)
    assert dataset.truths() == {f"{k}_A": root / "testB" / f"{k}_B.png" for k in "01"}
    (root / "testB" / "1_B.png").rename(root / "testB" / "2_B.png")
    with pytest.raises(UserError, match="1_A.png has no counterpart"):
        own(root, tmp_path / "data", paired=True)


def test_the_registry_names_pairs_that_a_copy_may_lack(tmp_path, capsys):
    root = make_set(tmp_path / "mine", trainA=2, trainB=2, testA=2, testB=3)
    settings = {"source": str(root), "counts": {"testB": 3}}
    assert prepare(resolve("facades", settings), tmp_path / "data").truths() is None
    assert "no true counterparts" in capsys.readouterr().out


def some_facades(root: Path) -> dict[str, int]:
    """Write three facades of each folder."""
    with zipfile.ZipFile(FACADES) as archive:
        archive.extractall(root, [f"{folder}/{k}.jpg" for folder in FOLDERS for k in (1, 2, 3)])
    return dict.fromkeys(FOLDERS, 3)


@pytest.mark.skipif(not FACADES.is_file(), reason="no ../shared/data/facades.zip")
def test_facades_have_counterparts_in_both_layouts(tmp_path, capsys):
    counts = some_facades(tmp_path / "four")
    four = prepare(
        resolve("facades", {"source": str(tmp_path / "four"), "counts": counts}), tmp_path / "a"
    )
    for split in ("train", "test"):  # photograph left, labels right, as in the pix2pix archive
        (tmp_path / "pix" / split).mkdir(parents=True)
        for k in (1, 2, 3):
            halves = [read_image(tmp_path / "four" / f"{split}{x}" / f"{k}.jpg") for x in "AB"]
            whole = np.concatenate([np.asarray(half) for half in halves], axis=1)
            Image.fromarray(whole).save(tmp_path / "pix" / split / f"{k}.png")
    settings = {"source": str(tmp_path / "pix"), "counts": counts, "joint": "AB"}
    joint = prepare(resolve("facades", settings), tmp_path / "b")
    for dataset in (four, joint):
        assert (dataset.source, dataset.target) == ("label", "photo")
        truth = dataset.truths()["2"]
        known = read_image(tmp_path / "four" / "testA" / "2.jpg")
        assert read_image(truth).tobytes() == known.tobytes()
    export.export(joint, tmp_path / "test", 64)
    folders = [sorted((tmp_path / "test" / name).iterdir()) for name in ("source", "truth")]
    apart = paired.compare(*folders)
    assert 0.1 < apart["l1"].mean() < 0.6, "labels are far from their photographs"
    assert apart["ssim"].mean() < 0.5
    same = paired.compare(folders[1], folders[1])
    assert (same["l1"] == 0).all() and same["ssim"] == pytest.approx(1.0)


def test_a_dry_run_says_what_is_split_and_paired(tmp_path, capsys):
    root = make_joint(tmp_path / "pix", train=2, test=2)
    arguments = ["mine", f"--out={tmp_path}/data", "--dry-run", "--source", str(root)]
    assert run_command("prepare", [*arguments, "--set", "joint=BA"]) == 0
    said = capsys.readouterr().out
    assert "B left and A right" in said and "counterparts" in said
