"""Features against pytorch-fid's own, and the file that keeps them."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from command import run_command
from PIL import Image
from pytorch_fid.fid_score import get_activations
from standin import pytorch_fids, write_images, write_weights

from cut.base.errors import UserError
from cut.metrics import feature_scores
from cut.metrics.image_folder import ImageFolder
from cut.metrics.inception import extract, features
from cut.metrics.inception.extract import Extractor
from cut.metrics.inception.weights import (
    WeightsUnavailable,
    find_inception,
    read_weights_json,
)
from cut.records.inception import InceptionRecord
from cut.records.scores import Side, Weights

SIDE = Side(
    images=1,
    size=(32, 32),
    formats=("PNG",),
    images_sha256="",
    extractor=extract.EXTRACTOR,
    resize=extract.RESIZE,
    dims=2048,
    weights=Weights(source="a file", tensors_sha256="0"),
)


@pytest.fixture(scope="module")
def standin(tmp_path_factory):
    """Return a random network's weights."""
    return find_inception(write_weights(tmp_path_factory.mktemp("weights") / "standin.pth"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return seven images of several kinds and one size."""
    folder = write_images(tmp_path_factory.mktemp("images"), 3)
    blotch = Image.open(folder / "02.png")
    blotch.convert("L").save(folder / "grey.png")
    blotch.save(folder / "photo.jpg")
    blotch.quantize(8).save(folder / "palette.png")
    glass = blotch.convert("RGBA")
    glass.putalpha(100)
    glass.save(folder / "glass.png")
    return folder


def test_are_those_of_pytorch_fid_with_any_batch_size(standin, folder):
    network = pytorch_fids(torch.load(standin.path, weights_only=True))
    paths = sorted(folder.iterdir(), key=lambda p: p.name)
    seen = []
    network.blocks[2][6].register_forward_hook(lambda *given: seen.append(given[-1][:, :7]))
    expected = get_activations(paths, network, batch_size=7, num_workers=0)
    spatial = torch.cat(seen).numpy()
    assert expected.std(axis=0).max() > 0.01  # the images differ, so the test can fail
    for batch_size in (3, 7):
        found = Extractor(standin, batch_size=batch_size).features(ImageFolder(folder))
        assert found.names == [path.name for path in paths]
        assert found.values.dtype == np.float32
        np.testing.assert_allclose(found.values, expected, atol=2e-5 * expected.max())
        # sFID's: the first 7 channels at each of 17x17 positions, in any order.
        inner = spatial.reshape(len(paths), -1)
        np.testing.assert_allclose(found.spatial, inner, atol=2e-5 * inner.max())


def test_the_file_gives_back_what_was_kept(standin, folder, tmp_path):
    path = tmp_path / "out" / "reference.npz"
    record = tmp_path / "inception.json"
    weights = standin.record
    InceptionRecord(path=str(standin.path), **weights.model_dump()).write(record)
    argv = [str(folder), str(path), "--weights-json", str(record), "--meta", "split=test"]
    assert run_command("features", [*argv, "--device", "cpu"]) == 0
    kept = features.load(path)
    assert kept.values.shape == (7, 2048) and kept.spatial.shape == (7, 7 * 17 * 17)
    assert kept.reason is None
    protocol = kept.protocol
    assert (protocol.split, protocol.images, protocol.size) == ("test", 7, (32, 32))
    assert protocol.weights == weights and protocol.network == "fast"
    assert kept.translated is None
    assert [p.name for p in path.parent.iterdir()] == ["reference.npz"]


def test_without_weights_the_file_holds_the_reason(folder, tmp_path):
    record, path = tmp_path / "inception.json", tmp_path / "reference.npz"
    InceptionRecord(reason="no network").write(record)
    assert run_command("features", [str(folder), str(path), "--weights-json", str(record)]) == 0
    kept = features.load(path)
    assert kept.reason == "no network"
    assert kept.values.shape == (0, 2048) and kept.spatial.shape == (0, 7 * 17 * 17)
    assert kept.protocol.images == 7


def test_the_record_of_the_images_changes_with_one_pixel(tmp_path):
    folder = write_images(tmp_path / "images", 2)
    before = ImageFolder(folder).digest
    image = Image.open(folder / "01.png")
    image.putpixel((0, 0), (1, 2, 3))
    image.save(folder / "01.png")
    assert ImageFolder(folder).digest != before
    nothing = Extractor(WeightsUnavailable("none")).features(ImageFolder(folder))
    assert nothing.protocol.images_sha256 == ImageFolder(folder).digest


def test_images_of_two_sizes_are_refused_by_name(tmp_path):
    folder = write_images(tmp_path / "images", 2)
    Image.new("RGB", (20, 30)).save(folder / "odd.png")
    with pytest.raises(UserError, match=r"odd.png is 20x30 but 00.png is 32x32"):
        Extractor(WeightsUnavailable("none")).features(ImageFolder(folder))


def test_sixteen_bit_images_are_scaled_and_not_clipped(tmp_path):
    levels = np.linspace(0, 65535, 64).reshape(8, 8).astype(np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    x = extract.unit_tensor(tmp_path / "deep.png")
    assert x[0].flatten().numpy() == pytest.approx(levels.flatten() / 65535, abs=0.003)


def test_files_that_hold_no_features_are_refused(tmp_path):
    path = tmp_path / "x.npz"
    with pytest.raises(UserError, match="there is no file"):
        features.load(path)
    path.write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(UserError, match="holds no features"):
        features.load(path)
    np.savez(path, mu=np.zeros(3), sigma=np.eye(3))
    with pytest.raises(UserError, match="pytorch-fid's means and covariances, .* give the folder"):
        features.load(path)
    with open(path, "wb") as file:
        np.save(file, np.zeros(3))
    with pytest.raises(UserError, match="holds no features"):
        features.load(path)
    rows = np.zeros((1, 2048), np.float32)
    for protocol in ("{}", "[]", "3", '{"weights": {}}', SIDE.model_copy(update={"weights": None})):
        text = protocol if isinstance(protocol, str) else protocol.model_dump_json()
        kept = {"protocol": np.array(text), "translated": np.array("null")}
        np.savez(path, features=rows, names=np.array(["a.png"]), **kept)
        with pytest.raises(UserError, match="holds no features"):
            features.load(path)
    np.savez(path, features=np.array([["a"]]), names=np.array(["a"]), protocol=np.array("{}"))
    with pytest.raises(UserError, match="holds no features"):
        features.load(path)
    bad = features.Features(np.full((1, 2048), np.nan, np.float32), ["a.png"], SIDE)
    features.save(bad, path)
    with pytest.raises(UserError, match="finite"):
        features.load(path)


def test_a_record_of_weights_that_are_gone_says_so(tmp_path, standin):
    record = tmp_path / "inception.json"
    lost = {"path": str(tmp_path / "gone.pth"), "source": "s", "tensors_sha256": "0"}
    InceptionRecord(**lost).write(record)
    with pytest.raises(UserError, match=r"gone.pth .* run python -m cut inception again"):
        read_weights_json(record)
    for content in ([], {"version": 1}, {"version": 1, **lost, "reason": "both"}):
        record.write_text(json.dumps(content))
        with pytest.raises(UserError, match="inception.json.*python -m cut inception"):
            read_weights_json(record)


def test_no_flipped_bit_changes_a_feature_silently(tmp_path):
    path = tmp_path / "kept.npz"
    kept = features.Features(np.ones((1, 2048), np.float32), ["a.png"], SIDE)
    features.save(kept, path)
    whole = path.read_bytes()
    refused = 0
    # Byte 70 is in numpy's own header.
    for bit in [*range(560, 568), *random.Random(0).sample(range(8 * len(whole)), 300)]:
        changed = bytearray(whole)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        try:
            found = features.load(path)
        except UserError:
            refused += 1
            continue
        assert np.array_equal(found.values, kept.values), bit
        assert (found.names, found.protocol) == (kept.names, kept.protocol), bit
    assert refused > 250


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--meta", "split"], "KEY=VALUE"),
        (["--meta", "splitt=x"], "split"),
        (["--batch-size", "0"], "1 or more"),
    ],
)
def test_bad_arguments_are_refused(folder, tmp_path, extra, words):
    record = tmp_path / "inception.json"
    InceptionRecord(reason="none").write(record)
    argv = [str(folder), str(tmp_path / "o.npz"), "--weights-json", str(record), *extra]
    with pytest.raises(UserError, match=words):
        run_command("features", argv)


def test_sfid_is_the_distance_of_the_inner_features(standin, folder, tmp_path, monkeypatch):
    real = Extractor(standin).features(ImageFolder(folder))
    few = feature_scores.distances(real, real)
    assert few.values["sfid"] is None and "2024 images" in few.missing["sfid"]
    monkeypatch.setattr(feature_scores, "SFID_LEAST", 7)
    moved = replace(real, spatial=real.spatial + np.float32(0.5))
    scores = feature_scores.distances(real, moved).values
    assert scores["fid"] == pytest.approx(0, abs=1e-6)
    assert scores["sfid"] == pytest.approx(0.25 * features.SPATIAL_DIMS, rel=1e-4)
    # A file from before there was sFID has every other score.
    features.save(replace(real, spatial=None), tmp_path / "old.npz")
    old = feature_scores.distances(features.load(tmp_path / "old.npz"), moved)
    assert old.values["fid"] == scores["fid"] and "python -m cut features" in old.missing["sfid"]
