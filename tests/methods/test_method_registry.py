"""Discovery: where plug-ins may be, and that a broken one takes no other down."""

from __future__ import annotations

import pytest

from cut.base.errors import UserError
from cut.methods.registry import build_method, discover, show

METHOD = """
from cut.methods.contract import Method

class Mirror(Method):
    name = "{name}"
    summary = "mirrors"
    trained = False

    def translate(self, images):
        return images.flip(3)
"""
COMMANDS = "summary: a test\ntranslate: run {input} {output}\n"


@pytest.mark.parametrize(
    "files",
    [
        {"mirror.py": METHOD},
        {"mirror/__init__.py": METHOD},
        {"mirror/__init__.py": "", "mirror/method.py": METHOD},
        {"mirror/__init__.py": "from .method import Mirror", "mirror/method.py": METHOD},
        {"mirror/__init__.py": "from .deep.code import Mirror", "mirror/deep/code.py": METHOD},
    ],
    ids=["module", "package", "method.py", "method.py re-exported", "deeper"],
)
def test_a_class_is_found_in_any_layout(plugins, files):
    plugins(**{path: text.format(name="mirror") for path, text in files.items()})
    registry = discover()
    assert registry.broken == {}
    assert registry["mirror"].summary == "mirrors"


def test_a_taken_name_breaks_the_plug_in_and_leaves_cut(plugins):
    own = discover()["cut"]
    plugins(**{"other.py": METHOD.format(name="cut"), "fine.py": METHOD.format(name="fine")})
    registry = discover()
    assert registry["cut"] is own
    assert "'cut'" in registry.broken["other"] and "cut.py" in registry.broken["other"]
    assert "fine" in registry.methods


def test_two_plug_ins_of_one_name_leave_the_first(plugins):
    plugins(**{"a.py": METHOD.format(name="same"), "b.py": METHOD.format(name="same")})
    registry = discover()
    assert registry["same"].__module__ == "baselines.a"
    assert list(registry.broken) == ["b"]


def test_commands_may_not_take_a_name_either(plugins):
    plugins(**{"cut/method.yaml": COMMANDS, "cut/environment.yaml": "dependencies: [python]"})
    registry = discover()
    assert registry["cut"].__module__ == "cut.methods.cut"
    assert "'cut'" in registry.broken["cut"]


def test_a_method_without_a_summary_is_reported_and_the_others_listed(plugins, capsys):
    plugins(**{"bare.py": METHOD.format(name="bare").replace('summary = "mirrors"', "")})
    assert "summary" in discover().broken["bare"]
    assert show() == 1
    shown = capsys.readouterr()
    assert "cut: CUT" in shown.out and "bare: broken" in shown.err


def test_a_plug_in_that_does_not_import_is_named(plugins, capsys):
    plugins(**{"torn.py": "import no_such_module_at_all\n"})
    registry = discover()
    assert "no_such_module_at_all" in registry.broken["torn"]
    assert "cut" in registry.methods
    with pytest.raises(UserError, match="torn"):
        registry["torn"]
    assert show() == 1
    assert "torn: broken" in capsys.readouterr().err


def test_building_with_a_size_checks_it():
    assert build_method("copy", {}, 0, (33, 35)).name == "copy"
    with pytest.raises(UserError, match="33x32"):
        build_method("cut", {}, 0, (33, 32))
