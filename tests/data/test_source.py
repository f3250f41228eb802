"""A setting of a data set has an effect for each kind of source, or there is a sentence."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from command import run_command
from PIL import Image
from small_sets import COUNTS, make_set, own, pack

from cut.base.errors import UserError
from cut.data import prepare
from cut.data.registry import resolve
from cut.plan import inputs
from cut.plan.plan import make_plan


def with_val(root: Path) -> Path:
    """Write a set with other test images in val/, as dark pixels."""
    make_set(root)
    for k in range(5):
        (root / "val").mkdir(exist_ok=True)
        Image.new("RGB", (9, 9), (k, k, k)).save(root / "val" / f"{k}.png")
    return root


@pytest.fixture(params=["folder", "zip", "tgz"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    root = with_val(tmp_path / "mine")
    return root if request.param == "folder" else pack(root, tmp_path / f"x.{request.param}", "top")


def test_folders_are_used_although_the_set_has_folders_of_its_own(source, tmp_path):
    dataset = own(source, tmp_path / "data" / "mine", folders={"testB": "val"})
    assert dataset.counts == {**COUNTS, "testB": 5}
    pixels = [np.asarray(Image.open(path)).max() for path in dataset.files("test", "target")]
    assert pixels == [0, 1, 2, 3, 4]
    again = own(source, tmp_path / "data" / "mine")
    assert again.counts == dict(sorted(COUNTS.items())), "without it, the set's own"


def test_a_misspelt_folder_is_named(source, tmp_path):
    with pytest.raises(UserError, match="holds no images in vall; expected"):
        own(source, tmp_path / "data" / "mine", folders={"testB": "vall"})
    wrong = dict.fromkeys(COUNTS, "nowhere")
    with pytest.raises(UserError, match="holds no images in nowhere; expected"):
        own(source, tmp_path / "data" / "mine", folders=wrong)
    assert not (tmp_path / "data" / "mine" / "dataset.json").exists()


def test_folders_that_say_what_is_so_change_nothing(tmp_path):
    root = make_set(tmp_path / "mine")
    assert own(root, tmp_path / "out", folders={"trainA": "trainA"}).root == root


def test_true_counterparts_come_along_with_given_folders(tmp_path):
    root = with_val(tmp_path / "mine")
    shutil.copytree(root / "testA", root / "truthB")
    dataset = own(root, tmp_path / "out", folders={"testB": "val"})
    assert len(dataset.truths()) == 2


def test_one_folder_in_two_places_is_refused(tmp_path):
    for name in ("a", "b"):
        make_set(tmp_path / "both" / name)
    archive = pack(tmp_path / "both", tmp_path / "both.zip", "")
    with pytest.raises(UserError, match=r"both\.zip holds both a/t.* and b/t"):
        own(archive, tmp_path / "data" / "mine")
    chosen = {name: f"b/{name}" for name in COUNTS}
    assert own(archive, tmp_path / "data" / "mine", folders=chosen).counts["trainA"] == 3


@pytest.mark.parametrize(
    ("key", "value"),
    [("sha256", "0" * 64), ("max_bytes", 10), ("max_files", 10), ("max_file_bytes", 10)],
)
def test_what_is_of_an_archive_is_refused_for_a_folder(tmp_path, key, value):
    root = make_set(tmp_path / "mine")
    with pytest.raises(UserError, match=f"mine has {key}, which is of an archive"):
        own(root, tmp_path / "out", **{key: value})
    config = {"datasets": ["mine"], "run": ["copy"], "data": str(tmp_path / "data")}
    plan = make_plan({**config, "data_sources": {"mine": {"source": str(root), key: value}}})
    with pytest.raises(UserError, match=f"mine has {key}"):
        inputs.check_inputs(plan)
    archive = pack(root, tmp_path / "mine.zip", "")
    with pytest.raises(UserError, match=key):  # of an archive it holds
        own(archive, tmp_path / "out", **{key: value})


@pytest.mark.parametrize("key", ["size", "filter", "quality"])
def test_options_of_a_conversion_are_refused_where_nothing_is_converted(tmp_path, key):
    value = {"size": 32, "filter": "box", "quality": 90}[key]
    given = {"source": str(make_set(tmp_path / "ready")), "counts": COUNTS}
    prepare.prepare(resolve("cityscapes", given), tmp_path / "out")
    with pytest.raises(UserError, match=f"{key}, an option of the conversion"):
        prepare.prepare(resolve("cityscapes", {**given, key: value}), tmp_path / "out")


def test_the_home_folder_may_be_written_as_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    root = make_set(tmp_path / "mine")
    assert own(Path("~/mine"), tmp_path / "out").root == root
    with pytest.raises(UserError, match="home folder in '~nobody-here"):
        own(Path("~nobody-here/mine"), tmp_path / "out")


def test_other_files_are_counted_and_left_out(source, tmp_path, capsys):
    if source.is_dir():
        (source / "trainA" / "README").write_text("notes")
        (source / "trainA" / ".DS_Store").write_text("hidden")
    else:
        (tmp_path / "mine" / "trainA" / "README").write_text("notes")
        pack(tmp_path / "mine", source, "top")
    out = tmp_path / "data" / "mine"
    run_command("prepare", ["mine", "--out", out, "--source", source])
    assert "1 files (trainA/README)" in capsys.readouterr().out
    assert not list(out.rglob("README"))


@pytest.mark.parametrize("name", ["photo.heic", "photo"])
def test_an_image_that_would_be_left_out_stops_the_preparation(source, name, tmp_path):
    folder = source if source.is_dir() else tmp_path / "mine"
    shutil.copy(folder / "trainA" / "0.png", folder / "trainA" / name)
    if not source.is_dir():
        pack(folder, source, "top")
    with pytest.raises(UserError, match=f"{source}.*trainA/{name} is an image"):
        own(source, tmp_path / "data" / "mine")


def test_images_of_several_pages_are_named(source, tmp_path, capsys):
    folder = source if source.is_dir() else tmp_path / "mine"
    pages = [Image.new("RGB", (9, 9), colour) for colour in ("red", "blue")]
    pages[0].save(folder / "trainA" / "scan.tif", save_all=True, append_images=pages[1:])
    pages[0].save(folder / "trainA" / "page.tif")
    if not source.is_dir():
        pack(folder, source, "top")
    run_command("prepare", ["mine", "--out", tmp_path / "data" / "mine", "--source", source])
    assert "the first is used: 1 files (trainA/scan.tif)" in capsys.readouterr().out


def test_linked_folders_are_copied_and_circles_end(tmp_path):
    root = with_val(tmp_path / "mine")
    (root / "val").rename(tmp_path / "elsewhere")
    (root / "val").symlink_to(tmp_path / "elsewhere")
    (root / "circle").symlink_to(root)
    dataset = own(root, tmp_path / "out", folders={"testB": "val"})
    assert dataset.counts["testB"] == 5


def test_a_folder_whose_name_no_record_holds_is_refused(tmp_path):
    root = make_set(Path(os.fsdecode(os.fsencode(tmp_path) + b"/m\xfcll")))
    for source in (root, pack(root, root.with_suffix(".zip"), "top")):
        with pytest.raises(UserError, match="no path in UTF-8") as caught:
            own(source, tmp_path / "out")
        str(caught.value).encode()  # can be printed


def test_a_pipe_never_hangs(tmp_path):
    root = with_val(tmp_path / "mine")
    pipe = root / "trainA" / "p.png"
    os.mkfifo(pipe)
    for given in ({}, {"folders": {"testB": "val"}}):
        with pytest.raises(UserError, match="is a pipe"):
            own(root, tmp_path / "out", **given)
    with pytest.raises(UserError, match="is a pipe"):
        own(pipe, tmp_path / "out")
    given = {"gtFine": str(pipe), "leftImg8bit": str(pipe)}
    with pytest.raises(UserError, match="is a pipe"):
        prepare.prepare(resolve("cityscapes", given), tmp_path / "out")
