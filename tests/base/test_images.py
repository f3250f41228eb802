"""Reading and writing images: every common kind in, one kind out, and sentences for the rest."""

from __future__ import annotations

import os
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


def test_print_colours_and_the_first_of_several_frames_are_read(tmp_path: Path) -> None:
    Image.new("CMYK", (4, 4), (0, 255, 255, 0)).save(tmp_path / "print.jpg", quality=100)
    red = images.read_image(tmp_path / "print.jpg").getpixel((2, 2))
    assert red[0] > 250 and max(red[1:]) < 5
    frames = [Image.new("RGB", (4, 4), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    for name in ("pages.tif", "moving.gif", "moving.webp", "moving.png"):
        lossless = {"lossless": True} if name.endswith("webp") else {}
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], **lossless)
        assert Image.open(tmp_path / name).n_frames == 2
        assert images.read_image(tmp_path / name).getpixel((2, 2)) == (255, 0, 0), name


def test_a_huge_scan_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    noise(20, 50).save(tmp_path / "scan.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 600)  # Pillow warns from here, and refuses twice
    assert images.read_image(tmp_path / "scan.png").size == (50, 20) and not recwarn.list
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)
    with pytest.raises(UserError, match="more than 800 pixels.* make it smaller") as caught:
        images.read_image(tmp_path / "scan.png")
    assert "fetch" not in str(caught.value)


def test_too_little_memory_is_not_the_images_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise().save(tmp_path / "x.png")
    monkeypatch.setattr(Image.Image, "convert", lambda *_: (_ for _ in ()).throw(MemoryError))
    with pytest.raises(MemoryError):
        images.read_image(tmp_path / "x.png")


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
    Image.fromarray(np.array([[-3, 70000]], dtype=np.int32)).save(tmp_path / "negative.tif")
    Image.new("LAB", (4, 4)).save(tmp_path / "lab.tif")
    (tmp_path / "link.png").symlink_to(tmp_path / "gone.png")
    os.mkfifo(tmp_path / "pipe.png")
    noise().save(tmp_path / "flip.png")
    data = bytearray((tmp_path / "flip.png").read_bytes())
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "flip.png").write_bytes(data)
    for name, says in {
        "empty.png": "has zero bytes",
        "text.jpg": "not a whole image",
        "float.tif": "floating-point.* 8-bit PNG",
        "negative.tif": "pixels from -3 to 70000, .* 8-bit PNG",
        "lab.tif": "colours in LAB; save it as an RGB PNG",
        "flip.png": "not a whole image",
        "absent.png": "there is no file",
        "link.png": "broken link",
        "pipe.png": "pipe, .*; expected a regular file",
    }.items():
        with pytest.raises(UserError, match=says) as caught:
            images.read_image(tmp_path / name)
        message = str(caught.value)
        assert name in message and "\n" not in message and message.count(str(tmp_path)) == 1


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
