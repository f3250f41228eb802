"""What the benchmark of scoring makes of its times."""

from __future__ import annotations

import json
import sys

from benchmarks import scoring


def test_the_ratio_is_the_median_of_turns(tmp_path, monkeypatch, capsys):
    fids = {"cut score": 10.0, "pytorch_fid": 10.1}
    # The ratios of the turns are 4, 8 and 5; that of the medians is 6.
    times = {"cut score": [2.0, 1.0, 1.2], "pytorch_fid": [8.0, 8.0, 6.0]}
    monkeypatch.setattr(scoring, "measure", lambda args: (fids, times))
    out = tmp_path / "scoring.json"
    monkeypatch.setattr(sys, "argv", ["scoring", "real", "fake", "--json", str(out)])
    assert scoring.main() == 0
    found = json.loads(out.read_text())
    assert found["speedup"] == 5.0
    assert found["commands"]["cut score"]["speedup_range"] == [4.0, 8.0]
    assert abs(found["commands"]["cut score"]["fid_differs_by"] - 0.1 / 10.1) < 1e-12
    assert "ratio 5.0 (4.0 to 8.0)" in capsys.readouterr().out
    monkeypatch.setattr(sys, "argv", ["scoring", "real", "fake", "--least", "5.1"])
    assert scoring.main() == 1
