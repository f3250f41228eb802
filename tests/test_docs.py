"""The pages: their links and anchors, and the commands, configs and files that they name."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from pathlib import Path

import pytest
from conftest import ROOT
from test_floors import FLOORS

from cut.cli import COMMANDS
from cut.plan.config import Config
from cut.training.options import TrainingOptions

PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in ("*.md", "docs/*.md", "*/README.md", "tests/data/*/README.md")
    for path in ROOT.glob(pattern)
)
GROUPS = {name.split()[0] for name in COMMANDS if " " in name}
EXAMPLES = {"config/my_method.yaml", "baselines/my_method.py"}  # `baselines.new` writes them


def text_of(page: str) -> str:
    return (ROOT / page).read_text()


def prose_of(page: str) -> str:
    """Return the page without its code, where brackets are no links."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text_of(page), flags=re.M | re.S))


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    titles = re.findall(r"^#+ +(.*)$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_pages_are_found():
    assert {"README.md", "docs/cli.md", "config/README.md", "baselines/README.md"} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_links_resolve(page: str):
    for target in re.findall(r"\]\(([^)\s]+)\)", prose_of(page)):
        if target.startswith(("http://", "https://")):
            continue
        name, _, anchor = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path), target


@pytest.mark.parametrize("page", PAGES)
def test_commands_exist(page: str):
    for first, second in re.findall(r"python -m cut ([a-z]+)(?: ([a-z]+))?", text_of(page)):
        alone = first in COMMANDS or (first in GROUPS and not second)
        assert alone or f"{first} {second}" in COMMANDS, (first, second)


@pytest.mark.parametrize("page", PAGES)
def test_named_files_exist(page: str):
    kinds = r"\b(?:config|cut|baselines|tests|benchmarks|docs|workflow|profiles)/[\w./*-]*\w"
    for name in set(re.findall(rf"`({kinds})/?`", text_of(page))) - EXAMPLES:
        assert list(ROOT.glob(name)), name
    for name in set(re.findall(r"--configfile (config/\S+\.yaml)", text_of(page))) - EXAMPLES:
        assert (ROOT / name).is_file(), name
    for name in re.findall(r"python -m ((?:benchmarks|baselines)\.\w+)", text_of(page)):
        assert (ROOT / name.replace(".", "/")).with_suffix(".py").is_file(), name


@pytest.mark.parametrize("page", PAGES)
def test_make_targets_exist(page: str):
    targets = re.findall(r"^([a-z]+):", text_of("Makefile"), flags=re.M)
    named = re.findall(r"(?:^|`)make ([a-z]+)", text_of(page), flags=re.M)
    assert set(named) <= set(targets)


def examples(page: str) -> list[list[str]]:
    """Return the words after `python -m cut` of each command in a block of commands."""
    blocks = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text_of(page), flags=re.M | re.S)
    commands = [block for language, block in blocks if language in ("", "bash")]
    lines = "\n".join(commands).replace("\\\n", " ")
    found = re.findall(r"^[ $]*python -m cut (.+)$", lines, flags=re.M)
    return [shlex.split(line, comments=True) for line in found]


@pytest.mark.parametrize("page", PAGES)
def test_examples_have_valid_arguments(page: str):
    for words in examples(page):
        found = [name for name in COMMANDS if name.split() == words[: len(name.split())]]
        name = max(found, key=len)  # "export generator", and not "export"
        parser = argparse.ArgumentParser(prog=" ".join(words))
        importlib.import_module(f"cut.cli.{name.replace(' ', '_')}").arguments(parser)
        parser.parse_args(words[len(name.split()) :])


def test_every_command_is_documented():
    named = set(re.findall(r"^\| `([a-z ]+)` \|", text_of("docs/cli.md"), flags=re.M))
    assert named <= {*COMMANDS, *GROUPS}
    assert not [name for name in COMMANDS if not {name, name.split()[0]} & named]


def test_the_floors_are_as_tested():
    block = re.search(r"^## Floors\n+```\n(.*?)```", text_of("CONTRIBUTING.md"), flags=re.M | re.S)
    floors = [set(line.split(" | ")) for line in block[1].splitlines()]
    assert floors == FLOORS[::-1]


def test_every_key_of_a_config_is_documented():
    keys, options = text_of("config/README.md").split("### Options of the training loop")
    assert set(re.findall(r"^\| `(\w+)` \|", keys, flags=re.M)) == set(Config.model_fields)
    named = re.findall(r"`(\w+)`", options)
    assert set(TrainingOptions.model_fields) <= set(named)


def test_listed_configs_exist():
    listed = set(re.findall(r"`([\w-]+\.yaml)`", text_of("config/README.md")))
    assert len(listed) > 8 and listed <= {path.name for path in (ROOT / "config").glob("*.yaml")}
