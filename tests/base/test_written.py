"""A command replaces and removes only files that an earlier call of it wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from command import run_command
from PIL import Image
from small_sets import make_set, own

from cut.base import written
from cut.base.errors import UserError


def snapshot(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def fill(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def test_a_second_call_removes_what_the_first_wrote_and_nothing_else(tmp_path):
    written.claim(tmp_path, ["a.png", "b.png"])
    fill(tmp_path, "a.png", "b.png", "notes.txt")
    written.claim(tmp_path, ["a.png"])
    assert {path.name for path in tmp_path.iterdir()} == {"notes.txt", ".written"}


def test_the_files_of_a_call_that_was_killed_are_known(tmp_path):
    written.claim(tmp_path, [])
    written.note(tmp_path, "a.png")
    fill(tmp_path, "a.png")
    written.claim(tmp_path, ["b.png"])
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("name", ["a.png", "other.JPG", "manifest.json"])
def test_foreign_files_are_refused_and_nothing_is_changed(tmp_path, name):
    written.claim(tmp_path, ["old.png"])
    fill(tmp_path, "old.png", name)
    before = snapshot(tmp_path)
    with pytest.raises(UserError, match=f"{name} was not written by this command"):
        written.claim(tmp_path, ["a.png", "manifest.json"])
    assert snapshot(tmp_path) == before


def test_a_file_that_came_in_the_middle_is_not_replaced(tmp_path):
    written.claim(tmp_path, [])
    fill(tmp_path, "a.png")
    with pytest.raises(UserError, match=r"a\.png exists"):
        written.note(tmp_path, "a.png")


def test_a_list_of_names_from_elsewhere_reaches_no_other_folder(tmp_path):
    fill(tmp_path, "own.png")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / written.MARK).write_text(f"../own.png\n{tmp_path}/own.png\nx/../../own.png\n")
    written.claim(folder, ["a.png"])
    assert (tmp_path / "own.png").exists()


@pytest.mark.parametrize("command", ["export", "external images"])
def test_an_export_leaves_the_users_images_alone(tmp_path, command):
    own(make_set(tmp_path / "mine"), tmp_path / "out")
    (tmp_path / "own" / "source").mkdir(parents=True)
    for name in ("holiday.jpg", "0.png"):
        Image.new("RGB", (8, 8), "red").save(tmp_path / "own" / "source" / name)
    before = snapshot(tmp_path / "own")
    arguments = [tmp_path / "out" / "dataset.json", tmp_path / "own", "--size=16"]
    with pytest.raises(UserError, match="own/source/.* was not written by this command"):
        run_command(command, arguments)
    assert snapshot(tmp_path / "own") == before
    arguments[1] = tmp_path / "new"
    run_command(command, arguments)
    first = snapshot(tmp_path / "new")
    (tmp_path / "new" / "manifest.json").unlink()  # as Snakemake does before a job
    run_command(command, arguments)
    assert snapshot(tmp_path / "new") == first


def test_scenes_are_not_drawn_over_images(tmp_path):
    mine = make_set(tmp_path / "mine")
    before = snapshot(mine)
    arguments = [mine, "--train=2", "--test=2", "--size=16"]
    with pytest.raises(UserError, match="was not written by this command"):
        run_command("scenes", arguments)
    assert snapshot(mine) == before
    with pytest.raises(UserError, match="train of data set"):
        run_command("scenes", [tmp_path / "new", f"--train={10**12}"])
