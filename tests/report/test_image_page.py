"""Images at print resolution."""

from __future__ import annotations

import numpy as np
from fake_runs import picture
from PIL import Image

from cut.report.figures import image_page


def test_small_images_are_enlarged_and_large_ones_reduced():
    assert image_page.frame((48, 48), 1.0, 2.0) == image_page.Frame((288, 288), 300)
    place = image_page.frame(
        (64, 64), 0.4, 0.4
    )  # 64 pixels would fill half of it, 128 are more than 120
    assert place.pixels == (128, 128) and place.dpi == 320 and max(place.inches) <= 0.4
    assert image_page.frame((512, 256), 1.0, 1.0) == image_page.Frame((300, 150), 300)
    twice = image_page.fitted(picture(0), (71, 60))
    assert np.array_equal(twice, np.asarray(picture(0)).repeat(2, 0).repeat(2, 1))
    lines = np.zeros((64, 64, 3), np.uint8)
    lines[:, ::2] = 255
    reduced = np.asarray(image_page.fitted(Image.fromarray(lines), (24, 24)))
    assert reduced.shape == (24, 24, 3)
    assert np.ptp(reduced[:, 4:-4].astype(int)) < 128, "lines become grey, not other lines"
