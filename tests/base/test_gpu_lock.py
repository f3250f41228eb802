"""The lock per GPU, on made-up GPUs."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from conftest import ROOT

from cut.base import device, environment, gpu_lock

GPUS = ["GPU-a", "GPU-b", "GPU-c"]
HOLD = """
import sys
from pathlib import Path
from cut.base.gpu_lock import take_gpu
print(take_gpu(sys.argv[2:], Path(sys.argv[1])), flush=True)
sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Return a function that starts a process that takes a GPU and says which."""
    started = []

    def start(*names):
        command = [sys.executable, "-c", HOLD, str(tmp_path), *names]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def says(process) -> str:
    return process.stdout.readline().strip()


def test_each_process_takes_another_gpu_and_frees_it_when_it_dies(holder):
    first = holder(*GPUS)
    assert says(first) == "0"
    second, third = holder(*GPUS), holder(*GPUS)
    assert {says(second), says(third)} == {"1", "2"}
    fourth = holder(*GPUS)
    assert "3 are taken" in says(fourth)
    first.kill()
    assert says(fourth) == "0"


def test_the_gpus_that_a_process_cannot_see_are_left_alone(holder):
    assert says(holder(GPUS[1])) == "0"  # its own first GPU is the machine's second
    assert says(holder(*GPUS[1:])) == "1"


def test_a_process_keeps_its_gpu(tmp_path, monkeypatch):
    monkeypatch.setattr(gpu_lock, "_held", {})
    assert [gpu_lock.take_gpu(GPUS, tmp_path) for _ in range(2)] == [0, 0]


def test_a_folder_without_locks_stops_nothing(tmp_path, capsys):
    assert gpu_lock.take_gpu(GPUS, tmp_path / "missing") == 0
    assert "note" in capsys.readouterr().out


def test_the_device_is_the_free_gpu(tmp_path, monkeypatch, holder, capsys):
    assert says(holder(GPUS[0])) == "0"
    chosen = []
    monkeypatch.setattr(gpu_lock, "_held", {})
    monkeypatch.setattr(device, "take_gpu", lambda names: gpu_lock.take_gpu(names, tmp_path))
    made_up = {
        "is_available": lambda: True,
        "device_count": lambda: len(GPUS),
        "get_device_properties": lambda i: SimpleNamespace(
            uuid=GPUS[torch.device(i).index if not isinstance(i, int) else i],
            name="Example GPU",
            total_memory=2**30,
        ),
        "set_device": chosen.append,
    }
    for name, function in made_up.items():
        monkeypatch.setattr(torch.cuda, name, function)
    found = device.choose_device("auto")
    assert (found.type, found.index, chosen) == ("cuda", 1, [1])
    assert "GPU 1 of 3: Example GPU" in capsys.readouterr().out
    facts = environment.hardware(found)
    assert (facts["gpu"], facts["gpu_index"]) == ("Example GPU", 1)
    assert device.choose_device("cpu").type == "cpu"
