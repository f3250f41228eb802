"""The skeletons of new methods, in a copy of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT

from baselines.new import create
from cut.base.errors import UserError


@pytest.fixture
def project(tmp_path):
    for name in ("cut", "baselines", "workflow", "tests"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Snakefile", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def python(project, *arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(project), "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize("commands", [False, True])
def test_a_skeleton_passes_its_tests_and_has_a_valid_config(project, commands):
    arguments = ["--commands"] if commands else []
    done = python(project, "-m", "baselines.new", "my_method", *arguments)
    assert done.returncode == 0, done.stderr
    listed = python(project, "-m", "cut", "methods")
    assert listed.returncode == 0 and "\nmy_method: " in listed.stdout, listed.stderr
    checked = python(project, "-m", "cut", "config", "config/my_method.yaml")
    assert "3 runs" in checked.stdout, checked.stderr
    tests = ["tests/baselines/test_my_method.py", "tests/methods/test_methods.py"]
    tested = python(
        project, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "my_method", *tests
    )
    assert tested.returncode == 0 and "passed" in tested.stdout, tested.stdout
    written = [
        project / "tests" / "baselines" / "test_my_method.py",
        *project.glob("baselines/my_method*"),
    ]
    linted = python(project, "-m", "ruff", "check", "--no-cache", *map(str, written))
    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize("name", ["My-Method", "2cut", "", "a b"])
def test_odd_names_are_refused(tmp_path, name):
    with pytest.raises(UserError, match="name"):
        create(tmp_path, name, False)


def test_nothing_is_overwritten(tmp_path):
    create(tmp_path, "mine", False)
    before = (tmp_path / "baselines" / "mine.py").read_text()
    for commands in (False, True):
        with pytest.raises(UserError, match=r"baselines/mine\.py exists"):
            create(tmp_path, "mine", commands)
    assert (tmp_path / "baselines" / "mine.py").read_text() == before
