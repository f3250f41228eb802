"""Atomic writes and digests of files."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from cut.base.files import replacing, sha256_of, write_json


def test_the_digest_of_several_files_is_that_of_their_contents_in_order(tmp_path):
    parts = [b"one" * 500_000, b"", b"two"]
    paths = [tmp_path / str(i) for i in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        path.write_bytes(part)
    assert sha256_of(*paths) == hashlib.sha256(b"".join(parts)).hexdigest()
    assert sha256_of(*reversed(paths)) != sha256_of(*paths)


@pytest.mark.parametrize("sync", [True, False])
def test_a_failed_write_keeps_the_old_file(tmp_path, sync):
    path = tmp_path / "new" / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError), replacing(path, sync) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == '{\n  "a": 1\n}\n' and list(path.parent.iterdir()) == [path]


def test_what_a_killed_process_was_writing_is_removed_by_the_next_write(tmp_path):
    path, other = tmp_path / "run[1].json", tmp_path / "other.json"

    def killed(name: Path) -> None:
        if (child := os.fork()) == 0:
            with replacing(name) as temporary:
                temporary.write_text("half")
                os._exit(9)
        os.waitpid(child, 0)

    killed(path)
    killed(other)
    with replacing(path) as temporary:
        temporary.write_text("{")
        alive = [p for p in tmp_path.glob(".run*.tmp")]
        assert alive == [temporary]
        # A process that runs keeps what it writes, whoever else writes the same file.
        if (child := os.fork()) == 0:
            write_json(path, 1)
            os._exit(0)
        os.waitpid(child, 0)
        assert temporary.exists()
    assert path.read_text() == "{"
    left = [p.name for p in tmp_path.iterdir()]
    assert len(left) == 2 and sum(name.startswith(".other.json.") for name in left) == 1
