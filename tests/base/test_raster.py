"""Images of other forms: what is read is what was written, and each conversion's closed form."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile
import torch
from other_forms import BANDS, COLOURS, GREY, noise
from PIL import Image

from cut.base.errors import UserError
from cut.base.image_form import RGB, Form
from cut.base.images import read, read_image, resize, shown, write
from cut.base.raster import Raster
from cut.base.raster_files import image_size, read_raster, read_values, write_raster, written_text
from cut.base.tensors import to_image, to_tensor

FORMS = {
    "8-bit grey PNG": Form(channels=1, rgb=None),
    "8-bit PNG of four channels": Form(channels=4, rgb=None),
    "16-bit grey PNG": GREY,
    "16-bit colour PNG": COLOURS.model_copy(update={"file": "png"}),
    "16-bit PNG of four channels": Form(channels=4, high=65535.0, dtype="uint16"),
    "12 bits in a TIFF": COLOURS,
    "TIFF of one channel": Form(channels=1, low=-5.0, high=1e4, dtype="int16", file="tiff"),
    "TIFF of seven channels": Form(channels=7, low=0.0, high=1.0, dtype="float32", file="tiff"),
    "array": BANDS,
    "array of one channel": Form(channels=1, high=1.0, dtype="float64", file="npy"),
}


def raster(values, form=GREY):
    return Raster(np.asarray(values, np.float32).reshape(*np.shape(values)[:2], -1), form)


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("text", ["", "made of"])
def test_a_file_holds_the_values_that_were_written(tmp_path, form, text):
    image, path = noise(form), tmp_path / f"x{form.suffix}"
    write_raster(path, image, text)
    again = read_raster(path, form)
    assert np.array_equal(again.values, image.values) and again.values.dtype == np.float32
    assert read_values(path, form.channels).dtype == form.dtype
    assert image_size(path) == image.size == (32, 24)
    assert (written_text(path) or "") == text
    first = path.read_bytes()
    write_raster(path, image, text)
    assert path.read_bytes() == first


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_tensor_has_every_value_of_up_to_16_bits_and_gives_it_back(form):
    image = noise(form)
    x = to_tensor(image)
    assert x.shape == (form.channels, 24, 32) and x.dtype == torch.float32
    assert float(x.min()) == -1 and float(x.max()) == 1
    back = to_image(x, form)
    assert np.allclose(back.values, image.values, rtol=0, atol=(form.high - form.low) * 1e-7)
    if np.dtype(form.dtype).kind != "f":
        assert np.array_equal(back.values, image.values)


def test_the_ends_of_the_range_become_minus_one_and_one():
    form = Form(channels=1, low=100.0, high=300.0, dtype="uint16")
    x = to_tensor(raster([[100, 150, 200, 300]], form))
    assert x.tolist() == [[[-1, -0.5, 0, 1]]]
    assert to_image(torch.tensor([[[-2.0, 0.25, 1.5]]]), form).values.ravel().tolist() == [
        *(100, 225, 300)
    ]


def test_8_bit_grey_has_the_numbers_of_grey_rgb(tmp_path):
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(levels).save(tmp_path / "x.png")
    grey = to_tensor(read(tmp_path / "x.png", Form(channels=1, rgb=None)))
    assert torch.equal(grey.expand(3, -1, -1), to_tensor(read_image(tmp_path / "x.png")))


def test_values_outside_the_range_are_clipped(tmp_path):
    np.save(tmp_path / "x.npy", np.array([[-1024.0, -500.0, 400.0, 3000.0]]))
    form = Form(channels=1, low=-1000.0, high=400.0, dtype="float64", file="npy")
    assert read_raster(tmp_path / "x.npy", form).values.ravel().tolist() == [-1000, -500, 400, 400]


def test_resizing_rounds_nothing_and_stays_inside_the_range():
    ramp = np.tile(np.linspace(0, 65535, 64), (8, 1))
    smaller = raster(ramp).resize((16, 8)).values[..., 0]
    # Bicubic filters keep a straight line; the ends have fewer pixels under them.
    expected = ramp.reshape(8, 16, 4).mean(2)
    assert np.abs(smaller - expected)[:, 3:-3].max() < 0.1
    assert len(np.unique(np.rint(smaller[0]))) == 16  # 8 bits would still differ; 257 apart is deep
    step = raster(np.repeat([[0.0, 65535.0]], 32, axis=1).repeat(4, axis=0))
    enlarged = step.resize((256, 16)).values  # overshoots at the edge
    assert enlarged.min() == 0 and enlarged.max() == 65535


def test_each_channel_is_resized_by_itself():
    image = noise(BANDS)
    whole = image.resize((10, 9), box=(2.5, 1, 30, 20)).values
    for channel in range(4):
        alone = Raster(image.values[..., channel : channel + 1], BANDS)
        assert np.array_equal(
            alone.resize((10, 9), box=(2.5, 1, 30, 20)).values[..., 0], whole[..., channel]
        )
    assert np.array_equal(image.crop((3, 4, 13, 14)).values, image.values[4:14, 3:13])


def test_the_first_axis_and_the_pages_of_a_tiff_may_be_the_channels(tmp_path):
    values = np.arange(5 * 6 * 7, dtype=np.uint16).reshape(6, 7, 5)
    first = np.moveaxis(values, 2, 0)
    np.save(tmp_path / "a.npy", first)
    tifffile.imwrite(tmp_path / "pages.tif", first, photometric="minisblack")
    tifffile.imwrite(
        tmp_path / "planes.tif", first, photometric="minisblack", planarconfig="separate"
    )
    for path in tmp_path.iterdir():
        assert np.array_equal(read_values(path, 5), values)


@pytest.mark.parametrize("mode", ["I;16", "L", "RGB"])
def test_a_compression_that_tifffile_lacks_is_read_by_pillow(tmp_path, mode):
    values = (noise(GREY).values[..., 0]).astype(np.uint16 if mode == "I;16" else np.uint8)
    image = Image.fromarray(values) if mode != "RGB" else Image.fromarray(values).convert("RGB")
    image.save(tmp_path / "x.tif", compression="tiff_lzw")
    read_back = read_values(tmp_path / "x.tif", 3 if mode == "RGB" else 1)
    assert np.array_equal(read_back[..., 0], values) and read_back.dtype == values.dtype


def test_three_channels_of_8_bits_are_made_by_the_mapping():
    form = Form(channels=4, low=0.0, high=1000.0, dtype="uint16", rgb=(4, 1, 1))
    levels = np.asarray(raster([[[200, 0, 0, 1000]]], form).shown())
    assert levels.tolist() == [[[255, 51, 51]]] and levels.dtype == np.uint8
    assert form.mapping == "channels 4, 1, 1 as red, green, blue; 0 to 1000 as 0 to 255"
    unmapped = form.model_copy(update={"rgb": None})
    assert np.asarray(raster([[[200, 0, 0, 1000]]], unmapped).shown()).tolist() == [[[51, 51, 51]]]
    assert RGB.mapping is None and unmapped.mapping is None


def test_rgb_is_read_and_written_as_ever(tmp_path):
    Image.fromarray(np.arange(48, dtype=np.uint8).reshape(4, 4, 3)).save(tmp_path / "x.png")
    image = read(tmp_path / "x.png")
    assert isinstance(image, Image.Image) and image == read_image(tmp_path / "x.png")
    write(tmp_path / "y.png", image)
    assert shown(tmp_path / "y.png") == image


def damaged(path):
    path.write_bytes(path.read_bytes()[:60])


def not_finite(path):
    np.save(path, np.full((4, 4), np.nan, np.float32))


def words(path):
    np.save(path, np.array([["a", "b"]]))


def pickled(path):
    np.save(path, np.array([{}]), allow_pickle=True)


def complex_values(path):
    np.save(path, np.ones((4, 4), complex))


def flat(path):
    np.save(path, np.ones(9, np.float32))


@pytest.mark.parametrize("harm", [damaged, not_finite, words, pickled, complex_values, flat])
def test_a_file_that_is_no_image_is_a_sentence(tmp_path, harm):
    path = tmp_path / "x.npy"
    np.save(path, np.ones((8, 8), np.float32))
    harm(path)
    with pytest.raises(UserError, match="x.npy"):
        read_values(path, 1)


def test_other_channels_and_other_types_are_refused(tmp_path):
    write_raster(tmp_path / "x.npy", noise(BANDS))
    with pytest.raises(UserError, match=r"\(24, 32, 4\).*3 channels"):
        read_values(tmp_path / "x.npy", 3)
    with pytest.raises(UserError, match="float32"):
        read_raster(tmp_path / "x.npy", BANDS.model_copy(update={"dtype": "float64"}))
    with pytest.raises(UserError, match="array"):
        read_image(tmp_path / "x.npy")


@pytest.mark.parametrize("form", [RGB, GREY])
def test_a_fit_keeps_the_aspect_ratio_and_stretching_does_not(form):
    # Squares of 8 pixels: dark, bright, dark, in a row of 24.
    row = np.repeat(np.repeat([[0, 255, 0]], 8, axis=1), 8, axis=0).astype(np.uint8)
    image = Image.fromarray(row).convert("RGB")
    if form != RGB:
        image = raster(row * 257.0)

    def levels(fit, size):
        x = (to_tensor(resize(image, size, fit))[0] + 1) / 2
        return x.numpy().round(3)

    assert levels("stretch", 24).shape == (24, 24)
    assert (levels("crop", 8) == 1).all()  # the middle square alone
    padded = levels("pad", 24)
    assert (padded[:8] == 0).all() and (padded[16:] == 0).all()
    assert np.array_equal(padded[8:16], row / 255)
    assert levels("pad", (24, 8)).shape == levels("crop", (24, 8)).shape == (24, 8)
    # With the ratio of the image the three are one.
    for size in ((4, 12), (8, 24), (16, 48)):
        assert np.array_equal(levels("crop", size), levels("stretch", size))
        assert np.array_equal(levels("pad", size), levels("stretch", size))
