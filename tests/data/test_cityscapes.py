"""Cityscapes from its two archives: made-up street scenes in the official layout."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from command import run_command
from PIL import Image
from small_sets import make_set, pack

from cut.base.errors import UserError
from cut.data import export, prepare
from cut.data.dataset import Dataset
from cut.data.registry import resolve
from cut.plan.plan import make_plan

COUNTS = {"trainA": 3, "trainB": 3, "testA": 2, "testB": 2}
PREPARED = {**COUNTS, "labelsB": 2}
SCENES = [
    "train/aachen_0",
    "train/aachen_1",
    "train/ulm_0",
    "val/frankfurt_0",
    "val/lindau_0",
    "test/berlin_0",
]


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """Return a folder with both archives, 64x32 (width x height), as they are given out."""
    rng = np.random.default_rng(0)
    for scene in SCENES:
        split, name = scene.split("/")
        city = name.partition("_")[0]
        for kind, endings in {
            "leftImg8bit": ["leftImg8bit.png"],
            "gtFine": ["gtFine_color.png", "gtFine_labelIds.png", "gtFine_instanceIds.png"],
        }.items():
            for ending in endings:
                folder = tmp_path / "raw" / kind / kind / split / city
                folder.mkdir(parents=True, exist_ok=True)
                pixels = rng.integers(0, 256, (32, 64, 3), dtype=np.uint8)
                if kind == "gtFine":
                    pixels = pixels[:8, :8].repeat(4, 0).repeat(8, 1)
                if "Ids" in ending:
                    pixels = pixels[..., 0] % 34
                image = Image.fromarray(pixels)
                if ending == "gtFine_color.png":
                    image.putalpha(255)  # as in Cityscapes
                image.save(folder / f"{name}_000019_{ending}")
    both = tmp_path / "both"
    both.mkdir()
    for kind in ("leftImg8bit", "gtFine"):
        (tmp_path / "raw" / kind / "README").write_text("terms")
        pack(tmp_path / "raw" / kind, both / f"{kind}_trainvaltest.zip", "")
    return both


def own(out: Path, **settings: object) -> Dataset:
    return prepare.prepare(resolve("cityscapes", {"counts": COUNTS, **settings}), out)


def pair(official: Path) -> dict[str, str]:
    return {kind: str(official / f"{kind}_trainvaltest.zip") for kind in ("gtFine", "leftImg8bit")}


def test_labels_become_photos_by_the_official_splits(official, tmp_path):
    dataset = own(tmp_path / "data", **pair(official))
    assert dataset.counts == dict(sorted(PREPARED.items()))
    assert (dataset.source, dataset.target, dataset.direction) == ("label", "photo", "BtoA")
    names = {name for name in dataset.images if name.startswith("test")}
    assert names == {
        f"test{letter}/{city}_0_000019.jpg" for letter in "AB" for city in ("frankfurt", "lindau")
    }
    raw = tmp_path / "raw"
    for letter, kind, ending in (("A", "leftImg8bit", ""), ("B", "gtFine", "_color")):
        source = raw / kind / kind / "val" / "lindau" / f"lindau_0_000019_{kind}{ending}.png"
        expected = Image.open(source).convert("RGB").resize((256, 256), Image.Resampling.BICUBIC)
        found = Image.open(dataset.root / f"test{letter}" / "lindau_0_000019.jpg")
        assert found.size == (256, 256)
        assert all(layer[1:3] == (1, 1) for layer in found.layer), "chroma isn't subsampled"
        assert max(max(table) for table in found.quantization.values()) == 1, "quality 100"
        assert np.abs(np.asarray(found, int) - np.asarray(expected, int)).mean() < 1
    record = json.loads((tmp_path / "data" / "dataset.json").read_text())
    assert record["options"] == {"size": 256, "filter": "bicubic", "quality": 100}
    assert str(tmp_path) not in (tmp_path / "data" / "dataset.json").read_text()


def test_label_ids_are_kept_as_they_are(official, tmp_path):
    """For scoring; what is trained on is made without them."""
    dataset = own(tmp_path / "data", **pair(official))
    labels = dataset.labels()
    assert sorted(labels) == ["frankfurt_0_000019", "lindau_0_000019"]
    raw = tmp_path / "raw/gtFine/gtFine/val/lindau/lindau_0_000019_gtFine_labelIds.png"
    assert labels["lindau_0_000019"].read_bytes() == raw.read_bytes()
    assert export.export(dataset, tmp_path / "test", 16)["labels"] == 2
    exported = Image.open(tmp_path / "test" / "labels" / "lindau_0_000019.png")
    assert exported.mode == "L" and np.array_equal(exported, Image.open(raw))
    assert Image.open(tmp_path / "test" / "source" / "lindau_0_000019.png").size == (16, 16)


def test_an_archive_without_label_ids_will_do(official, tmp_path):
    for path in (tmp_path / "raw").rglob("*labelIds.png"):
        path.unlink()
    pack(tmp_path / "raw" / "gtFine", official / "gtFine_trainvaltest.zip", "")
    dataset = own(tmp_path / "data", **pair(official), size=16)
    assert dataset.labels() is None and dataset.counts == dict(sorted(COUNTS.items()))


def test_the_filter_and_the_size_are_options(official, tmp_path):
    dataset = own(tmp_path / "a", **pair(official), filter="nearest", size="16x32", quality=90)
    name = "trainA/ulm_0_000019.jpg"
    photo = Image.open(
        tmp_path / "raw/leftImg8bit/leftImg8bit/train/ulm" / "ulm_0_000019_leftImg8bit.png"
    )
    expected = photo.resize((32, 16), Image.Resampling.NEAREST)
    expected.save(tmp_path / "expected.jpg", quality=90, subsampling=0)
    assert (dataset.root / name).read_bytes() == (tmp_path / "expected.jpg").read_bytes()
    default = own(tmp_path / "b", **pair(official), size="16x32", quality=90)
    assert default.images[name] != dataset.images[name] and default.digest != dataset.digest
    with pytest.raises(UserError, match="filter of .* is 'area'"):
        own(tmp_path / "c", **pair(official), filter="area")


@pytest.mark.parametrize("form", ["archives", "unpacked", "unpacked under the archive's name"])
def test_one_folder_may_hold_both(form, official, tmp_path):
    if form != "archives":
        for kind in ("leftImg8bit", "gtFine"):
            raw = tmp_path / "raw" / kind
            (official / f"{kind}_trainvaltest.zip").unlink()
            if form == "unpacked":
                shutil.move(raw / kind, official / kind)
            else:
                shutil.move(raw, official / f"{kind}_trainvaltest")
    dataset = own(tmp_path / "data", source=str(official), size=32)
    assert dataset.counts == dict(sorted(PREPARED.items()))
    stamp = (tmp_path / "data" / "dataset.json").stat().st_mtime_ns
    assert own(tmp_path / "data", source=str(official), size=32) == dataset
    assert (tmp_path / "data" / "dataset.json").stat().st_mtime_ns == stamp


def test_a_config_and_the_command_line_take_both_archives(official, tmp_path, capsys):
    both = pair(official)
    given = {"datasets": ["cityscapes"], "run": ["copy"], "data_sources": {"cityscapes": both}}
    assert make_plan(given).entries["cityscapes"].conversion.gtFine == both["gtFine"]
    settings = [f"{key}={json.dumps(value)}" for key, value in {**both, "counts": COUNTS}.items()]
    words = ["cityscapes", f"--out={tmp_path}/data", "--set", *settings]
    run_command("prepare", [*words, "--dry-run"])
    said = capsys.readouterr().out
    assert f"reads: gtFine in {both['gtFine']}" in said and "filter bicubic" in said
    assert not (tmp_path / "data").exists()
    run_command("prepare", words)
    assert "labelsB 2, testA 2" in capsys.readouterr().out


def test_a_set_prepared_elsewhere_is_taken_as_it_is(tmp_path):
    elsewhere = make_set(tmp_path / "authors", **COUNTS)
    assert own(tmp_path / "data", source=str(elsewhere)).root == elsewhere
    pack(elsewhere, tmp_path / "authors.zip", "cityscapes")
    dataset = own(tmp_path / "other", source=str(tmp_path / "authors.zip"))
    assert dataset.counts == dict(sorted(COUNTS.items()))
    assert json.loads((tmp_path / "other" / "dataset.json").read_text())["options"] == {}


def refuse(tmp_path: Path, says: str, **settings: object) -> None:
    with pytest.raises(UserError, match=says) as caught:
        own(tmp_path / "data", **settings)
    assert "\n" not in str(caught.value) and not (tmp_path / "data").exists()
    assert list(tmp_path.glob(".*")) == [], "nothing half-made is left"


def test_what_is_missing_is_named_with_how_to_get_it(official, tmp_path):
    both = pair(official)
    refuse(
        tmp_path,
        r"lacks leftImg8bit: register at https://www\.cityscapes.*"
        r"leftImg8bit_trainvaltest\.zip",
    )
    says = "lacks gtFine: .*and give it as data_sources: {cityscapes: {gtFine: PATH.zip}}"
    refuse(tmp_path, says, leftImg8bit=both["leftImg8bit"])
    (official / "gtFine_trainvaltest.zip").unlink()
    refuse(tmp_path, "lacks gtFine", source=str(official))
    refuse(tmp_path, "no file or folder .*gtFine_trainvaltest.zip for gtFine", **both)


def test_the_wrong_archive_is_seen_before_anything_is_converted(official, tmp_path):
    both = pair(official)
    swapped = {"gtFine": both["leftImg8bit"], "leftImg8bit": both["gtFine"]}
    refuse(
        tmp_path,
        r"gtFine_trainvaltest.zip has no train/CITY/\*_leftImg8bit.png; expected .*"
        " leftImg8bit_trainvaltest.zip",
        **swapped,
    )
    (tmp_path / "page.zip").write_text("<html>log in</html>")
    refuse(
        tmp_path, "page.zip is no complete zip", **{**both, "gtFine": str(tmp_path / "page.zip")}
    )


@pytest.mark.parametrize(
    "kind, says",
    [
        ("leftImg8bit", "label map ulm_0_000019 has no photograph in .*leftImg8bit_trainvaltest"),
        ("gtFine", "photograph ulm_0_000019 has no label map in .*gtFine_trainvaltest"),
    ],
)
def test_an_image_without_its_partner_is_named(kind, says, official, tmp_path):
    shutil.rmtree(tmp_path / "raw" / kind / kind / "train" / "ulm")
    pack(tmp_path / "raw" / kind, official / f"{kind}_trainvaltest.zip", "")
    refuse(tmp_path, says, **pair(official))


def test_a_damaged_image_is_named(official, tmp_path):
    path = next((tmp_path / "raw" / "leftImg8bit").rglob("lindau_0*.png"))
    path.write_bytes(path.read_bytes()[:-40])
    pack(tmp_path / "raw" / "leftImg8bit", official / "leftImg8bit_trainvaltest.zip", "")
    refuse(
        tmp_path,
        r"lindau_0_000019 in .*leftImg8bit_trainvaltest.zip is not a whole image",
        **pair(official),
    )


def test_the_counts_are_the_official_ones(official, tmp_path):
    with pytest.raises(UserError, match="trainA has 3 images, expected 2975"):
        prepare.prepare(resolve("cityscapes", pair(official)), tmp_path / "data")
