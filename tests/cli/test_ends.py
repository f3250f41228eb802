"""How a command ends when the machine fails, and what its status file says then."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest
from conftest import ROOT

from cut import cli
from cut.records.job import JobRecord


def ends(monkeypatch, error: BaseException, *words: str) -> int:
    """Run a command that raises `error`; return the exit status."""

    def run(_):
        raise error

    monkeypatch.setattr("cut.cli.methods.run", run)
    with pytest.raises(SystemExit) as caught:
        cli.main([*words, "methods"])
    return caught.value.code


FULL = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "x/run.json")


@pytest.mark.parametrize(
    "error",
    [FULL, MemoryError(), RecursionError("deep"), UnicodeError("x"), PermissionError(13, "p")],
)
def test_a_failure_of_the_machine_is_one_line_and_status_1(monkeypatch, capsys, tmp_path, error):
    status = tmp_path / "a.log.json"
    assert ends(monkeypatch, error, "--status", str(status)) == 1
    said = capsys.readouterr().err
    assert said.startswith("error: ") and said.count("\n") == 1
    job = JobRecord.read(status)
    assert (job.state, f"error: {job.reason}\n") == ("failed", said)


def test_ctrl_c_has_no_traceback(monkeypatch, capsys):
    assert ends(monkeypatch, KeyboardInterrupt()) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_an_error_of_the_code_keeps_its_traceback(monkeypatch):
    with pytest.raises(TypeError):
        ends(monkeypatch, TypeError("x"))


def test_a_status_file_that_cannot_be_written_hides_no_reason(monkeypatch, capsys, tmp_path):
    status = tmp_path / "logs" / "a.log.json"

    def fail(*_):
        raise FULL

    monkeypatch.setattr(JobRecord, "end", fail)
    assert ends(monkeypatch, MemoryError(), "--status", str(status)) == 1
    assert "memory" in capsys.readouterr().err


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
@pytest.mark.parametrize(("end", "lines"), [("> /dev/full", 1), ("> /dev/full 2>&1", 0)])
def test_a_log_on_a_full_disk_gives_status_1_and_no_traceback(end, lines):
    command = f"{sys.executable} -m cut datasets {end}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == lines


def test_a_name_that_is_no_text_is_printed(tmp_path):
    name = os.fsdecode(b"\xff.json")
    command = [sys.executable, "-m", "cut", "record", str(tmp_path / name)]
    env = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=env)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "Traceback" not in done.stderr
