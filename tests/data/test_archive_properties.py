"""Archives with drawn names and sizes: nothing is written outside of the folder."""

from __future__ import annotations

import io
import random
import shutil
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties import FEW

from cut.base.errors import UserError
from cut.data.archives import extract

PARTS = st.sampled_from(["..", ".", "a", "trainA", "C:", "~", "a b", "\\", "x" * 300, "\x01", "é"])
NAMES = st.one_of(
    st.lists(PARTS, min_size=1, max_size=4).map("/".join),
    st.lists(PARTS, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts)),
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
)
MEMBERS = st.lists(st.tuples(NAMES, st.integers(0, 3000)), max_size=5)
MOST = 5000


def write_zip(path: Path, members: list[tuple[str, int]]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, size in members:
            file.writestr(zipfile.ZipInfo(name), b"0" * size)


def write_tar(path: Path, members: list[tuple[str, int]]) -> None:
    kinds = (tarfile.REGTYPE, tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE)
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as file:
        for i, (name, size) in enumerate(members):
            info = tarfile.TarInfo(name)
            info.type = kinds[i]
            info.linkname = "../../x"
            info.size = size if info.isreg() else 0
            file.addfile(info, io.BytesIO(b"0" * size) if info.isreg() else None)


def unpacked(archive: Path, root: Path) -> list[Path] | None:
    """Return the files that `extract` writes, or None where it refuses; `root` is empty after."""
    out = root / "in" / "out"
    before = {path for path in root.rglob("*")}
    try:
        extract(archive, out, PurePosixPath, max_bytes=MOST, max_files=4, max_file_bytes=2000)
    except UserError as error:
        found = None
        assert "\n" not in str(error)
    else:
        found = [path for path in out.rglob("*") if path.is_file()]
    outside = {path for path in root.rglob("*") if out not in (path, *path.parents)}
    assert outside - {root / "in"} == before
    assert sum(p.stat().st_size for p in out.rglob("*") if p.is_file()) <= MOST
    assert not [path for path in out.rglob("*") if path.is_symlink()]
    shutil.rmtree(root / "in", ignore_errors=True)
    return found


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("write", [write_zip, write_tar])
@FEW
@given(members=MEMBERS)
def test_nothing_is_written_outside_of_the_folder(tmp_path, write, members):
    write(tmp_path / "archive", members)
    unpacked(tmp_path / "archive", tmp_path)


@pytest.mark.parametrize("write", [write_zip, write_tar])
@FEW
@given(seed=st.integers(0, 2**32), flips=st.integers(1, 8))
def test_a_damaged_archive_is_a_sentence_or_whole(tmp_path, write, seed, flips):
    draw = random.Random(seed)
    write(tmp_path / "archive", [("a/b.png", 900), ("a/c.png", 900)])
    content = bytearray((tmp_path / "archive").read_bytes())
    for _ in range(flips):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    (tmp_path / "archive").write_bytes(content)
    unpacked(tmp_path / "archive", tmp_path)
