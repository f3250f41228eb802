"""Where the two controls land on real photographs: a score that gets those wrong is wrong.

`copy` returns its inputs, horses; `real` returns zebras that are translations of nothing.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from standin import write_manifest

from cut.base.images import resize, write_png
from cut.metrics import feature_scores, input_distance, prdc
from cut.metrics.catalogue import METRICS, SCORES
from cut.metrics.inception.extract import Extractor
from cut.metrics.inception.weights import WeightsUnavailable, find_inception
from cut.metrics.score import Partners, score
from cut.metrics.segmentation import segmenter
from cut.records.scores import ScoresRecord

# One worker scores the controls for all tests.
pytestmark = pytest.mark.xdist_group("controls")
IMAGES = {"testA": 60, "testB": 70, "trainB": 60}
SIZE = 64


@pytest.fixture(scope="module")
def scored(shared_data, tmp_path_factory) -> dict[str, ScoresRecord]:
    """Return what scoring says of each control, with real photographs and FID's weights."""
    try:
        weights = find_inception()
    except WeightsUnavailable as error:
        pytest.skip(str(error))
    root = tmp_path_factory.mktemp("controls")
    with zipfile.ZipFile(shared_data / "horse2zebra.zip") as archive:
        for folder, n in IMAGES.items():
            inside = f"horse2zebra/{folder}/"
            names = sorted(m for m in archive.namelist() if m.startswith(inside) and m != inside)
            for name in names[:: len(names) // n][:n]:
                image = Image.open(io.BytesIO(archive.read(name))).convert("RGB")
                write_png(root / folder / f"{Path(name).stem}.png", resize(image, SIZE))
    write_manifest(root / "trainB", "ceiling")
    partners = Partners(truth=root / "testA", source=root / "testA")
    controls = {"copy": root / "testA", "real": root / "trainB"}
    extractor = Extractor(weights)
    return {
        name: score(root / "testB", folder, partners, extractor)
        for name, folder in controls.items()
    }


def test_real_images_are_closer_to_real_images_than_the_inputs_are(scored):
    copy, real = (scored[name].scores for name in ("copy", "real"))
    # The Vendi score is of the translations alone: horses may be more varied than zebras.
    compared = [
        name
        for name in feature_scores.NAMES
        if METRICS[name].better and real[name] is not None and name != "vendi"
    ]
    assert {"fid", "kid", *prdc.NAMES, "mind", "mmd"} == set(compared)
    for name in compared:
        closer = real[name] < copy[name]
        assert closer == (METRICS[name].better == "lower"), f"{name}: {real[name]}, {copy[name]}"
    assert real["fid_high"] < copy["fid_low"] and real["kid_high"] < copy["kid_low"]
    assert real["fid"] < 0.6 * copy["fid"]


def test_scores_whose_perfect_value_is_known_give_it(scored):
    copy, real = (scored[name].scores for name in ("copy", "real"))
    assert real["kid_low"] < 0 < real["kid_high"]  # two samples of zebras: no distance
    assert 1 < real["vendi"] < IMAGES["trainB"] and 1 < copy["vendi"] < IMAGES["testA"]
    assert real["coverage"] > 0.8 and real["density"] > 0.7
    assert copy["l1"] == 0 and copy["ssim"] == pytest.approx(1)
    assert [copy[name] for name in input_distance.NAMES] == [0, 0]


def test_unrelated_images_are_far_from_the_inputs(scored):
    real = scored["real"].scores
    assert real["perceptual"] > 0.1 and real["self_similarity"] > 0.03
    assert real["l1"] is None and "no counterparts" in scored["real"].missing["l1"]


def test_what_is_not_measured_has_its_reason(scored):
    for result in scored.values():
        gone = {name for name in SCORES if result.scores[name] is None}
        assert gone == set(result.missing)
        assert {*segmenter.NAMES, "fid_infinity"} <= gone
