"""The floors of the package: imports point down, and light floors load no heavy library."""

from __future__ import annotations

import subprocess
import sys

import pytest
from conftest import ROOT

from benchmarks.imports import (
    LAYERS,
    circles,
    import_graph,
    imports_of,
    module_name,
    upward,
)

# A module imports from its own folder and from the floors below. Folders of one floor are apart.
FLOORS = [layer for layer in reversed(LAYERS) if layer != {"__main__"}]
LEVEL = {folder: level for level, folders in enumerate(FLOORS) for folder in folders}
# They find the plug-ins or their files, so they alone may import baselines.
DISCOVERY = {"cut.methods.registry", "cut.methods.sources"}
PLUGINS = LEVEL["methods"]  # what a plug-in may import, at most


def faults(module: str, imported: set[str]) -> list[str]:
    """Return the imports that break the contract."""
    home = module.split(".")
    level = LEVEL[home[1]] if home[0] == "cut" else PLUGINS + 0.5
    bad = []
    for name in imported:
        parts = name.split(".")
        if parts[0] == "baselines" and home[0] == "cut" and module not in DISCOVERY:
            bad.append(name)
        if parts[0] != "cut" or len(parts) < 2 or parts[1] not in LEVEL:
            continue
        same = home[:2] == parts[:2]
        if not same and LEVEL[parts[1]] >= level:
            bad.append(name)
    return bad


def modules() -> dict[str, str]:
    """Return the source of every module of the package and of the plug-ins, by name."""
    files = [path for top in ("cut", "baselines") for path in (ROOT / top).rglob("*.py")]
    found = {module_name(path, ROOT): path.read_text() for path in files}
    for name in ("cut", "cut.__main__", "baselines.new"):  # the last two are commands
        del found[name]
    return found


def test_every_folder_has_a_floor():
    folders = {path.parent.name for path in (ROOT / "cut").glob("*/__init__.py")}
    assert folders == set(LEVEL)


def test_every_import_points_down():
    bad = {name: faults(name, imports_of(text, name)) for name, text in modules().items()}
    assert {name: sorted(found) for name, found in bad.items() if found} == {}


def test_no_modules_import_each_other():
    assert circles(import_graph(ROOT, "cut")) == []
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [{"b", "c"}]


def test_the_benchmark_counts_upward_imports():
    assert upward(import_graph(ROOT, "cut")) == []
    graph = {"cut.base.x": {"cut.nets.y"}, "cut.nets.y": {"cut.base.x"}}
    assert upward(graph) == [("cut.base.x", "cut.nets.y")]


@pytest.mark.parametrize(
    "module, source, wrong",
    [
        ("cut.base.x", "import cut.records.run", True),
        ("cut.base.x", "def f():\n    from cut import records", True),
        ("cut.base.x", "if TYPE_CHECKING:\n    from cut.nets import losses", True),
        ("cut.data.x", "from cut.nets import losses", True),
        ("cut.data.x", "from ..methods.contract import Method", True),
        ("cut.plan.x", "importlib.import_module('cut.report.captions')", True),
        ("cut.plan.x", "import baselines.moco", True),
        ("baselines.x", "from cut.training import options", True),
        ("cut.methods.registry", "import baselines", False),
        ("cut.data.x", "from cut.data.y import z\nfrom cut.records import run\nimport cut", False),
        ("baselines.x", "from cut.methods.contract import Method", False),
    ],
)
def test_the_contract_sees_every_kind_of_import(module, source, wrong):
    assert bool(faults(module, imports_of(source, module))) == wrong


LOAD = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
    if found.name not in sys.argv[2:]:
        importlib.import_module(found.name)
print("torch" in sys.modules)
"""
NEEDS_TORCH = ["cut.report.figures.encoder"]  # looks into a trained encoder


@pytest.mark.parametrize("floor", ["records", "results", "plan", "report"])
def test_a_light_floor_loads_no_torch(floor):
    command = [sys.executable, "-c", LOAD, f"cut.{floor}", *NEEDS_TORCH]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "False\n"


def test_a_config_check_loads_no_pandas():
    code = (
        "import sys; from cut import cli; cli.run(['config', 'config/config.yaml']);"
        " print(sorted({'pandas', 'matplotlib', 'scipy.stats'} & sys.modules.keys()))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
