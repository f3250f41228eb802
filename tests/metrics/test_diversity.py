"""How far the translations of one input differ."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from fake_runs import run_record, write_run
from PIL import Image

from cut.base import random_streams
from cut.base.errors import UserError
from cut.base.image_form import RGB
from cut.metrics import diversity
from cut.metrics.diversity import mean_distance, score_diversity
from cut.metrics.image_pairs import PairNetworks
from cut.results.run import load_run
from cut.training.samples import sample


class Apart(torch.nn.Module):
    """Stands for ST-LPIPS: the mean absolute difference of pixels."""

    def maps(self, images):
        return images

    def between(self, a, b):
        return (a - b).abs().mean(dim=(1, 2, 3))


class Grey(torch.nn.Module):
    """A method whose translation of an image is one grey level, drawn for it."""

    options = None

    def __init__(self, words="drawn"):
        super().__init__()
        self.words = words

    def scored(self, options):
        return self.words

    def translations(self, files, size, batch_size):
        for name in files:
            image = torch.full((1, 3, 2, 2), -1.0 if name == "a" else 1.0)
            (rng,) = random_streams.of_images(image, "grey")
            level = int(torch.randint(256, (1,), generator=rng))
            yield name, Image.new("RGB", (4, 4), (level, level, level))


GIVEN = PairNetworks({"st_lpips": Apart()}, {})
DATASET = SimpleNamespace(files=lambda *_: ["a", "b"], form=lambda _: RGB)


def measure(tmp_path, monkeypatch, method, given=GIVEN, samples=3):
    record = run_record("coats2stripes", "cut", "cut", 0, 1, 1.0, {})
    monkeypatch.setattr(diversity, "load_run", lambda run: (record, method))
    return score_diversity(DATASET, tmp_path, given, torch.device("cpu"), 1, samples)


def test_the_mean_is_over_all_pairs():
    levels = torch.tensor([0.0, 0.5, 0.9])
    images = levels[:, None, None, None].expand(3, 3, 4, 4)
    assert mean_distance(Apart(), images) == pytest.approx((0.5 + 0.9 + 0.4) / 3)


def test_samples_differ_by_the_numbers_drawn_for_an_image(tmp_path, monkeypatch):
    levels = {"a": [], "b": []}
    for number in range(3):
        with sample(number):
            for name, image in Grey().translations("ab", None, 1):
                levels[name].append(image.getpixel((0, 0))[0] / 255)
    pairs = [
        sum(abs(x[i] - x[j]) for i, j in ((0, 1), (0, 2), (1, 2))) / 3 for x in levels.values()
    ]
    found = measure(tmp_path, monkeypatch, Grey())
    assert found.st_lpips == pytest.approx(sum(pairs) / 2, rel=1e-6) and found.st_lpips > 0
    assert (found.samples, found.images, found.missing) == (3, 2, None)
    assert random_streams.of_images.__name__ == "of_images", "outside of a sample nothing changes"


def test_a_missing_score_has_its_reason(tmp_path, monkeypatch):
    found = measure(tmp_path, monkeypatch, Grey(""))
    assert found.st_lpips is None and "one translation" in found.missing
    found = measure(tmp_path, monkeypatch, Grey(), PairNetworks({}, {"st_lpips": "no answer"}))
    assert (found.missing, found.network) == ("no answer", None)
    with pytest.raises(UserError, match="--samples is 1"):
        measure(tmp_path, monkeypatch, Grey(), samples=1)


def test_a_run_has_the_diversity_of_its_own_training(tmp_path, monkeypatch):
    run = write_run(tmp_path, points=1, images=0)
    assert load_run(run).value("st_lpips_diversity") == (None, "not measured")
    found = measure(tmp_path, monkeypatch, Grey())
    assert load_run(run).value("st_lpips_diversity") == (found.st_lpips, "")
    found.model_copy(update={"fingerprint": "0" * 64}).write(tmp_path / "diversity.json")
    assert load_run(run).value("st_lpips_diversity")[0] is None, "of another training"
