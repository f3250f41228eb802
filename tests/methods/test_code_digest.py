"""What a method's code digest covers, over temporary plug-ins."""

from __future__ import annotations

import pytest

from cut.methods.code_digest import code_digest, code_files
from cut.methods.registry import discover

METHOD = """
from typing import TYPE_CHECKING

from baselines.mine.parts import half
from cut.base.errors import UserError
from cut.methods.contract import Method
from . import helpers

if TYPE_CHECKING:
    from baselines.mine import unused


class Mine(Method):
    name = "mine"
    summary = "halves"
    trained = False

    def translate(self, images):
        from baselines.mine import late
        return helpers.same(late.same(half(images)))
"""
FILES = {
    "mine/__init__.py": "",
    "mine/method.py": METHOD,
    "mine/parts.py": "from baselines.mine.deep import HALF\n\ndef half(x):\n    return x * HALF\n",
    "mine/deep.py": "HALF = 0.5\n",
    "mine/helpers.py": "from cut.nets.losses import lsgan\n\ndef same(x):\n    return x\n",
    "mine/late.py": "def same(x):\n    return x\n",
    "mine/unused.py": "",
    "mine/other.py": "",
}


def test_it_covers_what_a_plug_in_imports(plugins):
    plugins(**FILES)
    names = code_files(discover()["mine"])
    own = {name.removeprefix("baselines.mine.") for name in names if "mine." in name}
    assert own == {"method", "parts", "deep", "helpers", "late"}
    assert {"cut.nets.losses", "cut.methods.contract"} <= names.keys()


@pytest.mark.parametrize("part", ["method", "parts", "deep", "helpers", "late"])
def test_a_change_of_any_part_changes_it(plugins, part):
    root = plugins(**FILES)
    method = discover()["mine"]
    before = code_digest(method)
    path = root / "mine" / f"{part}.py"
    path.write_text(path.read_text() + "\nMORE = 1\n")
    assert code_digest(method) != before


@pytest.mark.parametrize("part", ["unused", "other"])
def test_a_change_of_what_is_not_imported_does_not(plugins, part):
    root = plugins(**FILES)
    method = discover()["mine"]
    before = code_digest(method)
    (root / "mine" / f"{part}.py").write_text("MORE = 1\n")
    assert code_digest(method) == before


def test_training_code_counts_for_trained_methods_alone():
    registry = discover()
    steps = {"cut.training.loop", "cut.training.batches", "cut.data.held_out"}
    assert steps <= code_files(registry["cut"]).keys()
    assert not steps & code_files(registry["copy"]).keys()


@pytest.mark.parametrize("name", sorted(discover().methods))
def test_nothing_that_makes_no_numbers_is_covered(name):
    floors = {other.split(".")[1] for other in code_files(discover()[name]) if "cut." in other}
    assert not floors & {"report", "results", "plan", "records", "cli"}
    silent = {
        "cut.training.trainer",
        "cut.training.history",
        "cut.training.board",
        "cut.training.checkpoint",
        "cut.base.errors",
        "cut.base.files",
    }
    assert not silent & code_files(discover()[name]).keys()


def test_methods_that_share_no_code_differ():
    registry = discover()
    digests = {code_digest(method) for method in registry.methods.values()}
    assert len(digests) == len({method.__module__ for method in registry.methods.values()})


def test_it_does_not_depend_on_where_the_folder_is(plugins, tmp_path):
    files = {
        "tool/method.yaml": "summary: x\ntranslate: run {input} {output}\n",
        "tool/environment.yaml": "dependencies: [python]\n",
        "tool/code/b/run.py": "1",
        "tool/code/run.py": "2",
    }
    root = plugins(**files)
    method = discover()["tool"]
    assert list(code_files(method)) == sorted(name.removeprefix("tool/") for name in files)
    before = code_digest(method)
    (root / "tool" / "code" / "b" / "run.py").write_text("2")
    (root / "tool" / "code" / "run.py").write_text("1")
    assert code_digest(method) != before, "the same contents in other files"
