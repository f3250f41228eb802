"""A folder of images: names, sizes, formats and digests."""

from __future__ import annotations

import hashlib

import pytest
from PIL import Image
from standin import write_images

from cut.base.errors import UserError
from cut.metrics.image_folder import ImageFolder


def test_a_folder_knows_its_images(tmp_path):
    write_images(tmp_path, 2)
    Image.open(tmp_path / "00.png").save(tmp_path / "photo.jpg")
    (tmp_path / "manifest.json").write_text("{}")
    folder = ImageFolder(tmp_path)
    assert folder.names == ["00.png", "01.png", "photo.jpg"] and len(folder) == 3
    assert folder.size == (32, 32) and folder.formats == ("JPEG", "PNG")


def test_the_digest_is_over_names_and_contents(tmp_path):
    write_images(tmp_path, 2)
    folder = ImageFolder(tmp_path)
    lines = [
        f"{name} {hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()}\n"
        for name in folder.names
    ]
    assert folder.digest == hashlib.sha256("".join(lines).encode()).hexdigest()
    (tmp_path / "01.png").rename(tmp_path / "02.png")
    assert ImageFolder(tmp_path).digest != folder.digest


def test_two_sizes_and_empty_folders_are_refused(tmp_path):
    with pytest.raises(UserError, match="no images"):
        ImageFolder(tmp_path)
    write_images(tmp_path, 1)
    Image.new("RGB", (20, 30)).save(tmp_path / "odd.png")
    with pytest.raises(UserError, match="odd.png is 20x30"):
        ImageFolder(tmp_path).size  # noqa: B018
