"""The container recipes, as far as they can be checked without Docker and Apptainer."""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
import subprocess
from importlib.metadata import entry_points

import pytest
import yaml
from conftest import ROOT
from test_packaging import locked, project

DOCKERFILE = ROOT / "containers" / "Dockerfile"
APPTAINER = ROOT / "containers" / "cutbench.def"
LOCK = "requirements.lock"
PLACE = "/opt/cutbench/requirements.lock"
COMMAND = "snakemake"


def joined(text: str) -> str:
    """Return a recipe without comments, each continued line as one."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    return "\n".join(lines).replace("\\\n", " ")


def instructions() -> list[tuple[str, str]]:
    """Return the (instruction, rest) of each line of the Dockerfile."""
    lines = [line for line in joined(DOCKERFILE.read_text()).splitlines() if line.strip()]
    return [tuple(line.split(maxsplit=1)) for line in lines]


def sections() -> dict[str, str]:
    """Return {section: text} of Apptainer's recipe; "" has the head."""
    parts = re.split(r"^%(\w+)\n", joined(APPTAINER.read_text()), flags=re.M)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def of(name: str) -> str:
    """Return the rest of the only instruction of that name."""
    (found,) = [rest for instruction, rest in instructions() if instruction == name]
    return found


def bases() -> list[str]:
    """Return the image that each recipe starts from."""
    return [of("FROM"), re.search(r"^From: (\S+)$", sections()[""], flags=re.M)[1]]


def installs() -> list[list[str]]:
    """Return the words of the install of each recipe."""
    return [shlex.split(of("RUN")), shlex.split(sections()["post"])]


def copies() -> list[list[str]]:
    """Return the words of the copy of each recipe."""
    return [shlex.split(of("COPY")), shlex.split(sections()["files"])]


def test_instructions_and_sections_are_known_ones():
    known = {"FROM", "ENV", "COPY", "RUN", "WORKDIR", "CMD"}
    assert {name for name, _ in instructions()} == known and instructions()[0][0] == "FROM"
    assert set(sections()) == {"", "files", "post", "environment", "runscript", "test"}
    assert "Bootstrap: docker" in sections()[""]


def test_both_recipes_have_one_base_whose_python_fits():
    docker, apptainer = bases()
    assert docker == apptainer
    version = re.fullmatch(r"python:(3\.\d+)-slim-\w+", docker)[1]
    lines = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert f"python={version}" in lines
    assert f"Programming Language :: Python :: {version}" in project(ROOT)["classifiers"]


def test_what_is_copied_is_there_and_reaches_the_build():
    patterns = (ROOT / ".dockerignore").read_text().splitlines()
    for *sources, place in copies():
        assert sources == [LOCK] and place == PLACE
        for source in sources:
            assert (ROOT / source).is_file()
            ignored = False
            for pattern in patterns:
                if fnmatch.fnmatch(source, pattern.removeprefix("!")):
                    ignored = not pattern.startswith("!")
            assert not ignored


def test_both_recipes_install_the_copied_lock_with_its_hashes():
    docker, apptainer = installs()
    assert docker == apptainer
    assert docker[:3] == ["python", "-m", "pip"]
    assert "--require-hashes" in docker and docker[-2:] == ["-r", PLACE]


def test_the_command_is_one_that_the_lock_installs():
    (script,) = entry_points(group="console_scripts", name=COMMAND)
    assert script.dist.name.lower() in locked(ROOT / LOCK)
    assert json.loads(of("CMD"))[0] == COMMAND
    assert sections()["runscript"].split()[:2] == ["exec", COMMAND]
    imported = re.search(r"import ([\w, ]+)", sections()["test"])[1].split(", ")
    assert set(imported) <= locked(ROOT / LOCK).keys()


def test_both_recipes_leave_out_packages_of_the_home():
    assert "PYTHONNOUSERSITE=1" in of("ENV").split()
    assert "export PYTHONNOUSERSITE=1" in sections()["environment"]


@pytest.mark.parametrize("section", ["post", "environment", "runscript", "test"])
def test_sections_are_shell(section):
    subprocess.run(["sh", "-n"], input=sections()[section], text=True, check=True)


def test_the_pages_name_the_recipes_and_the_folder_that_is_mounted():
    page = (ROOT / "docs" / "running.md").read_text()
    assert f"docker build -f containers/{DOCKERFILE.name} " in page
    assert f"apptainer build cutbench.sif containers/{APPTAINER.name}" in page
    assert f':{of("WORKDIR")}" ' in page
