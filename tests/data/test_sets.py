"""Every data set of the registry, prepared from made-up files in its layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from command import run_command
from conftest import ROOT
from PIL import Image
from small_sets import make_set, pack

from cut.base.errors import UserError
from cut.base.images import read_image
from cut.data import dry_run, export, fetch, prepare, registry
from cut.data.registry import FOLDERS, resolve

FETCHED = [n for n in registry.registry() if resolve(n).is_url and not resolve(n).by_file]
COUNTS = {"trainA": 3, "trainB": 4, "testA": 2, "testB": 3}


def layout(name: str, root: Path) -> dict[str, int]:
    """Write images where the set's archive has them; return the counts that it comes to."""
    folders = resolve(name).folders or {folder: folder for folder in FOLDERS}
    made = {folders[folder]: COUNTS[folder] for folder in reversed(FOLDERS)}
    make_set(root, **made)
    return {folder: made[inside] for folder, inside in folders.items()}


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch):
    """Return a function that gives a registry entry other counts and no list of digests."""

    def change(name: str, counts: dict[str, int]) -> None:
        fields = {k: v for k, v in registry.registry()[name].items() if k != "digests"}
        monkeypatch.setitem(registry.registry(), name, {**fields, "counts": counts})

    return change


@pytest.mark.parametrize("name", FETCHED)
def test_a_set_is_made_from_its_download(name, small, tmp_path, monkeypatch):
    small(name, layout(name, tmp_path / "made"))
    entry, asked = resolve(name), []

    def download(url: str, dest: Path, sha256: str | None, **_: object) -> Path:
        asked.append((url, sha256))
        dest.parent.mkdir(parents=True)
        return pack(tmp_path / "made", dest, top=dest.stem)

    monkeypatch.setattr(fetch, "download", download)
    dataset = prepare.prepare(entry, tmp_path / "data" / name)
    assert asked == [(entry.source, entry.sha256)]
    assert dataset.counts == entry.counts and dataset.direction == entry.direction
    source, target = entry.letters
    assert len(dataset.files("test", "source")) == entry.counts[f"test{source}"]
    assert len(dataset.files("train", "target")) == entry.counts[f"train{target}"]
    assert {path.name for path in (tmp_path / "data" / name).iterdir() if path.is_dir()} == set(
        FOLDERS
    )
    assert [path.name for path in (tmp_path / "data").iterdir()] == [name]


@pytest.mark.parametrize("kind", ["archive", "folder", "folder around"])
@pytest.mark.parametrize("name", ["cat2dog", "grumpycat"])
def test_a_layout_of_its_own_may_be_given_in_any_form(name, kind, tmp_path):
    root = tmp_path / "afhq"
    counts = layout(name, root)
    make_set(root, **{"train/wild": 2})
    source = {"archive": tmp_path / "own.zip", "folder": root, "folder around": tmp_path / "in"}
    if kind == "archive":
        pack(root, source[kind], "afhq")
    elif kind == "folder around":
        root.rename((tmp_path / "in").mkdir() or tmp_path / "in" / "afhq")
    entry = resolve(name, {"source": str(source[kind]), "counts": counts})
    dataset = prepare.prepare(entry, tmp_path / "data" / name)
    assert dataset.counts == counts and dataset.root == tmp_path / "data" / name
    assert entry.sha256 is None, "another archive isn't held to the digest of the official one"


def test_test_images_are_training_images_where_there_are_no_others(tmp_path):
    counts = layout("grumpycat", tmp_path / "made")
    entry = resolve("grumpycat", {"source": str(tmp_path / "made"), "counts": counts})
    dataset = prepare.prepare(entry, tmp_path / "data")
    for domain in ("source", "target"):
        train, test = (dataset.files(split, domain) for split in ("train", "test"))
        assert [p.read_bytes() for p in train] == [p.read_bytes() for p in test]
    Image.new("RGB", (9, 9)).save(tmp_path / "made" / "trainA" / "0.png")
    again = prepare.prepare(entry, tmp_path / "data")
    assert again.digest != dataset.digest, "a change in the folder that was copied is seen"


def test_four_folders_are_used_in_place_whatever_the_official_archive_looks_like(tmp_path):
    source = make_set(tmp_path / "mine", **COUNTS)
    entry = resolve("cat2dog", {"source": str(source), "counts": COUNTS})
    assert prepare.prepare(entry, tmp_path / "data").root == source
    pack(source, tmp_path / "mine.zip", "cat2dog")
    entry = resolve("cat2dog", {"source": str(tmp_path / "mine.zip"), "counts": COUNTS})
    assert prepare.prepare(entry, tmp_path / "other").counts == dict(sorted(COUNTS.items()))


def test_what_is_not_the_set_is_refused_in_a_sentence(tmp_path):
    pack(make_set(tmp_path / "a", **{"test/cat": 2}), tmp_path / "v2.zip", "afhq_v2")
    with pytest.raises(UserError, match="v2.zip holds no images in train/cat train/dog val/cat"):
        prepare.prepare(resolve("cat2dog", str(tmp_path / "v2.zip")), tmp_path / "data")
    layout("cat2dog", tmp_path / "b")
    with pytest.raises(UserError, match="trainA has 3 images, expected 5153"):
        prepare.prepare(resolve("cat2dog", str(tmp_path / "b")), tmp_path / "data")
    wrong = {"source": str(tmp_path / "v2.zip"), "sha256": "0" * 64}
    with pytest.raises(UserError, match="v2.zip .*sha256.* cat2dog"):
        prepare.prepare(resolve("cat2dog", wrong), tmp_path / "data")


def test_reference_dogs_are_512_pixels_made_256_by_one_bicubic_resize(tmp_path):
    rng = np.random.default_rng(0)
    for inside in resolve("cat2dog").folders.values():
        (tmp_path / "afhq" / inside).mkdir(parents=True)
        for k in range(2):
            pixels = rng.integers(0, 256, (512, 512, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / "afhq" / inside / f"{k}.jpg")
    settings = {"source": str(tmp_path / "afhq"), "counts": dict.fromkeys(FOLDERS, 2)}
    dataset = prepare.prepare(resolve("cat2dog", settings), tmp_path / "data")
    export.export(dataset, tmp_path / "test", 256)
    for k in range(2):
        dog = read_image(tmp_path / "afhq" / "val" / "dog" / f"{k}.jpg")
        expected = dog.resize((256, 256), Image.Resampling.BICUBIC)
        found = Image.open(tmp_path / "test" / "target" / f"{k}.png")
        assert found.size == (256, 256) and found.tobytes() == expected.tobytes()


@pytest.mark.parametrize("name", list(registry.registry()))
def test_a_dry_run_says_all_and_touches_nothing(name, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(fetch, "download", lambda *_, **__: pytest.fail("fetched"))
    assert run_command("prepare", [name, f"--out={tmp_path}/data", "--dry-run"]) == 0
    said, entry = capsys.readouterr().out, resolve(name)
    for folder, count in entry.expected_counts().items():
        assert f"{tmp_path}/data/{folder}: {count:,} images of" in said
    words = (entry.source, entry.sha256, entry.licence, entry.counts_source, *entry.mirrors)
    for word in words:
        assert (word or "") in said
    assert "this was a dry run" in said and list(tmp_path.iterdir()) == []


def test_a_dry_run_names_what_is_missing_and_uses_a_folder_in_place(tmp_path, capsys):
    arguments = ["mine", f"--out={tmp_path}/data", "--dry-run", "--source"]
    run_command("prepare", [*arguments, str(tmp_path / "gone.zip")])
    assert "problem: there is no file or folder" in capsys.readouterr().out
    run_command("prepare", [*arguments, str(make_set(tmp_path / "mine"))])
    assert f"uses: {tmp_path}/mine/trainA: images, number unknown" in capsys.readouterr().out


def test_the_page_on_data_sets_shows_the_registry_as_it_is():
    page = (ROOT / "docs" / "datasets.md").read_text()
    assert f"\n\n{dry_run.table()}\n" in page, "python -m cut datasets --markdown"
    for name in registry.registry():
        entry = resolve(name)
        assert entry.expected_counts() and (entry.counts_source or entry.generator)
