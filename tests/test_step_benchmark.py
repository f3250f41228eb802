"""The benchmark of the step: its yardstick computes the step, and its figures are of both."""

from __future__ import annotations

import json
import sys

import pytest
import torch

from benchmarks import step
from benchmarks.published_step import PublishedStep
from cut.methods.contract import Batch
from cut.methods.cut import Cut, CutOptions


def test_the_yardstick_takes_the_step_of_cut():
    # Two images: with one, torch's instance norm may return a wrong gradient (docs/parity.md).
    rng = torch.Generator().manual_seed(0)
    batch = Batch(*(torch.rand((2, 3, 16, 16), generator=rng).double() for _ in range(2)))
    options = {"ngf": 4, "ndf": 4, "n_patches": 8, "width": 8, "n_layers_D": 1, "init_gain": 1}
    method = Cut(CutOptions(**options)).double()
    published = PublishedStep(method)
    for _ in range(2):
        losses, wanted = method.step(batch), published.step(*batch)
        assert losses.keys() == wanted.keys()
        for name, value in wanted.items():
            assert float(losses[name]) == pytest.approx(float(value), rel=1e-7), name


def test_figures_of_both_are_written(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(step.subprocess, "check_output", peaks_of_a_process)
    monkeypatch.setattr(step.os, "cpu_count", lambda: 1)  # busy cores wait for each other
    out, threads = tmp_path / "step.json", torch.get_num_threads()
    options = ["--size", "32", "--ngf", "2", "--turns", "2", "--profile"]
    monkeypatch.setattr(sys, "argv", ["step", *options, "--json", str(out), "--least", "1000"])
    try:
        assert step.main() == 1, "not a thousand times as fast"
    finally:
        torch.set_num_threads(threads)
    found = json.loads(out.read_text())
    for figure in ("seconds", "wall"):
        assert all(found[figure][side] > 0 for side in step.SIDES)
    low, high = found["speedup_range"]
    assert low <= found["speedup"] <= high
    assert (found["memory_ratio"], found["step_memory_ratio"]) == (0.6, 0.5)
    assert found["operations"] > 0 and found["rate_share"] > 0
    for side in step.SIDES:
        parts = found["profile"][side]["parts"]
        assert sum(parts.values()) == pytest.approx(1) and parts["convolution"] > 0
    assert f"speedup {found['speedup']:.2f}" in capsys.readouterr().out


def peaks_of_a_process(command, text):
    """Stand in for a process of one side, after checking that it would measure that side."""
    assert command[1:3] == ["-m", "benchmarks.step"] and "--size=32" in command
    return json.dumps({"ours": [200, 300], "yardstick": [300, 500]}[command[-1]])


@pytest.mark.parametrize("side", step.SIDES)
def test_a_process_of_one_side_prints_its_peaks(side, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["step", "--size", "32", "--ngf", "1", "--only", side])
    assert step.main() == 0
    before, after = json.loads(capsys.readouterr().out)
    assert 1e6 < before <= after
