"""Sets whose files are fetched one by one, and mirrors that are tried after the source."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from small_sets import COUNTS, make_set

from cut.base.errors import UserError
from cut.data import prepare, registry
from cut.data.registry import FOLDERS, Entry, resolve


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Yield a folder, and the address at which it is served."""
    root = tmp_path / "served"
    root.mkdir()
    handler = functools.partial(Handler, directory=str(root))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield root, f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def listed(root: Path, places: dict[str, str], file: Path) -> str:
    """Write the list of digests of a set whose folders are at `places` of `root`."""
    lines = [
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  set/{folder}/{path.name}\n"
        for folder, inside in places.items()
        for path in sorted((root / inside).iterdir())
    ]
    file.write_text("".join(lines))
    return str(file)


@pytest.fixture
def with_mirror(served, tmp_path, monkeypatch) -> Entry:
    """Return horse2zebra with few images, whose archive is gone and whose mirror stands."""
    root, address = served
    make_set(root / "mirror", **COUNTS)
    fields = {
        **registry.registry()["horse2zebra"],
        "source": f"{address}gone.zip",
        "mirrors": [f"{address}nothing/", f"{address}mirror/"],
        "digests": listed(root / "mirror", {f: f for f in FOLDERS}, tmp_path / "list"),
        "counts": COUNTS,
    }
    monkeypatch.setitem(registry.registry(), "horse2zebra", fields)
    return resolve("horse2zebra")


def test_a_mirror_is_used_where_the_source_fails(with_mirror, served, tmp_path, capsys):
    dataset = prepare.prepare(with_mirror, tmp_path / "data")
    assert dataset.counts == dict(sorted(COUNTS.items()))
    for name in dataset.images:
        assert (dataset.root / name).read_bytes() == (served[0] / "mirror" / name).read_bytes()
    said = capsys.readouterr().out
    assert said.index("gone.zip (HTTP 404)") < said.index("nothing/train") < said.rindex("mirror/")
    assert not list(tmp_path.glob("*/.*.download")) and not list(tmp_path.glob(".*"))


def test_a_changed_file_of_the_last_mirror_is_refused_and_the_others_kept(
    with_mirror, served, tmp_path
):
    whole = (served[0] / "mirror" / "testA" / "0.png").read_bytes()
    (served[0] / "mirror" / "testA" / "0.png").write_bytes(whole + b"x")
    with pytest.raises(UserError, match="testA/0.png is not the expected file"):
        prepare.prepare(with_mirror, tmp_path / "data")
    assert not (tmp_path / "data" / "trainA").exists()
    (served[0] / "mirror" / "testA" / "0.png").write_bytes(whole)
    assert prepare.prepare(with_mirror, tmp_path / "data").counts["testA"] == COUNTS["testA"]


def test_another_source_has_no_mirrors(tmp_path):
    assert resolve("horse2zebra").mirrors
    assert not resolve("horse2zebra", str(tmp_path)).mirrors
    with pytest.raises(UserError, match="mirrors"):
        resolve("horse2zebra", {"mirrors": []})


def test_a_pair_of_single_images_is_trained_and_tested_on(served, tmp_path):
    root, address = served
    make_set(root / "pair", trainA=1, trainB=1)
    places = resolve("monet2etretat").folders
    source = {"source": f"{address}pair/"}
    source["digests"] = listed(root / "pair", places, tmp_path / "list")
    dataset = prepare.prepare(resolve("monet2etretat", source), tmp_path / "data")
    assert dataset.counts == dict.fromkeys(sorted(FOLDERS), 1)
    for domain in ("source", "target"):
        (train,), (test,) = (dataset.files(split, domain) for split in ("train", "test"))
        assert train.read_bytes() == test.read_bytes()


def test_a_folder_on_a_server_needs_a_list_of_its_files(tmp_path):
    with pytest.raises(UserError, match="digests"):
        prepare.prepare(resolve("mine", "https://example.org/set/"), tmp_path / "data")


def test_one_target_is_enough_only_beside_one_source(tmp_path):
    make_set(tmp_path / "mine", trainA=2, trainB=1, testA=1, testB=1)
    with pytest.raises(UserError, match="testB has 1 image"):
        prepare.prepare(resolve("mine", str(tmp_path / "mine")), tmp_path / "data")
