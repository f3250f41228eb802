"""Images that are not 8-bit RGB, carried from their files to scores."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from command import run_command
from other_forms import BANDS, COLOURS, GREY, noise, write_set
from PIL import Image
from small_methods import SMALL
from standin import write_weights
from training_runs import arguments

from cut.apply.card import card_of
from cut.apply.export import export_generator
from cut.apply.folder import Request, translate_folder
from cut.apply.image import Tiling
from cut.apply.trained import load_trained
from cut.base.image_form import RGB, Images
from cut.base.raster import Raster
from cut.base.raster_files import read_raster, read_values, write_raster
from cut.base.tensors import to_tensor
from cut.metrics.paired import compare, unit
from cut.records.images import TranslatedRecord, form_of
from cut.records.run import RunRecord
from cut.records.scores import ScoresRecord
from cut.report.figures import best_and_worst, encoder, image_grid
from cut.report.site.shown_images import shown_folder
from cut.training.batches import Augmentation, EpochPairs, Resized
from cut.training.board import _shown
from cut.training.checkpoint import fingerprint
from cut.training.loop import Loop
from cut.training.options import training_options
from cut.training.zoomed_crops import Zoom, ZoomedCrops

SHORT = {"epochs_constant": 1, "epochs_decay": 0, "log_every": 2}
NETWORKS = {key: SMALL[key] for key in ("ngf", "ndf")} | {"n_blocks": 1}
PATCHES = {**NETWORKS, "nce_layers": [0, 4, 8], "n_patches": 8, "width": 8}
TO_GREY = {"channels": 1, "bits": 16, "rgb": [1, 1, 1]}
TO_COLOURS = {"channels": {"A": 4}, "range": {"A": [-1, 3]}, "bits": {"B": 12}}
CPU = torch.device("cpu")


def carried(root: Path, forms, settings, method, options, **more) -> Path:
    """Prepare, train, translate and export a set; return the run."""
    source, data = write_set(root / "src", *forms), root / "data"
    given = [f"--set={key}={json.dumps(value)}" for key, value in settings.items()]
    run_command("prepare", ["mine", "--out", data, "--source", source, *given])
    run = root / "results/mine/row/seed0"
    run_command("train", arguments(data / "dataset.json", run, method, options, SHORT, **more))
    run_command("translate", ["--dataset", data / "dataset.json", "--run", run, "--device", "cpu"])
    fit = more.get("fit", "stretch")
    test = root / "results/mine/test"
    run_command("export", [data / "dataset.json", test, "--size", 32, "--fit", fit])
    return run


def scored(run: Path, weights: Path) -> ScoresRecord:
    test = run.parents[1] / "test"
    images = [test / "target", run / "translated", "--test", test, "--json", run / "scores.json"]
    run_command("score", [*images, "--fid-weights", weights, "--device", "cpu"])
    return ScoresRecord.read(run / "scores.json")


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> Path:
    return write_weights(tmp_path_factory.mktemp("weights") / "inception.pth")


@pytest.fixture(scope="module")
def grey(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("grey")
    return carried(root, (GREY, GREY), TO_GREY, "cut", PATCHES, fit="crop")


@pytest.fixture(scope="module")
def bands(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("bands")
    return carried(root, (BANDS, COLOURS), TO_COLOURS, "cyclegan", NETWORKS)


def test_translations_of_16_bit_grey_are_16_bit_grey_png(grey):
    record = TranslatedRecord.read(grey / "translated/manifest.json")
    assert record.translated.form == GREY and set(record.images) == {"0.png", "1.png"}
    for name in record.images:
        values = read_values(grey / "translated" / name, 1)
        assert values.dtype == np.uint16 and values.shape == (32, 32, 1)
        assert len(np.unique(values)) > 300  # more than 8 bits hold


def test_translations_have_the_channels_and_the_file_of_the_target(bands):
    run = RunRecord.read(bands / "run.json")
    assert (run.source_form, run.target_form) == (BANDS, COLOURS)
    for name in TranslatedRecord.read(bands / "translated/manifest.json").images:
        values = read_raster(bands / "translated" / name, COLOURS).values
        assert values.shape == (32, 32, 3) and values.min() >= 0 and values.max() <= 4095
    weights = torch.load(bands / "generator.pt", weights_only=True)
    shapes = {key: tuple(value.shape) for key, value in weights.items()}
    assert shapes["model.1.weight"] == (4, 4, 7, 7)
    assert [shape for shape in shapes.values() if shape[0] == 3] == [(3, 4, 7, 7), (3,)]


def test_a_mapping_gives_the_scores_and_its_words(grey, weights):
    record = scored(grey, weights)
    assert record.scores["fid"] is not None and record.scores["perceptual"] is not None
    sides = record.protocol.real, record.protocol.fake
    assert [side.mapping for side in sides] == [GREY.mapping] * 2
    assert [side.fit for side in sides] == ["crop", "crop"]


def test_without_a_mapping_the_scores_are_missing_with_the_reason(bands, weights):
    record = scored(bands, weights)
    for name in ("fid", "kid", "vendi", "perceptual"):
        assert record.scores[name] is None and "rgb" in record.missing[name]
    # Features of such images say the same, and nothing asks for them again.
    run_command("inception", ["--out", bands / "inception.json", "--weights", weights])
    test = bands.parents[1] / "test"
    how = ["--weights-json", bands / "inception.json", "--device", "cpu"]
    run_command("features", [test / "target", test / "target.npz", *how])
    run_command("score", [test / "target.npz", bands / "translated", "--test", test, *how])


def test_l1_and_ssim_need_no_mapping(tmp_path):
    for name, value in (("ours", 0.0), ("true", 1.0)):
        (tmp_path / name).mkdir()
        values = np.full((12, 12, 4), value, np.float32)
        write_raster(tmp_path / name / "x.npy", Raster(values, BANDS))
    found = compare([tmp_path / "ours/x.npy"], [tmp_path / "true/x.npy"], BANDS)
    assert found["l1"].tolist() == [0.25]  # one of the four units from -1 to 3
    a, b, c = 0.25, 0.5, 0.01**2  # constant images: the term of the means alone
    assert found["ssim"][0] == pytest.approx((2 * a * b + c) / (a * a + b * b + c))


def test_another_fit_is_another_run(grey):
    data = grey.parents[3] / "data/dataset.json"
    with pytest.raises(Exception, match="fit"):
        run_command("train", arguments(data, grey, "cut", PATCHES, SHORT))


def test_figures_show_the_images_by_their_mapping(grey, bands, weights):
    for run in (grey, bands):
        test = run.parents[1] / "test"
        columns = image_grid.columns(test, [run])
        assert len(columns) == 2
        image_grid.draw(columns, ["0", "1"])
    shown = image_grid.columns(grey.parents[1] / "test", [grey])[0]
    assert shown.form == GREY == form_of(grey.parents[1] / "test/source")
    encoder.draw(grey, grey.parents[1] / "test", ["0"], 0)
    truth = grey.parents[1] / "test"
    assert unit(truth / "source/0.png", GREY).shape == (32, 32, 1)
    assert best_and_worst.Line.of(truth / "source").image("0").mode == "RGB"


@pytest.mark.parametrize("tiling", [None, Tiling(32, 8)])
def test_any_folder_of_the_sources_form_is_translated(bands, tmp_path, tiling):
    given = tmp_path / "given"
    given.mkdir()
    for k, size in enumerate(((24, 32), (45, 70))):
        write_raster(given / f"{k}.npy", noise(BANDS, k, size))
    trained = load_trained(bands)
    how = (given, tmp_path / "out", Request(tiling=tiling), CPU)
    assert translate_folder(trained, *how) == (2, 0)
    assert translate_folder(trained, *how) == (0, 2)
    values = read_raster(tmp_path / "out/1.tif", COLOURS).values
    assert values.shape == (45, 70, 3)
    one = (given / "0.npy", tmp_path / "one.tif", Request(tiling=tiling), CPU)
    assert translate_folder(trained, *one) == (1, 0)
    assert (tmp_path / "one.tif").read_bytes() == (tmp_path / "out/0.tif").read_bytes()


def test_an_exported_generator_does_what_its_card_says(bands, tmp_path, monkeypatch):
    trained, out = load_trained(bands), tmp_path / "g.pt"
    image = noise(BANDS, 3)
    expected = trained.method.translate(
        torch.from_numpy((image.values + 1) / 2 - 1).permute(2, 0, 1)[None]
    )
    export_generator(trained, out, lambda file, d: card_of(trained, out, file, d))
    program = (tmp_path / "g.md").read_text().split("```python\n")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    np.save("image.npy", image.values)
    exec(program, {})
    found = np.load("translated.npy")
    wanted = (expected[0].permute(1, 2, 0).numpy() + 1) / 2 * 4095
    assert found.shape == (24, 32, 3) and np.abs(found - wanted).max() < 0.5


def test_an_rgb_run_says_no_form(tmp_path):
    run = carried(tmp_path, (RGB, RGB), {}, "copy", {})
    record = RunRecord.read(run / "run.json")
    assert record.source_form is record.target_form is None and record.fit == "stretch"
    manifest = TranslatedRecord.read(run / "translated/manifest.json")
    assert manifest.translated.form is None and form_of(run / "translated") == RGB
    assert Image.open(run / "translated/0.png").mode == "RGB"


def pairs_of(root: Path, load, cache=None, fit="stretch"):
    """Return the pairs of an epoch of the set in `root`: four channels and three."""
    files = [sorted((root / folder).iterdir()) for folder in ("trainA", "trainB")]
    augmentation = Augmentation(load, (24, 32), True, fit)
    return EpochPairs(*files, 0, 1, augmentation, cache, forms=(BANDS, COLOURS))


def test_crops_and_mirrors_keep_every_value(tmp_path):
    write_set(tmp_path, BANDS, COLOURS)
    known = [
        [to_tensor(read_raster(path, form)) for path in sorted((tmp_path / folder).iterdir())]
        for folder, form in (("trainA", BANDS), ("trainB", COLOURS))
    ]
    mirrored = 0
    for pair in pairs_of(tmp_path, (24, 32)):
        for x, images in zip(pair, known, strict=True):
            flipped = [torch.equal(x.flip(2), image) for image in images]
            mirrored += any(flipped)
            assert sum(torch.equal(x, image) for image in images) + sum(flipped) == 1
    assert 0 < mirrored < 6


@pytest.mark.parametrize("fit", ["stretch", "crop", "pad"])
def test_kept_images_are_those_that_are_read(tmp_path, fit):
    write_set(tmp_path, BANDS, COLOURS)
    read, kept = (pairs_of(tmp_path, (36, 36), cache, fit) for cache in (None, Resized()))
    for one, other in zip(read, kept, strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))
        assert [x.shape[0] for x in one] == [4, 3]


def test_zoomed_crops_have_both_forms(tmp_path):
    write_set(tmp_path, BANDS, COLOURS)
    files = [[tmp_path / "trainA/0.npy"], [tmp_path / "trainB/0.tif"]]
    crops = ZoomedCrops(*files, 0, 1, 4, 2, Zoom((16, 16)), forms=(BANDS, COLOURS))
    shapes = [tuple(x.shape) for pair in crops for x in pair]
    assert shapes == [(4, 16, 16), (3, 16, 16)] * 4


def test_the_fit_decides_the_fingerprint(grey):
    record = RunRecord.read(grey / "run.json")
    assert record.fit == "crop"
    method = load_trained(grey).method
    loop = Loop(method, [Path()], [Path()], training_options(type(method), SHORT), (32, 32), CPU)
    found = fingerprint(loop, record.dataset_digest)
    method.options._images = Images(GREY, GREY)
    assert fingerprint(loop, record.dataset_digest) != found


def test_a_browser_is_given_pictures(grey, tmp_path):
    folder = shown_folder(grey / "translated", tmp_path / "site")
    assert folder.is_relative_to(tmp_path / "site/assets/shown")
    for path in sorted((grey / "translated").glob("*.png")):
        expected = read_raster(path, GREY).shown()
        assert np.array_equal(Image.open(folder / path.name), expected)
        assert expected.mode == "RGB"


def test_the_board_shows_three_channels():
    x = torch.tensor([-1.0, 0, 1, 0]).reshape(1, 4, 1, 1).expand(2, -1, 8, 8)
    mapped = BANDS.model_copy(update={"rgb": (3, 1, 2)})
    assert _shown(x, mapped)[0, :, 0, 0].tolist() == [1, 0, pytest.approx(0.5, abs=1 / 255)]
    assert _shown(x, BANDS).shape == (2, 3, 8, 8)
