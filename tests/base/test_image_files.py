"""Which files of a folder are images: all that Pillow reads, and a sentence for the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from cut.base import image_files, images
from cut.base.errors import UserError


def pixel() -> Image.Image:
    return Image.new("RGB", (4, 6), (200, 100, 50))


def test_listing_sorts_by_name_and_ignores_what_is_no_image(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.JpG", "c.webp"):
        pixel().save(tmp_path / name)
    for name in ("notes.txt", ".hidden.png", "Thumbs.db"):
        (tmp_path / name).touch()
    (tmp_path / ".cache").mkdir()
    assert [path.name for path in image_files.list_images(tmp_path)] == ["a.JpG", "b.PNG", "c.webp"]


def test_listing_refuses_missing_empty_and_nested_folders(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        image_files.list_images(tmp_path / "absent")
    with pytest.raises(UserError, match="it is empty"):
        image_files.list_images(tmp_path)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match=r"it holds notes\.txt"):
        image_files.list_images(tmp_path)
    (tmp_path / "inner").mkdir()
    with pytest.raises(UserError, match="inner is a folder inside"):
        image_files.list_images(tmp_path)


@pytest.mark.parametrize("extension", ["avif", "jp2", "j2k", "tga", "qoi", "ico", "apng", "mpo"])
def test_every_format_that_pillow_reads_is_an_image(tmp_path: Path, extension: str) -> None:
    if f".{extension}" not in image_files.readable_extensions():
        pytest.skip(f"this Pillow was built without {extension}")
    path = tmp_path / f"photo.{extension}"
    pixel().resize((32, 32)).save(path)
    assert image_files.list_images(tmp_path) == [path]
    assert images.read_image(path).size == (32, 32)


def test_a_format_that_pillow_was_built_without_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(image_files.features, "check", lambda library: library != "avif")
    pixel().save(tmp_path / "a.png")
    (tmp_path / "b.avif").write_bytes(b"\0\0\0\x18ftypavif" + bytes(40))
    image_files.readable_extensions.cache_clear()
    try:
        with pytest.raises(UserError, match=r"b\.avif is an image of a kind .* convert it"):
            image_files.list_images(tmp_path)
    finally:
        image_files.readable_extensions.cache_clear()


def test_data_and_drawings_are_not_among_the_formats() -> None:
    known = image_files.readable_extensions()
    assert {".png", ".jpg", ".jpeg", ".tif", ".webp", ".bmp", ".gif", ".ppm"} <= known
    assert not known & {".h5", ".pdf", ".mpg", ".eps", ".txt", ".csv", ".json", ".npy"}


@pytest.mark.parametrize("name", ["b.heic", "b.JXL", "b.nef", "b.svg"])
def test_an_image_that_pillow_does_not_read_is_named(tmp_path: Path, name: str) -> None:
    pixel().save(tmp_path / "a.png")
    (tmp_path / name).write_bytes(b"\0" * 40)
    with pytest.raises(UserError, match=f"{name} is an image of a kind .* convert it to PNG"):
        image_files.list_images(tmp_path)


def test_an_image_of_another_name_is_found_by_its_first_bytes(tmp_path: Path) -> None:
    pixel().save(tmp_path / "a.png")
    kinds = {
        "jpeg2000": "jp2",
        **{kind: kind for kind in "png jpeg gif bmp tiff webp avif".split()},
    }
    for kind, extension in kinds.items():
        if f".{extension}" not in image_files.readable_extensions():
            continue
        path = tmp_path / f"photo-{kind}"
        pixel().save(path, format=kind)
        with pytest.raises(UserError, match=f"photo-{kind} is an image without the extension"):
            image_files.list_images(tmp_path)
        path.unlink()
    for name, text in {"a.txt": "BMW and GIF", "b": "", "c.json": "{}"}.items():
        (tmp_path / name).write_text(text)
    found, others = image_files.split_files(tmp_path)
    assert [path.name for path in found] == ["a.png"]
    assert [path.name for path in others] == ["a.txt", "b", "c.json"]


def test_what_is_no_regular_file_is_named_and_not_opened(tmp_path: Path) -> None:
    pixel().save(tmp_path / "a.png")
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    assert len(image_files.list_images(tmp_path)) == 2, "a link to a file is a file"
    os.mkfifo(tmp_path / "README")  # no image: ignored, and not opened
    assert len(image_files.list_images(tmp_path)) == 2
    os.mkfifo(tmp_path / "c.png")
    with pytest.raises(UserError, match=r"c\.png is a pipe"):
        image_files.list_images(tmp_path)
    with pytest.raises(UserError, match=r"c\.png is a pipe"):
        list(image_files.files_below(tmp_path))
    (tmp_path / "c.png").unlink()
    (tmp_path / "c.png").symlink_to(tmp_path / "gone")
    with pytest.raises(UserError, match=r"c\.png is a broken link"):
        image_files.list_images(tmp_path)


def test_an_image_under_a_name_of_another_kind_is_not_called_damaged(tmp_path: Path) -> None:
    (tmp_path / "phone.jpg").write_bytes(b"\0\0\0\x18ftypheic" + bytes(40))
    with pytest.raises(UserError, match=r"phone\.jpg is an image of a kind .*convert it"):
        images.read_image(tmp_path / "phone.jpg")
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    with pytest.raises(UserError, match=r"cut\.png is not a whole image"):
        images.read_image(tmp_path / "cut.png")


@pytest.mark.parametrize("name", [b"\xff.png", b"a\nb.png"])
def test_names_that_no_manifest_holds_are_refused(tmp_path: Path, name: bytes) -> None:
    pixel().save(tmp_path / "a.png")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"")
    with pytest.raises(UserError, match="rename the file") as caught:
        image_files.list_images(tmp_path)
    str(caught.value).encode()  # can be printed
