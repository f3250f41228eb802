"""Each defect of a data set stops with one sentence that names the file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from small_sets import COUNTS, copy, make_set, own, pack

from cut.base.errors import UserError
from cut.base.files import sha256_of


def break_truncated(root: Path) -> None:
    path = root / "trainA" / "1.png"
    path.write_bytes(path.read_bytes()[:-300])


def break_corrupt(root: Path) -> None:
    path = root / "testB" / "2.png"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def break_empty_domain(root: Path) -> None:
    for path in (root / "testA").iterdir():
        path.unlink()


def break_one_target(root: Path) -> None:
    for k in (1, 2):
        (root / "testB" / f"{k}.png").unlink()


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "truncated": (break_truncated, "trainA/1.png is not a whole image"),
    "corrupt": (break_corrupt, "testB/2.png is not a whole image"),
    "zero bytes": (lambda r: (r / "trainB/0.png").write_bytes(b""), "trainB/0.png has zero bytes"),
    "count": (lambda r: (r / "trainB/0.png").unlink(), "trainB has 3 images, expected 4"),
    "empty domain": (break_empty_domain, "testA has no images"),
    "missing folder": (lambda r: shutil.rmtree(r / "testA"), "no folder .*testA"),
    "nested": (lambda r: copy(r, "testA/0.png", "testA/sub/0.png"), "testA/sub is a folder inside"),
    "stems": (lambda r: copy(r, "testA/0.png", "testA/0.jpg"), "0.png and 0.jpg"),
    "one target": (break_one_target, "testB has 1 image; scores need 2"),
    "truth missing": (lambda r: copy(r, "testA/0.png", "truthB/0.png"), "1.png has no counterpart"),
}


@pytest.mark.parametrize("archived", [False, True], ids=["folder", "archive"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_each_defect_stops_with_one_sentence(tmp_path: Path, damage: str, archived: bool) -> None:
    source = make_set(tmp_path / "mine")
    breaks, says = DAMAGE[damage]
    breaks(source)
    if archived:
        source = pack(source, tmp_path / "set.zip", "set")
        if damage == "empty domain":  # an archive has no empty folders
            says = "no folder .*testA"
    settings = {"counts": COUNTS} if damage == "count" else {}
    with pytest.raises(UserError, match=says.replace(".png", r"\.png")) as caught:
        own(source, tmp_path / "data" / "out", **settings)
    assert "\n" not in str(caught.value) and ".tmp" not in str(caught.value)
    assert str(caught.value).find(str(source)) >= 0  # the folder or the archive that was given
    assert not (tmp_path / "data" / "out" / "dataset.json").exists()
    assert list((tmp_path / "data").glob(".*")) == []


def listed(root: Path, tmp_path: Path) -> dict[str, str]:
    """Write the list of digests of a set, in the form of sha256sum."""
    files = [p for f in COUNTS for p in sorted((root / f).iterdir())]
    lines = [f"{sha256_of(p)}  top/{p.parent.name}/{p.name}\n" for p in files]
    (tmp_path / "mine.sha256").write_text("".join(lines))
    return {"digests": str(tmp_path / "mine.sha256")}


def test_a_list_of_digests_is_held_to_the_letter(tmp_path: Path) -> None:
    good = make_set(tmp_path / "good")
    digests = listed(good, tmp_path)
    own(good, tmp_path / "out", **digests)

    def broken(name: str, breaks: Callable[[Path], object], says: str) -> None:
        root = shutil.copytree(good, tmp_path / name)
        breaks(root)
        with pytest.raises(UserError, match=says):
            own(root, tmp_path / f"out-{name}", **digests)

    broken("other", lambda r: copy(r, "trainA/0.png", "trainA/1.png"), r"1\.png is not the image")
    broken("cut", break_truncated, r"1\.png is not a whole image")
    broken("less", lambda r: (r / "testA/1.png").unlink(), r"testA/1\.png is missing")
    broken("more", lambda r: copy(r, "testA/1.png", "testA/7.png"), r"7\.png is not part")
