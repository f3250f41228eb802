"""Status files of jobs, and commands that run through the shell."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest
from command import run_command
from conftest import ROOT

from cut import cli
from cut.base.errors import UserError
from cut.cli.status_file import watched
from cut.records.job import JobRecord


def ended(path, function):
    """Run `function` as a job; return how it ended."""
    with contextlib.suppress(Exception, SystemExit, KeyboardInterrupt):
        watched(path, function)
    job = JobRecord.read(path)
    assert job.pid == os.getpid() and job.ended >= job.started
    return job.state, job.reason


def raises(error):
    def function():
        raise error

    return function


@pytest.mark.parametrize(
    "function, state, reason",
    [
        (lambda: 0, "done", ""),
        (lambda: None, "done", ""),
        (lambda: 3, "failed", "exit status 3"),
        (lambda: 128 + signal.SIGTERM, "stopped", "exit status 143"),
        (raises(SystemExit(2)), "failed", "exit status 2"),
        (raises(KeyboardInterrupt()), "stopped", "interrupted"),
        (raises(UserError("x is bad;\n use y")), "failed", "x is bad; use y"),
        (raises(KeyError("x")), "failed", "KeyError: 'x'"),
    ],
)
def test_the_end_of_a_job_is_kept(function, state, reason, tmp_path):
    assert ended(tmp_path / "logs" / "a.log.json", function) == (state, reason)


def test_sigterm_stops_a_job_and_the_handler_is_put_back(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    kill = lambda: os.kill(os.getpid(), signal.SIGTERM)  # noqa: E731
    assert ended(tmp_path / "a.log.json", kill) == ("stopped", "exit status 143")
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_job_that_another_process_has_begun_is_left_to_it(tmp_path):
    path = tmp_path / "a.log.json"

    def overtaken():
        JobRecord.start().model_copy(update={"pid": 1}).write(path)

    watched(path, overtaken)
    job = JobRecord.read(path)
    assert (job.state, job.pid) == ("running", 1)


def test_the_command_line_keeps_the_state_of_a_command(tmp_path, capsys):
    path = tmp_path / "a.log.json"
    for words, status, state in ((["shell", "true"], 0, "done"), (["trian"], 1, "failed")):
        with pytest.raises(SystemExit) as end:
            cli.main(["--status", str(path), *words])
        assert (end.value.code, JobRecord.read(path).state) == (status, state)
    assert JobRecord.read(path).reason in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        cli.main(["--status", str(path)])
    assert end.value.code == 1


@pytest.mark.parametrize(
    "line, words",
    [
        ("false; echo later", "status 1$"),
        ("echo to a; echo the reason >&2; exit 3", "status 3: the reason$"),
        ("kill -9 $$", "signal 9$"),
        ("nothing-of-this-name", "status 127: .*nothing-of-this-name"),
        ("false | true", "status 1$"),
        ('echo "$UNSET_NAME"', "UNSET_NAME"),
    ],
)
def test_a_failing_shell_command_gives_its_last_line(line, words):
    with pytest.raises(UserError, match=words):
        run_command("shell", [line])


def test_a_shell_commands_output_is_passed_on():
    command = [sys.executable, "-m", "cut", "shell", "echo one; echo two >&2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("one\ntwo\n", "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_job_that_is_ended_from_outside_is_stopped_or_killed(number, tmp_path):
    path = tmp_path / "a.log.json"
    command = [
        sys.executable,
        "-m",
        "cut",
        "--status",
        str(path),
        "shell",
        "echo on; exec sleep 60",
    ]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "on\n"
    child = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True
    ).stdout
    process.send_signal(number)
    status = process.wait(30)
    job = JobRecord.read(path)
    if number == signal.SIGTERM:
        assert (status, job.state) == (143, "stopped")
    else:
        assert job.state == "running" and job.killed
        os.kill(int(child), signal.SIGTERM)
    deadline = time.monotonic() + 10
    while process.stdout.readline() and time.monotonic() < deadline:
        pass
