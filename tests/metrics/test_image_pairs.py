"""Scores of pairs by networks of their own: which pairs, which reasons, which values."""

from __future__ import annotations

import pytest
import torch
from standin import write_images

from cut.base.errors import UserError
from cut.base.image_files import list_images
from cut.metrics.image_pairs import NAMES, PairNetworks, _batches, find_networks, score
from cut.metrics.wheels import WeightsUnavailable, WheelFile


class Apart(torch.nn.Module):
    """Stands for ST-LPIPS: the mean absolute difference."""

    def forward(self, a, b):
        return (a - b).abs().mean(dim=(1, 2, 3))


GIVEN = PairNetworks({"st_lpips": Apart(), "edges": Apart()}, {})


@pytest.fixture
def folders(tmp_path):
    """Return the images of (translations, inputs, true counterparts), by the same names."""
    return [list_images(write_images(tmp_path / str(i), 11, seed=i)) for i in range(3)]


def test_pairs_are_by_name_and_a_value_is_the_mean_over_them(folders):
    fake, source, truth = folders
    inputs = dict(zip(fake, source, strict=True))
    found = score(fake, inputs, truth, GIVEN)
    assert tuple(found.values) == NAMES and not found.missing
    assert found.values["edges"] == found.values["st_lpips_input"] != found.values["st_lpips_truth"]
    assert len(found.resamples["edges"]) == 200
    same = score(fake, dict(zip(fake, fake, strict=True)), fake, GIVEN)
    assert set(same.values.values()) == {0.0}
    assert score(fake, dict(list(inputs.items())[:3]), None, GIVEN).values["edges"] > 0


def test_what_is_not_there_has_its_reason(folders):
    fake, source, _ = folders
    found = score(fake, None, None, GIVEN)
    assert set(found.missing) == set(NAMES) and found.protocol == {}
    found = score(fake, None, source, PairNetworks.load())
    assert "--networks" in found.missing["st_lpips_truth"]
    one = PairNetworks({"edges": Apart()}, {"st_lpips": "no answer"})
    found = score(fake, dict(zip(fake, source, strict=True)), source, one)
    assert found.missing == dict.fromkeys(("st_lpips_input", "st_lpips_truth"), "no answer")
    assert set(found.protocol) == {"edges"}


def test_images_too_small_for_st_lpips_have_the_others(tmp_path):
    fake, source = (
        list_images(write_images(tmp_path / n, 4, seed=i, size=16)) for i, n in enumerate("ab")
    )
    found = score(fake, dict(zip(fake, source, strict=True)), source, GIVEN)
    assert set(found.missing) == {"st_lpips_input", "st_lpips_truth"}
    assert "at least 21 pixels" in found.missing["st_lpips_input"] and found.values["edges"] > 0


def test_unequal_sizes_are_refused(folders, tmp_path):
    other = list_images(write_images(tmp_path / "small", 11, size=16))
    with pytest.raises(UserError, match="are 32x32 but .* are 16x16"):
        score(folders[0], dict(zip(folders[0], other, strict=True)), None, GIVEN)


def test_large_images_come_one_at_a_time():
    pairs = [(i, i) for i in range(10)]
    assert [len(b) for b in _batches(pairs, (64, 64))] == [8, 2]
    assert {len(b) for b in _batches(pairs, (1024, 2048))} == {1}


def test_weights_that_cannot_be_had_are_a_reason(monkeypatch):
    def gone(self):
        raise WeightsUnavailable("no answer")

    monkeypatch.setattr(WheelFile, "find", gone)
    record = find_networks(["edges"])
    assert record.paths == {} and record.missing == {"edges": "no answer"}
    assert PairNetworks.load(record).missing["edges"] == "no answer"
