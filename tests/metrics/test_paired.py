"""L1 and SSIM of image pairs, and the matching of pairs."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from standin import write_images

from cut.base.errors import UserError
from cut.base.image_files import list_images
from cut.metrics.paired import compare, l1, ssim


def noise(h: int, w: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(size=(h, w, 3))


@pytest.mark.parametrize(("h", "w"), [(32, 48), (11, 11), (8, 20), (7, 7), (4, 3)])
def test_an_image_is_wholly_similar_to_itself_at_any_size(h, w):
    image = noise(h, w)
    assert ssim(image, image) == pytest.approx(1)
    assert l1(image, image) == 0
    assert ssim(image, noise(h, w, 1)) < 0.6


def test_flat_images_have_a_closed_form():
    dark, light = np.full((16, 16, 3), 0.25), np.full((16, 16, 3), 0.75)
    # No variance: only the luminance term is left, with the constant (0.01)^2.
    expected = (2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4)
    assert ssim(dark, light) == pytest.approx(expected, rel=1e-9)
    assert l1(dark, light) == pytest.approx(0.5)


def test_a_side_under_three_pixels_is_refused():
    with pytest.raises(UserError, match="3x3"):
        ssim(noise(2, 9), noise(2, 9))


def test_means_over_pairs_by_name_whatever_the_extension(tmp_path):
    fake = write_images(tmp_path / "fake", 3)
    truth = tmp_path / "truth"
    truth.mkdir()
    for i, path in enumerate(sorted(fake.iterdir())):
        levels = np.asarray(Image.open(path)).astype(int)
        darker = np.where(levels >= 10 * i, levels - 10 * i, levels + 10 * i)
        Image.fromarray(darker.astype(np.uint8)).save(truth / f"{path.stem}.bmp")
    found = compare(list_images(fake), list_images(truth))
    assert found["l1"] == pytest.approx(np.array([0, 10, 20]) / 255)
    assert 0.5 < found["ssim"].mean() < 1


@pytest.mark.parametrize("side", ["fake", "truth"])
def test_an_image_without_counterpart_is_named(tmp_path, side):
    for name in ("fake", "truth"):
        write_images(tmp_path / name, 3)
    lost = "truth" if side == "fake" else "fake"
    (tmp_path / lost / "01.png").unlink()
    with pytest.raises(UserError, match=rf"{side}/01.png has no counterpart"):
        compare(list_images(tmp_path / "fake"), list_images(tmp_path / "truth"))


def test_unequal_sizes_and_double_names_are_refused(tmp_path):
    fake, truth = write_images(tmp_path / "fake", 2), write_images(tmp_path / "truth", 2, size=16)
    with pytest.raises(UserError, match="32x32 but its counterpart .* is 16x16"):
        compare(list_images(fake), list_images(truth))
    Image.open(fake / "00.png").save(fake / "00.bmp")
    with pytest.raises(UserError, match="same name"):
        compare(list_images(fake), list_images(truth))
