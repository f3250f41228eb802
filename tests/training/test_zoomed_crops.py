"""Crops of single images, zoomed at random."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from command import run_command
from PIL import Image
from small_methods import build
from training_runs import arguments

from cut.base.errors import UserError
from cut.base.files import sha256_of
from cut.base.image_size import height_width
from cut.base.images import read_image
from cut.base.tensors import to_image, to_tensor
from cut.data.prepare import prepare
from cut.data.registry import resolve
from cut.methods.cut import Cut
from cut.methods.registry import discover
from cut.training.loop import Loop
from cut.training.options import training_options
from cut.training.zoomed_crops import Zoom, ZoomedCrops, region

CPU = torch.device("cpu")
CROP = (16, 24)


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> tuple[Path, Path]:
    """Return a source image of 97x131 and a target image of 80x64 pixels (height x width)."""
    folder, rng = tmp_path_factory.mktemp("pair"), np.random.default_rng(0)
    for name, shape in (("a", (97, 131, 3)), ("b", (80, 64, 3))):
        Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8)).save(folder / f"{name}.png")
    return folder / "a.png", folder / "b.png"


def crops(pair, n=12, batch_size=4, seed=0, epoch=1, **zoom) -> ZoomedCrops:
    return ZoomedCrops([pair[0]], [pair[1]], seed, epoch, n, batch_size, Zoom(CROP, **zoom))


@pytest.mark.parametrize("size", [(97, 131), (33, 44), (50, 131), (16, 61)])
def test_a_region_is_a_crop_of_the_resized_image(size, pair):
    with Image.open(pair[0]) as image:
        whole = np.asarray(image.resize((size[1], size[0]), Image.Resampling.BILINEAR)).astype(int)
        for top, left in ((0, 0), (size[0] - 16, size[1] - 24), (size[0] // 3, size[1] // 3)):
            top = min(top, size[0] - 16)
            found = np.asarray(region(image, size, (top, left), CROP)).astype(int)
            wanted = whole[top : top + 16, left : left + 24]
            assert found.shape == (16, 24, 3) and np.abs(found - wanted).max() <= 1
            assert (found == wanted).mean() > 0.99, "Pillow has the edges of a region in float32"


def test_without_zoom_the_numbers_of_an_epoch_go_through_the_cells(tmp_path):
    """97x131 pixels have 6x5 cells of 16x24; 60 crops take each of them twice."""
    y, x = np.mgrid[:97, :131]
    Image.fromarray(np.stack([y, x, y], axis=2).astype(np.uint8)).save(tmp_path / "places.png")
    found = crops([tmp_path / "places.png"] * 2, n=60, most=1.0, flip=False)
    cells = Counter()
    for index in range(60):
        crop = ((found[index][0] + 1) * 127.5).round().int()
        top, left = int(crop[0, 0, 0]), int(crop[1, 0, 0])
        assert torch.equal(crop[0, :, 0], torch.arange(top, top + 16, dtype=torch.int32))
        assert torch.equal(crop[1, 0], torch.arange(left, left + 24, dtype=torch.int32))
        cells[top // 16, left // 24] += 1
        assert top % 16 <= 97 % 16 and left % 24 <= 131 % 24
    assert len(cells) == 6 * 5 and set(cells.values()) == {2}


def test_a_batch_shares_its_factors_and_others_have_their_own(monkeypatch, pair):
    seen = []
    call = Zoom.__call__

    def note(self, image, factors, number, rng):
        seen.append(tuple(factors))
        return call(self, image, factors, number, rng)

    monkeypatch.setattr(Zoom, "__call__", note)
    found = crops(pair, most=3.0)
    for index in range(12):
        found[index]
    source, target = seen[::2], seen[1::2]
    for side in (source, target):
        assert [len(set(side[k : k + 4])) for k in (0, 4, 8)] == [1, 1, 1]
        assert len(set(side)) == 3 and all(1 / 3 <= f <= 1 for pair in side for f in pair)
    assert not set(source) & set(target)


def test_crops_follow_from_seed_epoch_and_position(pair):
    one, again = crops(pair), crops(pair)
    assert all(torch.equal(x, y) for k in (7, 2) for x, y in zip(one[k], again[k], strict=True))
    for other in (crops(pair, seed=1), crops(pair, epoch=2)):
        assert not torch.equal(one[3][0], other[3][0])


def test_an_image_below_the_crop_is_enlarged(tmp_path):
    Image.new("RGB", (10, 12), (255, 0, 0)).save(tmp_path / "small.png")
    paths = [tmp_path / "small.png"] * 2
    a, b = crops(paths)[0]
    assert a.shape == b.shape == (3, *CROP)
    assert (a[0] == 1).all() and (a[1:] == -1).all()


def test_mirroring_is_a_coin(pair):
    plain, mirrored = crops(pair, n=40, flip=False), crops(pair, n=40)
    flips = []
    for index in range(40):
        a, b = plain[index][0], mirrored[index][0]
        flips.append(torch.equal(a.flip(2), b))
        assert flips[-1] or torch.equal(a, b)
    assert 8 < sum(flips) < 32


SMALL = {"epochs_constant": 1, "epochs_decay": 1, "crop_size": 16, "batch_size": 4}


def loop_on(pair, **training) -> Loop:
    cls = discover()["sincut"]
    options = training_options(cls, {**SMALL, "images_per_epoch": 10, **training}, (90, 130))
    method = build("sincut", ngf=1, ndf=1, tile=8)
    return Loop(method, [pair[0]], [pair[1]], options, (90, 130), CPU)


def test_a_training_has_the_epochs_that_are_asked_for(pair):
    loop = loop_on(pair)
    assert (loop.steps, loop.total, loop.images_until(6)) == (3, 6, 20)
    shapes = [tuple(batch.source.shape) for batch in loop.batches() if loop.step(batch)]
    assert shapes == [(4, 3, 16, 16), (4, 3, 16, 16), (2, 3, 16, 16)] * 2


def test_a_training_continues_inside_an_epoch(pair):
    whole = list(zip(range(6), each(loop_on(pair)), strict=True))
    later = loop_on(pair)
    later.iteration = 4
    for (_, want), found in zip(whole[4:], each(later), strict=True):
        assert all(torch.equal(x, y) for x, y in zip(want, found, strict=True))


def each(loop):
    for batch in loop.batches():
        yield batch
        loop.iteration += 1


def test_the_authors_settings_are_the_methods_defaults():
    options = training_options(discover()["sincut"], {}, (966, 1200))
    assert (options.epochs, options.batch_size, options.images_per_epoch) == (16, 16, 100_000)
    assert options.crops == "zoom" and options.zoom_out == 3
    assert options.crop((966, 1200)) == height_width(options.crop_size) == (64, 64)


@pytest.mark.parametrize(
    ("method", "given", "words"),
    [
        ("cut", {"zoom_out": 2}, "crops: zoom"),
        ("cut", {"crops": "zoom", "load_size": 80}, "load_size"),
        ("cut", {"crop_size": 64, "load_size": 48}, "load_size 48 .* 64"),
        ("cut", {"images_per_epoch": 0}, "images_per_epoch"),
    ],
)
def test_options_of_other_crops_are_refused(method, given, words):
    with pytest.raises(UserError, match=words):
        training_options(discover()[method], given, (32, 32))


@pytest.mark.parametrize("kind", ["resize", "zoom"])
def test_any_method_may_train_on_crops_of_its_own(kind, pair):
    given = {"crop_size": "16x24", "images_per_epoch": 3, "crops": kind}
    options = training_options(Cut, given, (64, 64))
    loop = Loop(Cut(Cut.Options(ngf=1)), [pair[0]] * 5, [pair[1]], options, (64, 64), CPU)
    found = loop.crops(1)
    assert len(found) == 3 and all(x.shape == (3, *CROP) for k in range(3) for x in found[k])


def test_fewer_pairs_than_images_are_other_images_each_epoch(tmp_path):
    for k in range(9):
        Image.new("RGB", (8, 8), (20 * k, 0, 0)).save(tmp_path / f"{k}.png")
    files = sorted(tmp_path.iterdir())
    options = training_options(Cut, {"images_per_epoch": 4}, (16, 16))
    loop = Loop(Cut(Cut.Options(ngf=1)), files, files[:1], options, (16, 16), CPU)
    seen = [{float(loop.crops(e)[k][0].mean()) for k in range(4)} for e in (1, 2)]
    assert [len(colours) for colours in seen] == [4, 4] and seen[0] != seen[1]


def test_a_killed_run_ends_the_same_and_translates_the_whole_image(pair, tmp_path, monkeypatch):
    for path, folder, size in zip(pair, ("trainA", "trainB"), ((90, 66), (80, 64)), strict=True):
        (tmp_path / "mine" / folder).mkdir(parents=True)
        Image.open(path).resize(size).save(tmp_path / "mine" / folder / path.name)
    folders = {"trainA": "trainA", "trainB": "trainB", "testA": "trainA", "testB": "trainB"}
    source = {"source": str(tmp_path / "mine"), "folders": folders}
    dataset = prepare(resolve("mine", source), tmp_path / "data")
    options = {"ngf": 1, "ndf": 1, "tile": 8, "width": 8}
    training = {**SMALL, "images_per_epoch": 12, "checkpoint_minutes": 0}
    more = {"size": "66x90", "options": options, "training": training}
    file, cls = tmp_path / "data" / "dataset.json", discover()["sincut"]
    run_command("train", arguments(file, tmp_path / "straight", "sincut", **more))

    original, left = cls.step, [4]

    def dying(self, batch):
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt
        return original(self, batch)

    monkeypatch.setattr(cls, "step", dying)
    with pytest.raises(KeyboardInterrupt):
        run_command("train", arguments(file, tmp_path / "killed", "sincut", **more))
    run_command("train", arguments(file, tmp_path / "killed", "sincut", **more))
    runs = tmp_path / "straight", tmp_path / "killed"
    assert len({sha256_of(run / "generator.pt") for run in runs}) == 1

    run_command("translate", [f"--dataset={file}", f"--run={runs[0]}", "--device=cpu"])
    (whole,) = dataset.files("test", "source")
    method = cls(cls.Options(**options))
    method.load_generator_state(torch.load(runs[0] / "generator.pt", weights_only=True))
    wanted = to_image(method.translate(to_tensor(read_image(whole))[None])[0])
    found = read_image(runs[0] / "translated" / f"{whole.stem}.png")
    assert found.size == (90, 66) and found.tobytes() == wanted.tobytes()
