"""The command line: its commands, its errors, and the garbage collector that waits for imports."""

from __future__ import annotations

import gc

import pytest

from cut import cli
from cut.base.errors import UserError


@pytest.fixture(autouse=True)
def collector():
    yield
    gc.enable()
    gc.unfreeze()


def run(monkeypatch, function, *argv):
    monkeypatch.setattr(cli, "_command", lambda words: (function, words))
    with pytest.raises(SystemExit) as end:
        cli.main(argv or ["status"])
    return end.value.code


def test_a_command_runs_with_the_collector_on(monkeypatch):
    assert run(monkeypatch, lambda argv: 0 if gc.isenabled() and gc.get_freeze_count() else 3) == 0


def test_a_mistake_is_one_line_and_status_1(monkeypatch, capsys):
    def main(argv):
        raise UserError("there is no file x; give one")

    assert run(monkeypatch, main) == 1
    assert capsys.readouterr().err == "error: there is no file x; give one\n"


def test_an_unknown_command_names_the_nearest(capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(["trian"])
    assert end.value.code == 1 and "train" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], []])
def test_without_a_command_all_are_listed(words, capsys):
    with pytest.raises(SystemExit) as end:
        cli.main(words)
    assert end.value.code == (0 if words else 2)
    listed = capsys.readouterr().out
    assert all(name in listed for name in cli.COMMANDS)
