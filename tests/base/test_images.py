"""Reading and writing images: every common kind in, one kind out, and sentences for the rest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from cut.base import images, tensors
from cut.base.errors import UserError


def noise(h: int = 17, w: int = 33, seed: int = 0) -> Image.Image:
    values = np.random.default_rng(seed).integers(0, 256, (h, w, 3), dtype=np.uint8)
    return Image.fromarray(values)


def test_every_level_survives_the_way_to_a_tensor_and_back() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    image = Image.fromarray(levels)
    x = tensors.to_tensor(image)
    assert x.dtype == torch.float32 and x.shape == (3, 16, 16)
    assert (x.min(), x.max()) == (-1, 1)
    assert tensors.to_image(x).tobytes() == image.tobytes()


def test_the_tensor_has_the_bits_that_torchvision_gives() -> None:
    # The published code's chain; torchvision's newer v2 differs in the last bit.
    chain = transforms.Compose([transforms.ToTensor(), transforms.Normalize([0.5] * 3, [0.5] * 3)])
    assert torch.equal(tensors.to_tensor(noise()), chain(noise()))


def test_values_outside_the_range_are_clipped() -> None:
    x = torch.tensor([-3.0, 0.0, 3.0]).view(3, 1, 1)
    assert tensors.to_image(x).getpixel((0, 0)) == (0, 128, 255)


def test_resize_is_bicubic_and_takes_height_first() -> None:
    image = noise(20, 40)
    assert images.resize(image, 8).size == (8, 8)
    small = images.resize(image, (10, 30))
    assert small.size == (30, 10)
    assert small.tobytes() == image.resize((30, 10), Image.Resampling.BICUBIC).tobytes()
    with pytest.raises(UserError, match="0x4"):
        images.resize(image, (0, 4))


def test_greyscale_16_bit_palette_and_alpha_become_rgb(tmp_path: Path) -> None:
    grey = Image.new("L", (4, 4), 77)
    deep = Image.fromarray(np.full((4, 4), 77 * 257, dtype=np.uint16))
    clear = Image.new("RGBA", (4, 4), (10, 20, 30, 0))
    cases = {
        "grey.png": (grey, (77, 77, 77)),
        "grey.jpg": (grey, (77, 77, 77)),
        "deep.png": (deep, (77, 77, 77)),
        "deep.tif": (deep, (77, 77, 77)),
        "palette.png": (Image.new("RGB", (4, 4), (9, 8, 7)).quantize(2), (9, 8, 7)),
        "palette.gif": (Image.new("RGB", (4, 4), (9, 8, 7)).quantize(2), (9, 8, 7)),
        "clear.png": (clear, (255, 255, 255)),
        "clear.webp": (clear, (255, 255, 255)),
        "black.bmp": (Image.new("1", (4, 4), 0), (0, 0, 0)),
    }
    for name, (image, expected) in cases.items():
        image.save(tmp_path / name, **({"lossless": True} if name.endswith("webp") else {}))
        read = images.read_image(tmp_path / name)
        assert read.mode == "RGB" and read.getpixel((2, 2)) == expected, name


def test_a_photo_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    noise(10, 20).save(tmp_path / "side.jpg", exif=exif)
    assert images.read_image(tmp_path / "side.jpg").size == (10, 20)


@pytest.mark.parametrize("extension", ["jpg", "png", "webp", "bmp", "tif", "gif"])
def test_a_truncated_image_is_named(tmp_path: Path, extension: str) -> None:
    whole, cut = tmp_path / f"whole.{extension}", tmp_path / f"cut.{extension}"
    noise(64, 64).save(whole)
    assert images.read_image(whole).size == (64, 64)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    with pytest.raises(UserError, match=rf"cut\.{extension} is not a whole image"):
        images.read_image(cut)


def test_other_bad_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.jpg").write_text("<html>not found</html>")
    Image.fromarray(np.full((4, 4), 0.5, dtype=np.float32)).save(tmp_path / "float.tif")
    noise().save(tmp_path / "flip.png")
    data = bytearray((tmp_path / "flip.png").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "flip.png").write_bytes(data)
    for name, says in {
        "empty.png": "has zero bytes",
        "text.jpg": "not a whole image",
        "float.tif": "no known range",
        "flip.png": "not a whole image",
        "absent.png": "there is no image",
    }.items():
        with pytest.raises(UserError, match=says) as caught:
            images.read_image(tmp_path / name)
        message = str(caught.value)
        assert name in message and "\n" not in message and message.count(str(tmp_path)) == 1


def test_listing_sorts_by_name_and_ignores_what_is_no_image(tmp_path: Path) -> None:
    for name in ("b.PNG", "a.JpG", "c.webp"):
        noise().save(tmp_path / name)
    for name in ("notes.txt", ".hidden.png", "Thumbs.db"):
        (tmp_path / name).touch()
    (tmp_path / ".cache").mkdir()
    assert [path.name for path in images.list_images(tmp_path)] == ["a.JpG", "b.PNG", "c.webp"]


def test_listing_refuses_missing_empty_and_nested_folders(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no folder"):
        images.list_images(tmp_path / "absent")
    with pytest.raises(UserError, match="it is empty"):
        images.list_images(tmp_path)
    (tmp_path / "photo.heic").touch()
    with pytest.raises(UserError, match=r"it holds photo\.heic"):
        images.list_images(tmp_path)
    (tmp_path / "inner").mkdir()
    with pytest.raises(UserError, match="inner is a folder inside"):
        images.list_images(tmp_path)


def test_a_failed_write_leaves_the_old_image_and_no_rubbish(tmp_path: Path) -> None:
    class Broken(Image.Image):
        def save(self, path: Path, **options: object) -> None:
            Path(path).write_bytes(b"half")
            raise OSError("disk full")

    path = tmp_path / "new" / "x.png"
    images.write_png(path, noise())
    with pytest.raises(OSError, match="disk full"):
        images.write_png(path, Broken())
    assert images.read_image(path).tobytes() == noise().tobytes()
    assert list(path.parent.iterdir()) == [path]
