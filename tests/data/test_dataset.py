"""Data sets: what is accepted, and one sentence with the file's name for each thing that isn't."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from command import run_command
from PIL import Image
from small_sets import COUNTS, copy, make_set, own, pack

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.images import read_image
from cut.data import export, prepare, registry
from cut.data.dataset import Dataset
from cut.data.registry import resolve


def test_a_folder_is_used_in_place(tmp_path: Path) -> None:
    source = make_set(tmp_path / "mine")
    dataset = own(source, tmp_path / "out", domains=["cat", "dog"])
    assert dataset.root == source and dataset.counts == dict(sorted(COUNTS.items()))
    assert (dataset.source, dataset.target) == ("cat", "dog")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "dataset.json",
        ".verified.json",
    }
    assert [p.name for p in dataset.files("train", "target")] == [f"{k}.png" for k in range(4)]
    assert dataset.truths() is None and dataset.masks() is None
    assert Dataset.load(tmp_path / "out" / "dataset.json") == dataset


def test_a_folder_that_is_the_data_set_s_own_stays_movable(tmp_path: Path) -> None:
    source = make_set(tmp_path / "mine")
    own(source, source)
    assert json.loads((source / "dataset.json").read_text())["root"] == "."
    moved = source.rename(tmp_path / "moved")
    assert Dataset.load(moved / "dataset.json").root == moved


@pytest.mark.parametrize("top", ["", "horse2zebra"])
@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_an_archive_gives_what_its_folder_gives(tmp_path: Path, kind: str, top: str) -> None:
    folder = make_set(tmp_path / "folder")
    (folder / "trainA" / "Thumbs.db").write_text("not wanted")
    archive = pack(folder, tmp_path / f"set.{kind}", top)
    dataset = own(archive, tmp_path / "data" / "mine")
    assert dataset.root == tmp_path / "data" / "mine"
    assert dataset.digest == own(folder, tmp_path / "in-place").digest
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["mine"]
    assert not (dataset.root / "trainA" / "Thumbs.db").exists()


def test_common_kinds_mixed_sizes_grey_and_upper_case_are_fine(tmp_path: Path) -> None:
    source = make_set(tmp_path / "mine")
    Image.new("L", (5, 9), 40).save(source / "trainA" / "GREY.JPG")
    Image.new("RGBA", (50, 9), 40).save(source / "trainA" / "clear.WebP")
    Image.new("RGB", (9, 9), 40).save(source / "testB" / "x.TIFF")
    assert own(source, tmp_path / "out").counts == {
        "trainA": 5,
        "trainB": 4,
        "testA": 2,
        "testB": 4,
    }


def test_the_other_direction_swaps_domains_and_is_another_data_set(tmp_path: Path) -> None:
    source = make_set(tmp_path / "mine")
    forth = own(source, tmp_path / "forth")
    back = own(source, tmp_path / "back", direction="BtoA")
    assert (back.source, back.target) == ("B", "A")
    assert back.files("test", "source") == forth.files("test", "target")
    assert back.files("train", "target") == forth.files("train", "source")
    assert back.digest != forth.digest


def test_a_second_run_reads_no_image_and_touches_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_set(tmp_path / "mine")
    own(source, tmp_path / "out")
    record = tmp_path / "out" / "dataset.json"
    before = record.read_bytes(), record.stat().st_mtime_ns
    checked = []
    monkeypatch.setattr(prepare, "verify", lambda *args: checked.append(args))
    own(source, tmp_path / "out")
    assert before == (record.read_bytes(), record.stat().st_mtime_ns)
    record.unlink()  # as a workflow does before it runs a step again
    own(source, tmp_path / "out")
    assert record.read_bytes() == before[0] and checked == []


def test_a_changed_image_is_seen_by_the_next_run(tmp_path: Path) -> None:
    source = make_set(tmp_path / "mine")
    first = own(source, tmp_path / "out")
    copy(source, "trainA/0.png", "trainA/1.png")
    assert own(source, tmp_path / "out").digest != first.digest
    (source / "trainA" / "2.png").write_bytes(b"")
    with pytest.raises(UserError, match="zero bytes"):
        own(source, tmp_path / "out")
    (source / "trainA" / "2.png").unlink()
    with pytest.raises(UserError, match=r"2\.png"):
        Dataset.load(tmp_path / "out" / "dataset.json").files("train", "source")


def test_images_that_are_not_ours_are_never_replaced(tmp_path: Path) -> None:
    archive = pack(make_set(tmp_path / "mine"), tmp_path / "set.zip", "")
    precious = make_set(tmp_path / "precious")
    with pytest.raises(UserError, match="was not written by this command"):
        own(archive, precious)
    own(precious, precious)  # verified where they are, which makes them no more ours
    for given in ({"folders": {"testB": "testA"}}, {"bits": 12}):
        with pytest.raises(UserError):
            own(precious, precious, **given)
    with pytest.raises(UserError, match="was not written by this command"):
        own(archive, precious)
    assert len(list(precious.rglob("*.png"))) == sum(COUNTS.values())


def test_a_new_archive_replaces_the_old_images(tmp_path: Path) -> None:
    own(pack(make_set(tmp_path / "a"), tmp_path / "set.zip", ""), tmp_path / "out")
    fewer = make_set(tmp_path / "b", trainA=1, trainB=1, testA=1, testB=2)
    dataset = own(pack(fewer, tmp_path / "set.zip", ""), tmp_path / "out")
    assert dataset.counts == {"trainA": 1, "trainB": 1, "testA": 1, "testB": 2}
    assert len(list((tmp_path / "out" / "trainA").iterdir())) == 1


def test_a_download_is_unpacked_and_not_kept(tmp_path: Path) -> None:
    pack(make_set(tmp_path / "mine"), tmp_path / "set.zip", "set")
    (tmp_path / "page.zip").write_text("<html>log in first</html>")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    handler = partial(Quiet, directory=str(tmp_path))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with pytest.raises(UserError, match="is http, .*give an https address, or the sha256"):
            own(f"{address}/set.zip", tmp_path / "data" / "mine")
        known = {"sha256": sha256_of(tmp_path / "set.zip")}
        with pytest.raises(UserError, match="more than the 999 bytes .*max_bytes"):
            own(f"{address}/set.zip", tmp_path / "data" / "mine", **known, max_bytes=999)
        dataset = own(f"{address}/set.zip", tmp_path / "data" / "mine", **known)
        known = {"sha256": sha256_of(tmp_path / "page.zip")}
        for name, says in {
            "page.zip": "no complete zip or tar archive",
            "gone.zip": "HTTP 404",
        }.items():
            with pytest.raises(UserError, match=f"{says}.*data_sources: {{mine: PATH}}"):
                own(f"{address}/{name}", tmp_path / "data" / "mine", **known)
        server.shutdown()
    assert len(dataset.files("train", "source")) == 3
    assert not list((tmp_path / "data").rglob("*.zip"))


def test_generated_sets_are_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "fakescenes.py").write_text(
        "from PIL import Image\n"
        "def generate(out, size, train, test, seed):\n"
        "    open(out.parent / 'calls', 'a').write('x')\n"
        "    folders = dict(trainA=train, trainB=train, testA=test, testB=test, truthB=test,\n"
        "                   maskA=test)\n"
        "    for folder, n in folders.items():\n"
        "        (out / folder).mkdir()\n"
        "        for k in range(n):\n"
        "            mode = 'L' if folder == 'maskA' else 'RGB'\n"
        "            image = Image.new(mode, (size, size), 255 * (mode == 'L') or (k, seed, 9))\n"
        "            image.save(out / folder / f'{k}.png')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    options = {"size": 16, "train": 2, "test": 2, "seed": 1}
    fake = {"domains": ["coat", "stripes"], "generator": "fakescenes", "options": options}
    monkeypatch.setitem(registry.registry(), "fake", fake)
    out = tmp_path / "data" / "fake"
    dataset = prepare.prepare(resolve("fake", {"train": 3}), out)
    assert dataset.counts["trainA"] == 3 and set(dataset.truths()) == {"0", "1"} == set(
        dataset.masks()
    )
    prepare.prepare(resolve("fake", {"train": 3}), out)
    assert (tmp_path / "data" / "calls").read_text() == "x"
    other = prepare.prepare(resolve("fake", {"train": 3, "seed": 2}), out)
    assert other.digest != dataset.digest

    run_command("export", [str(out / "dataset.json"), str(tmp_path / "exp"), "--size", "4x6"])
    manifest = json.loads((tmp_path / "exp" / "manifest.json").read_text())
    assert manifest["counts"] == {"source": 2, "target": 2, "truth": 2, "mask": 2}
    assert manifest["size"] == [4, 6] and manifest["dataset_digest"] == other.digest
    assert read_image(tmp_path / "exp" / "source" / "1.png").size == (6, 4)
    mask = Image.open(tmp_path / "exp" / "mask" / "1.png")
    assert mask.mode == "L" and mask.getextrema() == (255, 255)


def test_sources_that_are_not_there_say_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "page.zip").write_text("<html>")
    for source, says in {
        tmp_path / "absent.zip": "there is no file or folder .*absent.zip .*data_sources",
        tmp_path / "page.zip": "page.zip is no complete zip or tar archive",
        "ftp://host/x.zip": "only http and https",
        tmp_path: "is no data set: it holds no folder, expected trainA trainB",
    }.items():
        with pytest.raises(UserError, match=says):
            own(source, tmp_path / "out")


def test_the_commands_work_and_fail_in_a_line(
    tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = str(make_set(tmp_path / "mine")), str(tmp_path / "out")
    run_command("prepare", ["mine", "--out", out, "--set", f"source={source}", "direction=BtoA"])
    assert "testA 2" in capsys.readouterr().out
    run_command("datasets")
    assert "horse2zebra: photographs" in capsys.readouterr().out
    with pytest.raises(UserError, match="--size is 'big'"):
        run_command("export", [f"{out}/dataset.json", str(tmp_path / "exp"), "--size", "big"])
    words = "-m cut prepare mine --out out --source gone".split()
    environment = {**os.environ, "PYTHONPATH": str(root)}
    failed = subprocess.run(
        [sys.executable, *words],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: there is no file") and failed.stderr.count("\n") == 1


def test_the_real_archive_is_whole(shared_data: Path, tmp_path: Path) -> None:
    entry = resolve("horse2zebra", str(shared_data / "horse2zebra.zip"))
    dataset = prepare.prepare(entry, tmp_path / "horse2zebra")
    assert dataset.counts == entry.counts
    assert len(dataset.files("test", "target")) == 140
    counts = export.export(dataset, tmp_path / "test", 64)
    assert counts == {"source": 120, "target": 140}
    broken = dataset.files("train", "target")[7]
    broken.write_bytes(broken.read_bytes()[:-1000])
    folder = resolve("horse2zebra", str(tmp_path / "horse2zebra"))
    with pytest.raises(UserError, match=broken.name):
        prepare.prepare(folder, tmp_path / "other")
