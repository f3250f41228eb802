"""Failures of the machine as sentences."""

from __future__ import annotations

import errno
import os
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
import torch

from cut.base.errors import UserError
from cut.base.failures import explained
from cut.base.files import replacing, write_json
from cut.base.tensor_files import save_tensors


def failed(function, *given):
    """Return what `function` raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any
        function(*given)
    return caught.value


def system(number, *names):
    return OSError(number, os.strerror(number), *names)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (system(errno.ENOSPC, "a/b.json"), ("a/b.json", "no space left", "free some room")),
        (system(errno.ENOSPC), ("no space left",)),
        (system(errno.EROFS, "x"), ("x", "read-only")),
        (system(errno.EACCES, b"x\xff"), ("'x\\udcff'", "permission")),
        (system(errno.ENOENT, "a", None, "b"), ("a and b", "no such file")),
        (OSError("odd"), ("odd",)),
        (MemoryError(), ("not enough memory", "batch_size", "ngf", "load_size")),
        (
            RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: 9 bytes"),
            ("ngf",),
        ),
        (RuntimeError("could not create a primitive"), ("not enough memory", "batch_size")),
        (
            torch.OutOfMemoryError("CUDA out of memory. Tried to\nallocate"),
            ("translate_batch_size",),
        ),
        (UnicodeDecodeError("utf-8", b"\xff" * 999, 0, 1, "invalid"), ("UTF-8", "\\xff")),
        (RecursionError("deep"), ("nested",)),
        (BrokenProcessPool("gone"), ("was killed",)),
        (UserError("as it is"), ("as it is",)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else None,
)
def test_a_failure_of_the_machine_is_one_sentence(error, words):
    sentence = str(explained(error))
    assert "\n" not in sentence and len(sentence) < 600
    for word in words:
        assert word in sentence


def test_what_torch_and_numpy_raise_without_memory_is_known():
    for error in (
        failed(torch.empty, 2**50),
        failed(np.ones, 2**50),
    ):
        assert "not enough memory" in str(explained(error))


@pytest.mark.parametrize(
    "error",
    [KeyError("x"), TypeError("x"), ValueError("x"), RuntimeError("shapes"), AttributeError()],
)
def test_an_error_of_the_code_keeps_its_traceback(error):
    assert explained(error) is None


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_a_full_disk_keeps_the_old_file_and_names_it(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    before = path.read_bytes()
    # A temporary file on a full disk.
    monkeypatch.setattr("cut.base.files.temporary_of", lambda path: path.with_name(".full"))
    for write in (
        lambda: write_json(path, {"a": "b" * 99_999}),
        lambda: save_tensors(path, {"a": torch.zeros(99_999)}),
    ):
        (tmp_path / ".full").symlink_to("/dev/full")
        sentence = str(explained(failed(write)))
        assert str(path) in sentence and "room" in sentence and ".full" not in sentence
        assert path.read_bytes() == before and [path] == list(tmp_path.iterdir())


def test_an_error_inside_a_write_is_not_taken_for_one_of_the_disk(tmp_path):
    def write():
        with replacing(tmp_path / "x"):
            open(tmp_path / "none")  # noqa: SIM115

    assert failed(write).filename == str(tmp_path / "none")
