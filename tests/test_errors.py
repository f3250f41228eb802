"""Ending a command, and the garbage collector that waits for its imports."""

from __future__ import annotations

import gc
import importlib
import sys

import pytest

import cut
from cut.errors import UserError, command


@pytest.fixture(autouse=True)
def collector():
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.parametrize(
    ("argv", "orig", "waits"),
    [
        (["-m"], ["python", "-m", "cut.score", "a", "b"], True),
        (["-m"], ["python", "-mcut.score"], True),
        (["-m"], ["python", "-m", "other.package"], False),  # which imports this one
        (["prog.py"], ["python", "prog.py", "cut.score"], False),
        ([""], ["python"], False),
    ],
)
def test_only_commands_put_the_collector_off(monkeypatch, argv, orig, waits):
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(sys, "orig_argv", orig)
    importlib.reload(cut)
    assert gc.isenabled() is not waits


def test_a_command_runs_with_the_collector_on():
    gc.disable()
    with pytest.raises(SystemExit) as end:
        command(lambda argv: 0 if gc.isenabled() and gc.get_freeze_count() else 3)
    assert end.value.code == 0


def test_a_mistake_is_one_line_and_status_1(capsys):
    def main(argv):
        raise UserError("there is no file x; give one")

    with pytest.raises(SystemExit) as end:
        command(main)
    assert end.value.code == 1
    assert capsys.readouterr().err == "error: there is no file x; give one\n"
