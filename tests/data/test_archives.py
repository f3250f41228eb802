"""Archives that mean harm, or are damaged: nothing leaves the folder, and a sentence says why."""

from __future__ import annotations

import hashlib
import io
import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from cut.base.errors import UserError
from cut.data import archives


def extract(archive: Path, out: Path, keep: object, **limits: int) -> int:
    bounds = {"max_bytes": 10**9, "max_files": 1000, "max_file_bytes": 10**8, **limits}
    return archives.extract(archive, out, keep, **bounds)


def flat(member: PurePosixPath) -> PurePosixPath | None:
    return None if member.suffix == ".txt" else PurePosixPath("set", member.name)


def make_zip(path: Path, names: dict[str, bytes], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, data in names.items():
            info = zipfile.ZipInfo(name)
            info.external_attr, info.compress_type = mode << 16, zipfile.ZIP_DEFLATED
            file.writestr(info, data)
    return path


def make_tar(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for info, data in members:
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_wanted_files_come_out_of_both_kinds(tmp_path: Path) -> None:
    files = {"top/a.png": b"one", "top/b.png": b"two", "top/notes.txt": b"three"}
    pack = {
        "zip": make_zip(tmp_path / "a.zip", files),
        "tar": make_tar(tmp_path / "a.tgz", *((member(n), data) for n, data in files.items())),
    }
    for kind, archive in pack.items():
        assert extract(archive, tmp_path / kind, flat) == 2
        found = {path.name: path.read_bytes() for path in (tmp_path / kind / "set").iterdir()}
        assert found == {"a.png": b"one", "b.png": b"two"}


@pytest.mark.parametrize("name", ["../x.png", "/x.png", "a/../../x.png", "C:\\x.png", "..\\x.png"])
def test_no_path_leaves_the_folder(tmp_path: Path, name: str) -> None:
    zipped = make_zip(tmp_path / "a.zip", {"good.png": b"1", name: b"2"})
    tarred = make_tar(tmp_path / "a.tgz", (member(name), b"2"))
    for archive in (zipped, tarred):
        with pytest.raises(UserError, match="leaves the folder"):
            extract(archive, tmp_path / "out" / "here", flat)
    assert not (tmp_path / "out").exists()


def test_links_and_devices_are_refused_even_where_not_wanted(tmp_path: Path) -> None:
    link = make_zip(tmp_path / "link.zip", {"notes.txt": b"/etc/passwd"}, stat.S_IFLNK | 0o777)
    archives = [link]
    for number, kind in enumerate(
        [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
    ):
        archives.append(
            make_tar(tmp_path / f"{number}.tgz", (member("notes.txt", kind, "good.png"), b""))
        )
    for archive in archives:
        with pytest.raises(UserError, match="a link or device"):
            extract(archive, tmp_path / "out", flat)


def test_the_size_is_bounded_wanted_or_not(tmp_path: Path) -> None:
    files = {"a.png": bytes(600_000), "b.txt": bytes(600_000)}
    archives = [
        make_zip(tmp_path / "a.zip", files),
        make_tar(tmp_path / "a.tgz", *((member(name), data) for name, data in files.items())),
    ]
    for number, archive in enumerate(archives):
        with pytest.raises(UserError, match="more bytes than allowed.*max_bytes"):
            extract(archive, tmp_path / f"{number}a", flat, max_bytes=1_000_000)
        with pytest.raises(UserError, match="more files than allowed.*max_files"):
            extract(archive, tmp_path / f"{number}b", flat, max_files=1)
        with pytest.raises(UserError, match="a.png of 600000 bytes.*max_file_bytes"):
            extract(archive, tmp_path / f"{number}d", flat, max_file_bytes=599_999)
        limits = {"max_bytes": 1_200_000, "max_file_bytes": 600_000}
        assert extract(archive, tmp_path / f"{number}c", flat, **limits) == 1


def test_a_zip_that_hides_its_size_writes_no_more_than_it_declares(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "bomb.zip", {"a.png": bytes(50_000_000)})
    data = bytearray(archive.read_bytes())
    true, lie = (50_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")
    assert data.count(true) == 2  # the local header and the directory
    archive.write_bytes(data.replace(true, lie))
    with pytest.raises(UserError, match=r"damaged or cut short at a\.png"):
        extract(archive, tmp_path / "out", flat, max_bytes=10_000)
    assert (tmp_path / "out" / "set" / "a.png").stat().st_size <= 1000


def test_two_members_for_one_file_are_refused(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"x/a.png": b"1", "y/a.png": b"2"})
    with pytest.raises(UserError, match="twice"):
        extract(archive, tmp_path / "out", flat)


def test_damaged_archives_are_sentences(tmp_path: Path) -> None:
    noise = hashlib.shake_256(b"seed").digest(200_000)
    zipped = make_zip(tmp_path / "a.zip", {"a.png": noise, "b.png": noise})
    tarred = make_tar(tmp_path / "a.tgz", (member("a.png"), noise), (member("b.png"), noise))
    flipped = bytearray(zipped.read_bytes())
    flipped[100_000] ^= 0xFF
    (tmp_path / "flip.zip").write_bytes(flipped)
    (tmp_path / "cut.zip").write_bytes(zipped.read_bytes()[:200_000])
    (tmp_path / "cut.tgz").write_bytes(tarred.read_bytes()[:100_000])
    (tmp_path / "page.zip").write_text("<html>log in first</html>")
    (tmp_path / "empty.zip").touch()
    for name in ("flip.zip", "cut.zip", "cut.tgz", "page.zip", "empty.zip"):
        with pytest.raises(UserError, match=rf"{name} is no complete zip or tar archive") as caught:
            extract(tmp_path / name, tmp_path / f"out-{name}", flat)
        assert "\n" not in str(caught.value)


def test_an_encrypted_zip_says_so(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a.zip", {"a.png": b"1"})
    data = bytearray(archive.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(signature) + offset] |= 1
    archive.write_bytes(data)
    with pytest.raises(UserError, match="can't be unpacked.*encrypted"):
        extract(archive, tmp_path / "out", flat)
