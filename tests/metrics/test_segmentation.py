"""The segmentation network, its weights files, and the scores of translated label maps."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from command import run_command
from PIL import Image
from standin import write_manifest
from torch import nn

from cut.base.errors import UserError
from cut.metrics import score
from cut.metrics.inception.extract import Extractor
from cut.metrics.inception.weights import WeightsUnavailable
from cut.metrics.score import Partners
from cut.metrics.segmentation.confusion import confusion, scores
from cut.metrics.segmentation.drn import DRN
from cut.metrics.segmentation.segmenter import (
    COUNTED,
    MEAN,
    NAMES,
    STD,
    Segmenter,
    training_classes,
)
from cut.records.inception import InceptionRecord

NOTHING = Extractor(WeightsUnavailable("none for this test"))


def random_weights(seed: int = 0) -> dict[str, torch.Tensor]:
    """Return weights that predict several classes."""
    torch.manual_seed(seed)
    network = DRN()
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return network.state_dict()


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "drn.pth"
    torch.save(random_weights(), path)
    return path


def write_labelled(folder: Path, n: int = 3) -> tuple[Path, Path]:
    """Write `n` images of 40x24 (width x height) and maps of label ids of 80x48."""
    rng = np.random.default_rng(0)
    for name in ("images", "labels"):
        (folder / name).mkdir()
    for i in range(n):
        blocks = rng.integers(0, 256, (3, 5, 3), dtype=np.uint8)
        image = Image.fromarray(blocks.repeat(8, 0).repeat(8, 1))
        image.save(folder / "images" / f"{i}.png")
        ids = rng.integers(0, 34, (6, 10), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
        Image.fromarray(ids).save(folder / "labels" / f"{i}.png")
    return folder / "images", folder / "labels"


def test_names_and_shapes_are_those_of_the_published_checkpoints():
    """Spelled out from fyu/drn: DRNSeg of drn_d_22, 16 million parameters."""
    expected = {
        "base.0.0.weight": (16, 3, 7, 7),
        "base.1.0.weight": (16, 16, 3, 3),
        "base.2.0.weight": (32, 16, 3, 3),
    }
    norms = {"base.0.1": 16, "base.1.1": 16, "base.2.1": 32}
    before = 32
    for level, width in ((3, 64), (4, 128), (5, 256), (6, 512)):
        for block in (0, 1):
            at = f"base.{level}.{block}"
            expected[f"{at}.conv1.weight"] = (width, before if block == 0 else width, 3, 3)
            expected[f"{at}.conv2.weight"] = (width, width, 3, 3)
            norms |= {f"{at}.bn1": width, f"{at}.bn2": width}
        expected[f"base.{level}.0.downsample.0.weight"] = (width, before, 1, 1)
        norms[f"base.{level}.0.downsample.1"] = width
        before = width
    for level in (7, 8):
        expected[f"base.{level}.0.weight"] = (512, 512, 3, 3)
        norms[f"base.{level}.1"] = 512
    expected |= {"seg.weight": (19, 512, 1, 1), "seg.bias": (19,), "up.weight": (19, 1, 16, 16)}
    for name, width in norms.items():
        parts = ("weight", "bias", "running_mean", "running_var")
        expected |= {f"{name}.{part}": (width,) for part in parts}
        expected[f"{name}.num_batches_tracked"] = ()
    assert {k: tuple(v.shape) for k, v in DRN().state_dict().items()} == expected


def test_dilations_and_strides_are_the_papers():
    """Maps have an eighth of the resolution before they are enlarged, and dilation widens."""
    network = DRN()
    found = [
        (m.stride[0], m.dilation[0])
        for name, m in network.base.named_modules()
        if isinstance(m, nn.Conv2d) and m.kernel_size == (3, 3)
    ]
    plain, halved = [(1, 1)], [(2, 1), (1, 1), (1, 1), (1, 1)]
    assert found == [*plain, (2, 1), *halved, *halved, *[(1, 2)] * 4, *[(1, 4)] * 4, (1, 2), (1, 1)]
    assert network.base(torch.zeros(1, 3, 32, 64)).shape == (1, 512, 4, 8)
    assert network(torch.zeros(1, 3, 30, 61)).shape == (1, 19, 30, 61)


def test_a_residual_block_is_its_formula():
    network = DRN().eval()
    block, x = network.base[4][0], torch.randn(1, 64, 8, 8)
    inner = torch.relu(block.bn1(block.conv1(x)))
    expected = torch.relu(block.bn2(block.conv2(inner)) + block.downsample(x))
    assert torch.allclose(block(x), expected)
    same = network.base[4][1]
    y = block(x)
    inner = torch.relu(same.bn1(same.conv1(y)))
    assert torch.allclose(same(y), torch.relu(same.bn2(same.conv2(inner)) + y))


def test_every_form_of_checkpoint_loads_to_the_same_network(weights, tmp_path):
    state = torch.load(weights, weights_only=True)
    old = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    several = {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in old.items()}}
    image = Image.fromarray(np.random.default_rng(1).integers(0, 256, (16, 24, 3), dtype=np.uint8))
    expected = Segmenter.load(weights, "image").predict(image, "cpu")
    assert len(np.unique(expected)) > 2
    for name, content in {"bare": old, "several": several}.items():
        torch.save(content, tmp_path / name)
        found = Segmenter.load(tmp_path / name, "image").predict(image, "cpu")
        assert np.array_equal(found, expected)


def test_the_network_sees_normalised_pixels_at_its_size(weights):
    segmenter = Segmenter.load(weights, "16x32")
    image = Image.fromarray(np.random.default_rng(2).integers(0, 256, (20, 20, 3), dtype=np.uint8))
    pixels = np.asarray(image.resize((32, 16), Image.Resampling.BICUBIC), np.float64) / 255
    x = torch.from_numpy((pixels - np.array(MEAN)) / np.array(STD)).float()
    with torch.inference_mode():
        expected = segmenter.network(x.permute(2, 0, 1)[None])[0].argmax(0).numpy()
    found = segmenter.predict(image, "cpu")
    assert found.shape == (16, 32) and np.array_equal(found, expected)
    assert Segmenter.load(weights).size == (128, 256)


def test_label_ids_become_the_19_classes_of_cityscapes():
    classes = training_classes(np.arange(256))
    assert classes[7] == 0 and classes[26] == 13 and classes[33] == 18  # road, car, bicycle
    assert sorted(classes[classes < 255]) == list(range(19)) and len(COUNTED) == 19
    assert (classes[[0, 1, 4, 9, 14, 29, 30, 255]] == 255).all()  # unlabelled … caravan, trailer


def test_scores_are_those_of_one_confusion_over_all_images(weights, tmp_path):
    images, labels = write_labelled(tmp_path)
    result = score.score(
        images, images, Partners(labels=labels), NOTHING, segmenter=Segmenter.load(weights, "image")
    )
    segmenter, counts = Segmenter.load(weights, "image"), np.zeros((19, 19), int)
    for path in sorted(images.iterdir()):
        ids = np.asarray(Image.open(labels / path.name))[1::2, 1::2]  # blocks: any pixel of four
        predicted = segmenter.predict(Image.open(path), "cpu")
        counts += confusion(training_classes(ids), predicted, 19)
    expected = scores(counts)
    assert {name: result.scores[name] for name in NAMES} == pytest.approx(expected)
    assert 0 < expected["pixel_accuracy"] < 1
    assert result.protocol.segmenter.size == "the images' own"
    assert len(result.protocol.segmenter.weights_sha256) == 64


def test_the_command_finds_labels_and_says_why_scores_are_missing(weights, tmp_path):
    images, _ = write_labelled(tmp_path)  # labels/ beside images/, as an export has them
    record, out = tmp_path / "inception.json", tmp_path / "scores.json"
    InceptionRecord(reason="none").write(record)
    argv = [
        str(images),
        str(images),
        "--test",
        str(tmp_path),
        "--weights-json",
        str(record),
        "--json",
        str(out),
        "--device",
        "cpu",
    ]
    run_command("score", argv)
    assert "segmenter: FILE" in json.loads(out.read_text())["missing"]["miou"]
    run_command("score", [*argv, "--segmenter", str(weights)])
    result = json.loads(out.read_text())
    assert result["scores"]["miou"] > 0 and result["protocol"]["segmenter"]["size"] == "128x256"


def test_real_training_images_have_others_labels(weights, tmp_path):
    images, labels = write_labelled(tmp_path)
    write_manifest(images, "ceiling")
    result = score.score(
        images, images, Partners(labels=labels), NOTHING, segmenter=Segmenter.load(weights)
    )
    assert result.scores["miou"] is None and "labels" in result.missing["miou"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no archive", "can't be read as weights"),
        ([1, 2], "holds no dictionary of tensors"),
        ({"seg.weight": torch.zeros(19, 512, 1, 1)}, "DRN-D-22 with 19 classes .*Missing key"),
        ({"seg.bias": torch.zeros(5)}, "DRN-D-22 with 19 classes"),
    ],
)
def test_other_files_are_refused_in_a_sentence(tmp_path, content, words):
    path = tmp_path / "weights.pth"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        torch.save(content, path)
    with pytest.raises(UserError, match=words) as caught:
        Segmenter.load(path)
    assert "\n" not in str(caught.value)


def test_a_size_that_is_none_is_refused(weights):
    with pytest.raises(UserError, match="--segmenter-size is 'big'; give pixels"):
        Segmenter.load(weights, "big")
