"""The two installs agree: pyproject's bounds, the pip locks, the conda environments, make."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from snakemake.profiles import ProfileConfigFileParser

import baselines.new
from benchmarks.imports import imports_of

# conda-forge calls some packages otherwise than the package index does.
CONDA_NAMES = {
    "pytorch": "torch",
    "matplotlib-base": "matplotlib",
    "snakemake-minimal": "snakemake",
}
CONDA_ONLY = {"python", "pip"}
CONDA_UNBOUND = {"pygments"}  # of the extra `snakemake[reports]`, which names no version either
# One version of each, so that an environment of conda computes what the locked one does. One exact
# version more that conda-forge lacks would make the whole environment unsolvable.
NUMBERS = ("torch", "torchvision", "numpy", "scipy", "scikit-image", "pillow", "snakemake")
# What a command imports only where a user asks for it, by file; it says what to install.
ON_REQUEST = {("package_network.py", "pytorch_fid"), ("export.py", "onnxruntime")}
ENVIRONMENT = "environment.yml"
LOCKS = ("requirements.lock", "requirements-test.lock")


def project(root: Path) -> dict:
    """Return pyproject's `[project]` table."""
    return tomllib.loads((root / "pyproject.toml").read_text())["project"]


def requirements(root: Path, extra: str | None = None) -> list[Requirement]:
    """Return the direct dependencies, or those of an extra."""
    table = project(root)
    lines = table["optional-dependencies"][extra] if extra else table["dependencies"]
    return [Requirement(line) for line in lines]


def lock_entries(path: Path) -> list[str]:
    """Return a lock's entries, each with its hashes on one line."""
    text = path.read_text().replace("\\\n", " ")
    return [
        line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
    ]


def locked(path: Path) -> dict[str, str]:
    """Return {canonical name: version} of a lock; one version a name is part of the contract."""
    versions: dict[str, str] = {}
    for entry in lock_entries(path):
        found = re.match(r"([\w.-]+)(?:\[[\w,]+\])?==([^\s;]+)", entry)
        assert found, f"{path.name}: {entry[:60]!r} is not pinned with =="
        name = canonicalize_name(found[1])
        assert name not in versions, f"{path.name}: {name} stands there twice"
        versions[name] = found[2]
    return versions


def conda_packages(path: Path) -> dict[str, SpecifierSet]:
    """Return {index name: versions} of a conda environment; `=` and a version is an exact pin."""
    packages = {}
    for line in yaml.safe_load(path.read_text())["dependencies"]:
        # A pip section is a mapping; where Snakemake has a pin file, it leaves the section out.
        assert isinstance(line, str), f"{path.name}: {line} is more than a package of conda"
        name, bounds = re.fullmatch(r"([a-z][\w-]*)(.*)", line).groups()
        exact = re.sub(r"^=([^=]+)(=[^=]+)?$", r"==\1", bounds)  # without the build
        packages[CONDA_NAMES.get(name, name)] = SpecifierSet(exact)
    return packages


def is_pin(versions: SpecifierSet) -> bool:
    """Return whether only one version will do."""
    return [each.operator for each in versions] == ["=="]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_version_is_exact_and_hashed(root: Path, lock: str):
    assert len(locked(root / lock)) > 50
    for entry in lock_entries(root / lock):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), f"{lock}: no hash in {entry[:60]!r}"


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_name_no_index_and_no_path(root: Path, lock: str):
    text = (root / lock).read_text()
    assert not re.search(
        r"://|--(extra-)?index|--find-links|@ |(^|\s)\.?\.?/\w", text, re.MULTILINE
    )


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_say_how_they_are_made(root: Path, lock: str):
    head = (root / lock).read_text().splitlines()[:2]
    assert head[1] == "#    make lock", f"{lock} starts with {head}"


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_locks_install_every_direct_dependency_everywhere(root: Path, platform: str, python: str):
    where = {"sys_platform": platform, "python_version": python, "python_full_version": python}
    machine = {"linux": "x86_64", "darwin": "arm64"}[platform]
    entries = [Requirement(e.partition("--hash")[0]) for e in lock_entries(root / LOCKS[1])]
    here = {**where, "platform_machine": machine}
    left_out = {e.name for e in entries if e.marker and not e.marker.evaluate(here)}
    direct = {canonicalize_name(r.name) for r in requirements(root) + requirements(root, "test")}
    assert not left_out & direct


@pytest.mark.parametrize(
    ("lock", "extra"), [(LOCKS[0], None), (LOCKS[1], None), (LOCKS[1], "test")]
)
def test_locks_hold_every_direct_dependency_inside_its_bounds(root: Path, lock: str, extra: str):
    versions = locked(root / lock)
    for requirement in requirements(root, extra):
        version = versions.get(canonicalize_name(requirement.name))
        assert version, f"{lock} lacks {requirement.name}: run `make lock`"
        assert requirement.specifier.contains(version), f"{lock}: {version} is not {requirement}"


def test_the_test_lock_changes_no_version_of_the_run(root: Path):
    run, test = (locked(root / lock) for lock in LOCKS)
    assert run.items() <= test.items()


def test_torch_and_torchvision_are_a_pair(root: Path):
    versions = locked(root / LOCKS[0])
    torch, vision = Version(versions["torch"]), Version(versions["torchvision"])
    # torch 2.N goes with torchvision 0.(N + 15), patch by patch.
    assert (vision.major, vision.minor, vision.micro) == (0, torch.minor + 15, torch.micro)


def test_scipy_stays_below_the_release_that_breaks_pytorch_fid(root: Path):
    (scipy,) = (r for r in requirements(root) if r.name == "scipy")
    assert not scipy.specifier.contains("1.18.0")


def test_the_conda_environment_has_every_direct_dependency_within_its_bounds(root: Path):
    versions, packages = locked(root / LOCKS[0]), conda_packages(root / ENVIRONMENT)
    bounds = {canonicalize_name(r.name): r.specifier for r in requirements(root)}
    assert set(packages) == {*bounds, *CONDA_ONLY, *CONDA_UNBOUND}
    for name, bound in bounds.items():
        asked = packages[name]
        assert is_pin(asked) == (name in NUMBERS), name
        assert asked.contains(versions[name]), f"the lock has {name} {versions[name]}, not {asked}"
        assert is_pin(asked) or asked == bound, f"pyproject.toml has {name}{bound}, not {asked}"
    assert not any(packages[name] for name in CONDA_UNBOUND)


def test_the_conda_environment_has_python_and_the_channels_of_snakemake(root: Path):
    environment = yaml.safe_load((root / ENVIRONMENT).read_text())
    assert environment["channels"] == ["conda-forge", "bioconda"]
    assert environment["variables"] == {"PYTHONNOUSERSITE": "1"}
    supported = SpecifierSet(project(root)["requires-python"])
    (python,) = conda_packages(root / ENVIRONMENT)["python"]
    assert supported.contains(python.version)


@pytest.mark.parametrize("page", ["README.md", "docs/running.md"])
def test_the_pages_name_the_channels_of_the_environment(root: Path, page: str):
    (command,) = re.findall(r"conda create --override-channels (.*)", (root / page).read_text())
    channels = yaml.safe_load((root / ENVIRONMENT).read_text())["channels"]
    assert re.findall(r"-c ([\w-]+)", command) == channels and ENVIRONMENT in command


def test_methods_of_commands_pin_what_the_lock_pins(root: Path):
    """Without --use-conda they run in the locked environment: the same versions in either."""
    versions = locked(root / LOCKS[0])
    files = sorted((root / "baselines").glob("*/environment.yaml"))
    assert files
    for file in files:
        assert yaml.safe_load(file.read_text())["channels"] == ["conda-forge"]
        packages = conda_packages(file)
        for name in packages.keys() - CONDA_ONLY:
            assert is_pin(packages[name]) == (name in NUMBERS), (file, name)
            assert packages[name].contains(versions[name]), (file, name)
    assert "nodefaults" not in baselines.new.ENVIRONMENT  # of a new method


def test_the_package_imports_its_declared_dependencies_alone(root: Path):
    """A job's environment has these, and nothing of the test tools."""
    known = {canonicalize_name(r.name) for r in requirements(root)}
    # pydantic pins its own core.
    ours = {"cut", "baselines", "pydantic_core", *sys.stdlib_module_names}
    distributions = packages_distributions()
    for file in (path for top in ("cut", "baselines") for path in (root / top).rglob("*.py")):
        tops = {name.split(".")[0] for name in imports_of(file.read_text(), "x")} - ours
        for name in tops - {""}:
            found = {canonicalize_name(d) for d in distributions.get(name, ())}
            asked_for = (file.name, name) in ON_REQUEST
            assert found & known or asked_for, f"{file} imports {name}, which no dependency has"


@pytest.mark.parametrize("name", ["default", "slurm"])
def test_profiles_limit_the_gpus(root: Path, name: str):
    profile = yaml.safe_load((root / f"profiles/{name}/profile.yaml").read_text())
    assert profile["resources"]["gpu"] >= 1
    assert profile["rerun-incomplete"] is True
    rules = "".join(p.read_text() for p in (root / "workflow/rules").glob("*.smk"))
    for rule in profile.get("set-resources", {}):
        known = f"rule {rule}:" in rules or f'-{rule.removeprefix("figure_")}": Figure(' in rules
        assert known, f"profile {name} sets resources of no rule: {rule}"


def test_the_cluster_profile_groups_small_jobs_and_no_training(root: Path):
    profile = yaml.safe_load((root / "profiles/slurm/profile.yaml").read_text())
    text = "".join(p.read_text() for p in sorted((root / "workflow/rules").glob("*.smk")))
    rules = set(re.findall(r"^(?:use )?rule (?:\w+ as )?(\w+)", text, flags=re.M))
    stems = re.findall(r'^    "(?:\{dataset\}-)?([\w-]+)": Figure\(', text, flags=re.M)
    rules |= {f"figure_{stem.replace('-', '_')}" for stem in stems}
    local = {"dataset", "inception", "networks"}  # they run where Snakemake does
    assert set(profile["groups"]) == rules - local - {
        "train",
        "external_train",
        "training_images",
    }
    assert profile["slurm-status-command"] == "squeue"
    # Else a failed training takes the finished one before with it.
    assert profile["keep-incomplete"] is True


def test_a_missing_plugin_for_slurm_is_one_sentence(root: Path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    profile = root / "profiles/slurm/profile.yaml"
    with pytest.raises(SystemExit, match="snakemake-executor-plugin-slurm"), profile.open() as file:
        ProfileConfigFileParser().parse(file)


def test_the_cluster_profile_says_how_it_replaces_the_default(root: Path):
    # With --profile, Snakemake still applies profiles/default and its limit of one GPU wins.
    text = (root / "profiles/slurm/profile.yaml").read_text()
    assert "snakemake --workflow-profile profiles/slurm" in text
    assert "snakemake --profile" not in text


def make(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make as a user would, with none of the settings of the make that runs these tests."""
    if shutil.which("make") is None:
        pytest.skip("no make on this machine")
    outer = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHONNOUSERSITE")
    inner = {k: v for k, v in os.environ.items() if k not in outer}
    command = ["make", "--no-print-directory", "UV=no-uv-here", *arguments]  # the last UV counts
    return subprocess.run(command, cwd=root, env=inner, capture_output=True, text=True, timeout=120)


def bare_copy(root: Path, folder: Path) -> Path:
    """Return a folder with what make reads, and no environment yet."""
    for name in ("Makefile", *LOCKS):
        shutil.copy(root / name, folder / name)
    return folder


@pytest.mark.parametrize(
    ("target", "lock", "runs"),
    [("demo", LOCKS[0], "snakemake --cores 3"), ("test", LOCKS[1], "-m pytest -n 2")],
)
def test_make_installs_with_hashes_and_runs(root: Path, tmp_path: Path, target, lock, runs):
    done = make(bare_copy(root, tmp_path), "-n", target, f"PYTHON={sys.executable}", "CORES=3")
    assert done.returncode == 0, done.stderr
    assert f"--require-hashes -r {lock}" in done.stdout
    assert runs in done.stdout


STAND_IN_PYTHON = """case "$2" in
  venv) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  pip) echo "pip $* # $PYTHONNOUSERSITE" >> log ;;
esac"""


@pytest.mark.parametrize("works", [True, False])
def test_make_installs_with_uv_where_it_is_there_and_with_pip_where_it_fails(
    root: Path, tmp_path: Path, works: bool
):
    text = f'echo "uv $* # $PYTHONNOUSERSITE" >> log; exit {int(not works)}'
    uv = script(tmp_path / "uv", text)
    python = script(tmp_path / "python", STAND_IN_PYTHON)
    folder = bare_copy(root, tmp_path)
    done = make(folder, ".venv/.installed-test", f"PYTHON={python}", f"UV={uv}")
    assert done.returncode == 0, done.stderr
    calls = (folder / "log").read_text().splitlines()
    assert [call.split()[0] for call in calls] == (["uv"] * 2 if works else ["uv", "pip"] * 2)
    for call, lock in zip(calls, LOCKS if works else [LOCKS[0]] * 2 + [LOCKS[1]] * 2, strict=True):
        assert call.endswith(f"--require-hashes -r {lock} # 1")  # without packages in ~/.local
        assert "--python .venv/bin/python" in call or call.startswith("pip")


def test_make_installs_nothing_the_second_time(root: Path, tmp_path: Path):
    folder = bare_copy(root, tmp_path)
    for stamp in (".venv/.installed-run", ".venv/.installed-test"):
        (folder / stamp).parent.mkdir(exist_ok=True)
        (folder / stamp).touch()
    done = make(folder, "-n", "test", f"PYTHON={sys.executable}")
    assert "pytest" in done.stdout and "pip" not in done.stdout


def script(path: Path, text: str) -> Path:
    """Write an executable shell script."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize("old", [True, False])
def test_make_says_that_python_is_too_old_or_missing(root: Path, tmp_path: Path, old: bool):
    python = tmp_path / "python3.9"
    if old:
        script(python, "exit 1")
    done = make(bare_copy(root, tmp_path), "demo", f"PYTHON={python}")
    assert done.returncode != 0
    assert f"error: '{python}' is missing or older than Python 3.11: install" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_an_interrupted_install_leaves_no_stamp(root: Path, tmp_path: Path):
    # The stand-in makes a "virtual environment" whose pip is killed.
    inner = script(tmp_path / "inner", "kill -9 $$")
    text = f'case "$2" in venv) mkdir -p "$3/bin"; cp {inner} "$3/bin/python";; esac'
    python = script(tmp_path / "python", text)
    done = make(bare_copy(root, tmp_path), "demo", f"PYTHON={python}")
    assert done.returncode != 0
    assert (tmp_path / ".venv/bin/python").exists()
    assert not list((tmp_path / ".venv").glob(".installed*"))


def test_make_says_that_the_venv_module_is_missing(root: Path, tmp_path: Path):
    python = script(tmp_path / "python", 'test "$2" != venv')
    done = make(bare_copy(root, tmp_path), "demo", f"PYTHON={python}")
    assert done.returncode != 0
    assert f"error: '{python} -m venv' failed: install the venv module" in done.stderr


def test_continuous_integration_calls_make_only(root: Path):
    lines = (root / ".ci/run").read_text().splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    set_up = ["set -euo pipefail", 'cd "$(dirname "$0")/.."', ".ci/packages"]
    assert commands == [*set_up, "make test", "make lint"]
    assert os.access(root / ".ci/run", os.X_OK)


def test_the_wheel_holds_both_packages_and_their_data(root: Path, tmp_path: Path):
    setuptools = pytest.importorskip("setuptools", reason="no setuptools to build a wheel with")
    if Version(setuptools.__version__) < Version("77"):
        pytest.skip(f"setuptools {setuptools.__version__} is older than the build needs (77)")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("cut", "baselines"):
        shutil.copytree(root / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(root / name, source)
    (source / "README.md").write_text("cutbench\n")
    build = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    command = [*build, "--quiet", "--wheel-dir", str(tmp_path), str(source)]
    subprocess.run(command, check=True, timeout=120)
    (wheel,) = tmp_path.glob(f"cutbench-{project(root)['version']}-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    folders = ("resources", "captions", "templates", "assets")
    sources = [
        p for p in source.rglob("*") if p.suffix in (".py", ".yaml") or p.parent.name in folders
    ]
    expected = {p.relative_to(source).as_posix() for p in sources if p.is_file()}
    assert {"cut/resources/registry.yaml", "cut/resources/captions/grid.rst"} <= expected
    assert expected - names == {n for n in expected if n.startswith("build/")}


@pytest.mark.xdist_group("groups")
def test_tests_of_a_group_are_run_by_one_worker(request):
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("the tests are not run by several workers in groups")
    # pytest-xdist sends tests whose names end alike to one worker.
    assert request.node.nodeid.endswith("@groups")
