"""Data sets of other forms than 8-bit RGB: what is recorded, verified, exported and refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from other_forms import BANDS, COLOURS, GREY, noise, write_set
from PIL import Image
from small_sets import make_set, own, pack

from cut.base.errors import UserError
from cut.base.image_form import RGB
from cut.base.images import framed, middle, resize
from cut.base.raster import Raster
from cut.base.raster_files import read_raster, write_raster
from cut.data.dry_run import plan
from cut.data.export import export
from cut.data.registry import resolve
from cut.data.verify import content_digest
from cut.records.images import ExportRecord, fit_of, form_of

DEEP = {"channels": 1, "bits": 16, "rgb": [1, 1, 1]}


def test_the_record_has_each_domains_form(tmp_path):
    write_set(tmp_path / "src", BANDS, COLOURS)
    settings = {"channels": {"A": 4}, "range": {"A": [-1, 3]}, "bits": {"B": 12}}
    dataset = own(tmp_path / "src", tmp_path / "out", **settings)
    assert (dataset.form("source"), dataset.form("target")) == (BANDS, COLOURS)
    assert dataset.as_images("pad").channels == (4, 3)
    turned = own(tmp_path / "src", tmp_path / "turned", **settings, direction="BtoA")
    assert (turned.form("source"), turned.form("target")) == (COLOURS, BANDS)


def test_a_domain_that_says_nothing_is_rgb(tmp_path):
    write_set(tmp_path / "src", GREY, RGB, lambda form, seed: noise(form, seed))
    settings = {"channels": {"A": 1}, "bits": {"A": 16}}
    dataset = own(tmp_path / "src", tmp_path / "out", **settings)
    assert dataset.form("source") == GREY.model_copy(update={"rgb": None})
    assert dataset.form("target") == RGB


def test_an_rgb_set_is_what_it_was(tmp_path):
    make_set(tmp_path / "src")
    plain = own(tmp_path / "src", tmp_path / "plain")
    said = own(tmp_path / "src", tmp_path / "said", channels=3, bits=8, rgb=[1, 2, 3])
    assert plain.forms == said.forms == {} and plain.digest == said.digest
    assert plain.digest == content_digest(plain.images, "AtoB", {})


def test_the_digest_has_what_decides_the_values_and_not_how_they_are_shown(tmp_path):
    write_set(tmp_path / "src", GREY, GREY)
    digests = [
        own(tmp_path / "src", tmp_path / str(k), **settings).digest
        for k, settings in enumerate(
            (
                DEEP,
                {**DEEP, "rgb": None},
                {"channels": 1, "range": [0, 65535]},
                {"channels": 1, "range": [0, 60000]},
            )
        )
    ]
    assert digests[0] == digests[1] == digests[2] != digests[3]


def test_another_range_makes_the_set_anew(tmp_path):
    write_set(tmp_path / "src", GREY, GREY)
    own(tmp_path / "src", tmp_path / "out", channels=1, range=[0, 65535])
    again = own(tmp_path / "src", tmp_path / "out", channels=1, range=[100, 5000])
    assert (again.form("source").low, again.form("source").high) == (100, 5000)


@pytest.mark.parametrize("way", ["folder", "archive", "other names"])
def test_arrays_are_found_wherever_they_come_from(tmp_path, way):
    source, settings = write_set(tmp_path / "src", BANDS, BANDS), {}
    if way == "archive":
        source = pack(source, tmp_path / "set.zip", "set")
    if way == "other names":
        (source / "trainA").rename(source / "first")
        settings = {"folders": {"trainA": "first"}}
    dataset = own(source, tmp_path / "out", channels=4, range=[-1, 3], **settings)
    files = dataset.files("train", "source")
    assert [path.name for path in files] == ["0.npy", "1.npy", "2.npy"]
    assert np.array_equal(read_raster(files[1], BANDS).values, noise(BANDS, 1).values)


def test_arrays_beside_images_are_left_out(tmp_path, capsys):
    make_set(tmp_path / "src")
    np.save(tmp_path / "src/trainA/features.npy", np.ones(3))
    assert len(own(tmp_path / "src", tmp_path / "out").files("train", "source")) == 3
    assert "features.npy" in capsys.readouterr().out


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_an_export_has_the_form_and_says_it(tmp_path, fit):
    write_set(tmp_path / "src", GREY, BANDS)
    settings = {"channels": {"A": 1, "B": 4}, "bits": {"A": 16}, "range": {"B": [-1, 3]}}
    dataset = own(tmp_path / "src", tmp_path / "out", **settings)
    export(dataset, tmp_path / "test", 16, fit=fit)
    for folder, domain in (("source", "source"), ("target", "target")):
        form, place = dataset.form(domain), tmp_path / "test" / folder
        assert (form_of(place), fit_of(place)) == (form, fit)
        for path in dataset.files("test", domain):
            found = read_raster(place / f"{path.stem}{form.suffix}", form)
            expected = resize(read_raster(path, form), 16, fit).values
            rounding = 0.5 if form == dataset.form("source") else 0
            assert np.abs(found.values - expected).max() <= rounding
    assert ExportRecord.read(tmp_path / "test/manifest.json").size == (16, 16)


def test_an_rgb_export_has_the_manifest_of_a_png_folder(tmp_path):
    make_set(tmp_path / "src")
    export(own(tmp_path / "src", tmp_path / "out"), tmp_path / "test", 16)
    record = ExportRecord.read(tmp_path / "test/manifest.json")
    assert record.forms == {} and record.fit == "stretch"
    assert form_of(tmp_path / "test/source") == RGB
    assert form_of(tmp_path) == RGB and fit_of(tmp_path) is None


def test_label_maps_are_framed_as_the_images():
    labels = Image.fromarray(np.repeat(np.arange(30, dtype=np.uint8)[None], 10, axis=0))
    assert framed(labels, (16, 16), "stretch", 255) is labels
    assert np.unique(framed(labels, (16, 16), "crop", 255)).tolist() == list(range(10, 20))
    padded = np.asarray(framed(labels, (16, 16), "pad", 255))
    assert padded.shape == (30, 30) and (padded[:10] == 255).all() and (padded[20:] == 255).all()
    assert np.array_equal(padded[10:20], np.asarray(labels))
    assert middle((30, 10), (16, 16)) == (10, 0, 20, 10)


@pytest.mark.parametrize(
    "settings",
    [
        {"range": [0, 1]},  # without channels
        {"rgb": [1, 2, 3]},
        {"bits": {"A": 16}},
        {"channels": 0},
        {"channels": {"C": 1}},
        {"channels": 1, "bits": 16, "range": [0, 1]},
        {"channels": 1, "range": [1, 1]},
        {"channels": 1, "range": [0, float("nan")]},
        {"channels": 4, "rgb": [1, 2, 5]},
        {"channels": 4, "rgb": [0, 1, 2]},
        {"channels": 1, "bits": 20},
        {"channels": 1, "joint": "AB"},
    ],
    ids=json.dumps,
)
def test_settings_that_do_not_fit_together_are_a_sentence(settings):
    with pytest.raises(UserError, match="'mine'"):
        resolve("mine", {"source": "anywhere", **settings})


@pytest.mark.parametrize("key", ["channels", "range", "rgb"])
def test_a_converted_or_generated_set_has_no_form_to_choose(key):
    for name in ("cityscapes", "coats2stripes"):
        with pytest.raises(UserError, match=key):
            resolve(name, {key: 3})


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"channels": 3}, "channels"),  # the files have one
        ({"channels": 1}, "bits: 16"),  # 16 bits, and nothing says so
        ({"channels": 1, "bits": 12}, "65535"),
    ],
)
def test_files_that_are_not_as_said_are_a_sentence(tmp_path, settings, reason):
    write_set(tmp_path / "src", GREY, GREY)
    with pytest.raises(UserError, match=reason):
        own(tmp_path / "src", tmp_path / "out", **settings)


def test_one_file_that_is_not_as_the_others_is_a_sentence(tmp_path):
    write_set(tmp_path / "src", GREY, GREY)
    eight = GREY.model_copy(update={"high": 255.0, "dtype": "uint8"})
    write_raster(tmp_path / "src/testB/1.png", noise(eight))
    with pytest.raises(UserError, match=r"testB/1.png.*uint8"):
        own(tmp_path / "src", tmp_path / "out", **DEEP)
    most = Raster(np.full((8, 8, 1), 5000, np.float32), GREY)
    write_set(tmp_path / "twelve", GREY, GREY, lambda form, seed: Raster(most.values / 2, form))
    write_raster(tmp_path / "twelve/testB/1.png", most)
    with pytest.raises(UserError, match=r"testB/1.png.*5000"):
        own(tmp_path / "twelve", tmp_path / "out", channels=1, bits=12)


def test_a_dry_run_says_how_each_domain_is_read(tmp_path):
    write_set(tmp_path / "src", BANDS, COLOURS)
    settings = {"channels": {"A": 4, "B": 3}, "range": {"A": [-1, 3]}, "bits": {"B": 12}}
    entry = resolve("mine", {"source": str(tmp_path / "src"), **settings})
    said = [line.strip() for line in plan(entry, tmp_path / "out") if "reads" in line]
    assert said == ["reads A: channels 4, range (-1.0, 3.0)", "reads B: channels 3, bits 12"]
