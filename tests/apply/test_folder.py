"""Any folder, or one image: `python -m cut translate RUN FOLDER OUT`."""

from __future__ import annotations

import shutil
from typing import get_args

import numpy as np
import pytest
from command import run_command
from fake_runs import picture, write_images
from PIL import Image
from trained_generators import write_generator

from cut.apply import folder
from cut.apply.trained import load_trained
from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.image_form import Fit
from cut.base.images import read_image, resize


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_generator(tmp_path_factory.mktemp("runs") / "run")


@pytest.fixture
def photos(tmp_path):
    """Return a folder of three images of different sizes and formats, and a text."""
    photos = write_images(tmp_path / "photos", 1)
    picture(1, size=33).save(photos / "other.jpg")
    picture(2).crop((0, 0, 24, 17)).convert("L").save(photos / "grey.png")
    (photos / "notes.txt").write_text("none")
    return photos


def translate(*given):
    return run_command("translate", [*given, "--device=cpu"])


def sizes(out):
    return {path.name: Image.open(path).size for path in out.iterdir()}


def test_names_and_sizes_are_kept(run, photos, tmp_path, capsys):
    assert translate(run, photos, tmp_path / "out") == 0
    assert sizes(tmp_path / "out") == {
        "img_0.png": (24, 24),
        "other.png": (33, 33),
        "grey.png": (24, 17),
    }
    assert "translated 3 images" in capsys.readouterr().out
    translate(run, photos, tmp_path / "at", "--size=20x28")
    assert set(sizes(tmp_path / "at").values()) == {(28, 20)}


def test_another_aspect_ratio_is_treated_as_in_training(run, photos, tmp_path):
    padded = write_generator(tmp_path / "padded", fit="pad")

    def of_grey(name, generator, *given):
        translate(generator, photos / "grey.png", tmp_path / name, "--size=20", *given)
        return np.asarray(Image.open(tmp_path / name))

    def of_prepared(name, fit):
        source = resize(read_image(photos / "grey.png"), (20, 20), fit)
        source.save(tmp_path / f"source-{name}")
        translate(run, tmp_path / f"source-{name}", tmp_path / name)
        return np.asarray(Image.open(tmp_path / name))

    stretched = of_grey("a.png", run)
    expected = {fit: of_prepared(f"{fit}.png", fit) for fit in get_args(Fit)}
    assert np.array_equal(stretched, expected["stretch"])
    assert np.array_equal(of_grey("b.png", padded), expected["pad"])
    for fit, image in expected.items():
        assert np.array_equal(of_grey(f"given-{fit}.png", padded, f"--fit={fit}"), image)
    assert not np.array_equal(expected["crop"], expected["pad"])
    # Another fit is another translation, which does not silently stand for the first.
    with pytest.raises(UserError, match="--replace"):
        of_grey("b.png", padded, "--fit=stretch")
    with pytest.raises(UserError, match="--size"):
        translate(run, photos, tmp_path / "out", "--fit=crop")


def test_one_image_goes_to_a_file_or_into_a_folder(run, photos, tmp_path):
    (tmp_path / "out").mkdir()
    translate(run, photos / "other.jpg", tmp_path / "out")
    translate(run, photos / "other.jpg", tmp_path / "new" / "name.png")
    one, two = tmp_path / "out/other.png", tmp_path / "new/name.png"
    assert np.array_equal(Image.open(one), Image.open(two))
    with pytest.raises(UserError, match="PNG"):
        translate(run, photos / "other.jpg", tmp_path / "name.jpg")
    with pytest.raises(UserError, match="itself"):
        translate(run, photos / "grey.png", photos)


def test_a_second_call_translates_what_is_missing(run, photos, tmp_path, capsys, monkeypatch):
    out = tmp_path / "out"
    translate(run, photos, out)
    (out / "grey.png").unlink()
    before, seen = sha256_of(out / "img_0.png"), []
    real = folder.translate_image
    monkeypatch.setattr(
        folder, "translate_image", lambda *given: seen.append(given[3].name) or real(*given)
    )
    translate(run, photos, out)
    assert seen == ["grey.png"] and sha256_of(out / "img_0.png") == before
    assert "translated 1 images" in capsys.readouterr().out
    picture(9).save(photos / "img_0.png")  # another image of the same name
    with pytest.raises(UserError, match="img_0.png is there .*--replace"):
        translate(run, photos, out)
    translate(run, photos, out, "--replace")
    assert seen == ["grey.png", "img_0.png"] and sha256_of(out / "img_0.png") != before


@pytest.mark.parametrize("more", [["--size=16"], ["--tile=16"], ["other generator"], ["a file"]])
def test_other_files_are_not_replaced(run, photos, tmp_path, more):
    out = tmp_path / "out"
    if more == ["a file"]:
        write_images(out, 1)
    else:
        translate(run, photos, out)
    if more == ["other generator"]:
        run = write_generator(tmp_path / "run", seed=1)
    before = {path.name: sha256_of(path) for path in out.iterdir()}
    given = [run, photos, out, *(word for word in more if word.startswith("--"))]
    with pytest.raises(UserError, match="--replace"):
        translate(*given)
    assert {path.name: sha256_of(path) for path in out.iterdir()} == before
    translate(*given, "--replace")
    assert not before.items() <= {path.name: sha256_of(path) for path in out.iterdir()}.items()


def test_a_bad_image_is_named_and_the_others_are_translated(run, photos, tmp_path):
    (photos / "bad.png").write_bytes((photos / "img_0.png").read_bytes()[:60])
    with pytest.raises(UserError, match=r"1 of 4 images .*bad.png is not a whole image"):
        translate(run, photos, tmp_path / "out")
    with pytest.raises(UserError, match=r"^\S*bad.png is not a whole image"):
        translate(run, photos / "bad.png", tmp_path / "out")
    assert sizes(tmp_path / "out").keys() == {"img_0.png", "other.png", "grey.png"}


@pytest.mark.parametrize(
    ("place", "out", "named"),
    [
        ("none", "out", "there is no"),
        ("empty", "out", "no images"),
        ("photos", "photos", "folder elsewhere"),
        ("photos", "photos/out", "folder elsewhere"),
        ("photos", "file", "is a file"),
        ("photos/notes.txt", "out", "notes.txt"),
    ],
)
def test_wrong_places_are_refused(run, photos, tmp_path, place, out, named):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=named):
        translate(run, tmp_path / place, tmp_path / out)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["RUN", "IN"], "RUN FOLDER OUT"),
        ([], "nothing to translate"),
        (["--dataset=d.json"], "--run"),
        (["RUN", "IN", "OUT", "--dataset=d.json"], "--dataset does not go"),
        (["RUN", "IN", "OUT", "--batch-size=2"], "--batch-size does not go"),
        (["--dataset=d.json", "--run=r", "--tile=64"], "--tile does not go"),
        (["--dataset=d.json", "--run=r", "--replace"], "--replace does not go"),
        (["RUN", "IN", "OUT", "--overlap=0"], "--tile"),
        (["RUN", "IN", "OUT", "--statistics=image"], "--tile"),
    ],
)
def test_the_two_forms_are_not_mixed(given, named):
    with pytest.raises(UserError, match=named):
        run_command("translate", given)


def test_a_generator_of_the_run_is_known_by_its_digest(photos, tmp_path):
    first, last = write_generator(tmp_path / "first", seed=1), tmp_path / "run"
    early = sha256_of(first / "generator.pt")
    write_generator(last, snapshots={"2": early})
    kept = last / "snapshots" / "epoch0002.pt"
    kept.parent.mkdir()
    shutil.copyfile(first / "generator.pt", kept)
    found = {load_trained(place).epoch: load_trained(place).digest for place in (last, kept)}
    assert found == {3: sha256_of(last / "generator.pt"), 2: early}
    assert load_trained(last / "generator.pt").epoch == 3
    write_generator(tmp_path / "third", seed=2)
    shutil.copyfile(tmp_path / "third/generator.pt", kept)
    with pytest.raises(UserError, match="none of the generators"):
        load_trained(kept)
    alone = tmp_path / "a/b/c/generator.pt"
    alone.parent.mkdir(parents=True)
    shutil.copyfile(first / "generator.pt", alone)
    with pytest.raises(UserError, match="no run.json"):
        load_trained(alone)
    with pytest.raises(UserError, match="there is no"):
        load_trained(tmp_path / "none")


def test_a_control_copies_and_the_others_are_refused(photos, tmp_path):
    copy = write_generator(tmp_path / "copy", "copy", algorithm="copy", role="floor")
    translate(copy, photos / "img_0.png", tmp_path / "same.png")
    assert np.array_equal(Image.open(tmp_path / "same.png"), Image.open(photos / "img_0.png"))
    for name, facts in {"real": {"role": "ceiling"}, "reinhard": {"external": True}}.items():
        with pytest.raises(UserError, match=name):
            load_trained(write_generator(tmp_path / name, name, **facts))


def test_a_method_that_draws_from_the_pixels_translates_no_tiles(photos, tmp_path):
    munit = write_generator(tmp_path / "munit", "munit")
    translate(munit, photos, tmp_path / "out")
    with pytest.raises(UserError, match="draws random numbers"):
        translate(munit, photos, tmp_path / "tiles", "--tile=16")


def test_too_little_memory_is_a_sentence_for_each_image(run, photos, tmp_path, monkeypatch):
    def fail(*given):
        raise MemoryError

    monkeypatch.setattr(folder, "translate_image", fail)
    with pytest.raises(UserError, match=r"3 of 3 .*17x24 pixels .*--tile"):
        translate(run, photos, tmp_path / "out")
