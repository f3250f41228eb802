"""What the benchmark of scoring makes of its times."""

from __future__ import annotations

import json
import sys

import pytest
from PIL import Image

from benchmarks import scoring


def test_the_ratio_is_the_median_of_turns(tmp_path, monkeypatch, capsys):
    fids = {"cut score": 10.0, "pytorch_fid": 10.1}
    # The ratios of the turns are 4, 8 and 5; that of the medians is 6.
    times = {"cut score": [2.0, 1.0, 1.2], "pytorch_fid": [8.0, 8.0, 6.0]}
    monkeypatch.setattr(scoring, "measure", lambda args: (fids, times))
    limit = {"seconds": 0.12, "least_seconds": 0.1}
    monkeypatch.setattr(scoring, "network_limit", lambda size: limit if size == (6, 8) else None)
    out, fake = tmp_path / "scoring.json", tmp_path / "fake"
    fake.mkdir()
    Image.new("RGB", (8, 6)).save(fake / "a.png")
    monkeypatch.setattr(sys, "argv", ["scoring", "real", str(fake), "--json", str(out)])
    assert scoring.main() == 0
    found = json.loads(out.read_text())
    assert found["speedup"] == 5.0
    assert found["commands"]["cut score"]["speedup_range"] == [4.0, 8.0]
    assert abs(found["commands"]["cut score"]["fid_differs_by"] - 0.1 / 10.1) < 1e-12
    assert "ratio 5.0 (4.0 to 8.0)" in capsys.readouterr().out
    assert found["network"] == limit
    monkeypatch.setattr(sys, "argv", ["scoring", "real", str(fake), "--least", "5.1"])
    assert scoring.main() == 1


@pytest.mark.slow
def test_the_networks_operations_are_counted(monkeypatch):
    monkeypatch.setattr(scoring, "BATCH_SIZE", 1)
    found = scoring.network_limit((32, 32), turns=1)
    # Two operations for each of the 5.7 thousand million multiplications of an Inception v3.
    assert 11.2e9 < found["operations"] < 11.6e9
    assert found["rate_share"] == found["least_seconds"] / found["seconds"]
