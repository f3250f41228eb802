"""Images of 12 bits in files of 16: scaled as the set says, refused where it does not say it."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image
from small_sets import make_set, own, pack

from cut.base.errors import UserError
from cut.base.images import read_image
from cut.data import bits

FOLDERS = ("trainA", "trainB", "testA", "testB")


def deep(top: int, colour: bool = False, seed: int = 0) -> np.ndarray:
    """Return noise in [0, top], with both ends."""
    shape = (16, 20, 3) if colour else (16, 20)
    values = np.random.default_rng(seed).integers(0, top + 1, shape).astype(np.uint16)
    values[0, :2] = [[0], [top]] if colour else [0, top]
    return values


def write_png(path: Path, values: np.ndarray) -> None:
    """Write a 16-bit PNG, also of colours, which Pillow can't write."""
    h, w = values.shape[:2]
    kind = {2: 0, 3: 2}[values.ndim]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    head = struct.pack(">IIBBBBB", w, h, 16, kind, 0, 0, 0)
    chunks = {b"IHDR": head, b"IDAT": zlib.compress(rows), b"IEND": b""}
    data = b"\x89PNG\r\n\x1a\n"
    for name, body in chunks.items():
        data += struct.pack(">I", len(body)) + name + body
        data += struct.pack(">I", zlib.crc32(name + body))
    path.write_bytes(data)


def make_deep(root: Path, top: int, domains: str = "AB", colour: bool = False) -> Path:
    """Write a set whose images in `domains` are 16-bit PNG with values up to `top`."""
    make_set(root, **dict.fromkeys(FOLDERS, 2))
    for folder in FOLDERS:
        for seed, path in enumerate(sorted((root / folder).iterdir())):
            if folder[-1] in domains:
                write_png(path, deep(top, colour, seed))
    return root


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("kind", ["png", "tif", "big.tif", "zip.tif"])
def test_the_values_of_a_16_bit_file_are_read_whole(tmp_path, kind, colour):
    values, path = deep(65535, colour), tmp_path / f"x.{kind}"
    if kind == "png":
        write_png(path, values)
    else:
        order = ">" if kind == "big.tif" else "<"
        packed = "zlib" if kind == "zip.tif" else None
        shown = "rgb" if colour else "minisblack"
        tifffile.imwrite(path, values, byteorder=order, photometric=shown, compression=packed)
    assert np.array_equal(bits.values(path), values)
    assert bits.largest_value(path) == 65535


@pytest.mark.parametrize("name", ["grey.png", "colour.png", "colour.jpg", "grey.tif"])
def test_files_of_8_bits_have_no_such_values(tmp_path, name):
    Image.new("L" if "grey" in name else "RGB", (4, 4)).save(tmp_path / name)
    assert bits.values(tmp_path / name) is None


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize(("top", "says"), [(200, 8), (4095, 12), (3000, 12), (16383, 14)])
def test_a_set_that_would_be_nearly_black_is_refused(tmp_path, top, says, colour):
    root = make_deep(tmp_path / "mine", top, "B", colour)
    with pytest.raises(UserError, match=f"trainB .* is {top}, .*bits: {says}}}.*bits: 16"):
        own(root, tmp_path / "out")
    kept = own(root, tmp_path / "out", bits=16)
    assert kept.root == root, "nothing is scaled"


def test_true_16_bits_stay_as_they_are(tmp_path):
    root = make_deep(tmp_path / "mine", 65535)
    write_png(root / "trainA" / "0.png", deep(2000))  # one dark image among bright ones
    dataset = own(root, tmp_path / "out")
    assert dataset.root == root
    expected = (deep(2000).astype(int) + 128) // 257
    found = np.asarray(read_image(dataset.files("train", "source")[0]))
    assert np.array_equal(found, np.repeat(expected[..., None], 3, 2))


@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize("colour", [False, True])
def test_declared_bits_scale_every_image_by_one_factor(tmp_path, archived, colour):
    root = make_deep(tmp_path / "mine", 4000, "A", colour)
    before = {path: path.read_bytes() for path in root.rglob("*.png")}
    source = pack(root, tmp_path / "mine.zip", "mine") if archived else root
    dataset = own(source, tmp_path / "data" / "mine", bits=12)
    assert dataset.root == tmp_path / "data" / "mine", "the user's files are not changed"
    for seed, path in enumerate(dataset.files("train", "source")):
        values = deep(4000, colour, seed).astype(float)
        expected = np.floor(values * 255 / 4095 + 0.5)
        expected = expected if colour else np.repeat(expected[..., None], 3, 2)
        with Image.open(path) as image:
            assert image.mode == ("RGB" if colour else "L")
        assert np.array_equal(np.asarray(read_image(path)), expected)
    assert dataset.files("train", "target")[0].read_bytes() == before[root / "trainB" / "0.png"]
    assert {path: path.read_bytes() for path in before} == before
    other = own(source, tmp_path / "data" / "mine", bits=13)
    assert other.digest != dataset.digest, "other bits make another set"


def test_bits_that_do_not_fit_are_sentences(tmp_path):
    root = make_deep(tmp_path / "mine", 5000)
    with pytest.raises(UserError, match=r"train.*\.png has the value 5000, and 12 bits hold"):
        own(root, tmp_path / "out", bits=12)
    eight = make_set(tmp_path / "eight")
    for given in (12, 16):
        with pytest.raises(UserError, match="none of its images has 16 bits"):
            own(eight, tmp_path / "out", bits=given)
    with pytest.raises(UserError, match="bits of data set 'mine' is 17"):
        own(root, tmp_path / "out", bits=17)
