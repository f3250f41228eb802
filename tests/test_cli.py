"""The command line: its commands, its errors, and what `--help` imports."""

from __future__ import annotations

import json
import resource
import subprocess
import sys

import pytest
from command import run_command
from conftest import ROOT

from cut import cli
from cut.base.errors import UserError
from cut.cli.arguments import json_object

# Seconds of CPU time that `--help` may take: 0.1 on an idle machine.
HELP_SECONDS = 1.0
HEAVY = ("torch", "pandas", "matplotlib", "numpy", "scipy", "pydantic")
HELP = """
import json, sys
from cut import cli
for name in cli.COMMANDS:
    try:
        cli.run([*name.split(), "--help"])
    except SystemExit as end:
        assert end.code == 0
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def status_of(*words: str) -> int:
    """Return the exit status of a command."""
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    return end.value.code


def test_help_of_every_command_loads_nothing_heavy():
    done = subprocess.run(
        [sys.executable, "-c", HELP], cwd=ROOT, capture_output=True, text=True, check=True
    )
    *shown, modules = done.stdout.splitlines()
    assert not set(HEAVY) & set(json.loads(modules))
    for name in cli.COMMANDS:
        assert any(line.startswith(f"usage: python -m cut {name} ") for line in shown), name


@pytest.mark.parametrize("name", ["score", "report figures"])
def test_help_is_fast(name):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "cut", *name.split(), "--help"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < HELP_SECONDS


def test_a_mistake_is_one_line_and_status_1(tmp_path, capsys):
    assert status_of("config", str(tmp_path / "none.yaml")) == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and error.count("\n") == 1


def test_success_is_status_0(capsys):
    assert status_of("datasets") == 0
    assert "horse2zebra" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "nearest"),
    [(["trian"], "train"), (["report", "tabels"], "report tables"), (["external"], None)],
)
def test_an_unknown_command_names_the_nearest(words, nearest, capsys):
    assert status_of(*words) == (1 if nearest else 2)
    said = capsys.readouterr()
    assert (nearest or "external record") in said.err + said.out


@pytest.mark.parametrize("words", [["--help"], [], ["report", "--help"]])
def test_help_lists_the_commands(words, capsys):
    assert status_of(*words) == (0 if words else 2)
    listed = capsys.readouterr().out
    group = [name for name in cli.COMMANDS if words[0:1] != ["report"] or "report" in name]
    assert all(name in listed for name in group)


@pytest.mark.parametrize("text", ["{", "[1]", "3"])
def test_an_option_that_is_no_json_object_is_refused(text):
    with pytest.raises(UserError, match="JSON"):
        json_object(text)


def test_a_batch_needs_an_image(tmp_path):
    with pytest.raises(UserError, match="--batch-size is 0"):
        run_command("translate", ["--dataset=d", f"--run={tmp_path}", "--batch-size=0"])


def test_a_reader_that_closes_its_pipe_gets_no_traceback():
    command = f"{sys.executable} -m cut datasets | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.count("\n") == 1 and done.stderr == ""


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (["request.json", "--method=cut"], "--method"),
        (["--method=cut", "--out=run"], "--dataset"),
        (["--dataset=d.json", "--out=run"], "--method"),
        (["--dataset=d.json", "--method=cut"], "--out"),
    ],
)
def test_train_takes_a_request_or_its_arguments(given, named, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=named):
        run_command("train", given)
    assert not list(tmp_path.iterdir())


def test_train_takes_arguments_or_a_request(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("cut.training.train.train", lambda *given: asked.append(given) or 0)
    options = ["--dataset=d.json", "--method=cut", "--seed=3", "--size=32x48"]
    assert run_command("train", [*options, "--options", '{"ngf": 8}', "--out", tmp_path]) == 0
    request, out = asked[0]
    request.write(tmp_path / "request.json")
    assert run_command("train", [tmp_path / "request.json"]) == 0
    assert asked[0] == asked[1]
    assert (request.row, request.seed, request.options, out) == ("cut", 3, {"ngf": 8}, tmp_path)
