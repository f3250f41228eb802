"""The memory of resolved rows: what it keeps, and when it is made anew."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from conftest import ROOT

import baselines
from cut.base.errors import UserError
from cut.plan import rows
from cut.plan.plan import make_plan

GIVEN = {"datasets": ["coats2stripes"], "run": ["copy", "cut", "reinhard"], "size": 64}
PLAN = """
import json, sys
from pathlib import Path
from cut.plan.plan import make_plan
from cut.plan.inputs import check_inputs
check_inputs(make_plan(json.loads(sys.argv[1]), Path(sys.argv[2])))
print(sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture
def calls(monkeypatch):
    """Return a list that grows with every time the rows are resolved."""
    from cut.plan import plan

    made, resolve = [], plan._rows
    monkeypatch.setattr(plan, "_rows", lambda config: made.append(config) or resolve(config))
    return made


def test_remembered_rows_are_the_resolved_ones(tmp_path, calls):
    plans = [make_plan(GIVEN, tmp_path / "rows") for _ in range(3)]
    assert len(calls) == 1
    assert plans[0] == plans[2] == make_plan(GIVEN)


@pytest.mark.parametrize(
    ("change", "times"),
    [
        ({"options": {"ngf": 8}}, 2),
        ({"size": 128}, 2),
        ({"methods": {"cut": {"options": {"tau": 0.1}}}}, 2),
        ({"best": {"every": 2}}, 2),
        ({"seeds": [4], "results": "elsewhere"}, 1),
    ],
)
def test_what_decides_rows_resolves_them_again(change, times, tmp_path, calls):
    make_plan(GIVEN, tmp_path)
    make_plan({**GIVEN, **change}, tmp_path)
    assert len(calls) == times


def test_changed_sources_resolve_rows_again(tmp_path, calls, monkeypatch):
    make_plan(GIVEN, tmp_path)
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    monkeypatch.setattr("baselines.__path__", [*baselines.__path__, str(plugins)])
    for text in ("x = 1\n", "x = 2\n"):
        (plugins / "empty.py").write_text(text)
        make_plan(GIVEN, tmp_path)
    assert len(calls) == 3


def test_nested_values_of_the_command_line_are_read_as_those_of_a_file(tmp_path):
    """Snakemake's `--config options='{ngf: 8}'` gives the plan the string "8"."""
    options = {"ngf": 8, "lambda_nce": 2, "lr": 4.0e-4, "nce_layers": [0, 4], "identity": False}
    training = {"epochs_constant": 3, "average": 0.99, "cache_images": True, "extends": [[1, 0]]}

    def as_text(value):
        if isinstance(value, dict):
            return {name: as_text(part) for name, part in value.items()}
        return [as_text(part) for part in value] if isinstance(value, list) else json.dumps(value)

    settings = {
        "options": {"n_blocks": 6},
        "training": {"batch_size": 2},
        "methods": {"cut": {"options": options, "training": training}},
    }
    given, typed = make_plan({**GIVEN, **settings}), make_plan({**GIVEN, **as_text(settings)})
    assert typed.rows == given.rows
    row = typed.rows["cut"]
    assert row.options == {"n_blocks": 6, **options}
    assert {**row.training, **row.loop} == {"batch_size": 2, **training}
    assert json.dumps(row.options["lambda_nce"]) == "2"


@pytest.mark.parametrize("text", ["", "[]", '{"code": 1}', '{"code": "CODE", "rows": [{}]}'])
def test_a_damaged_file_is_made_anew(text, tmp_path, calls):
    expected = make_plan(GIVEN, tmp_path)
    (file,) = tmp_path.glob("*.json")
    file.write_text(text.replace("CODE", json.loads(file.read_text())["code"]))
    assert make_plan(GIVEN, tmp_path) == expected
    assert len(calls) == 2


def test_a_mistake_is_not_remembered(tmp_path):
    for _ in range(2):
        with pytest.raises(UserError, match="tau"):
            make_plan({**GIVEN, "options": {"tau": -1}}, tmp_path)


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path):
    (tmp_path / "file").write_text("")
    assert list(make_plan(GIVEN, tmp_path / "file").rows) == GIVEN["run"]


def test_planning_from_memory_loads_no_torch(tmp_path):
    command = [sys.executable, "-c", PLAN, json.dumps(GIVEN), str(tmp_path)]
    first, second = (
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert "'torch'" in first
    assert not any(f"'{name}'" in second for name in ("torch", "pandas", "scipy", "matplotlib"))


def test_commands_quote_every_value():
    template = "{folder}/x {k} {input}"
    commands = rows.Commands("/a b", {"train": "", "translate": template}, {"k": "5"})
    assert commands.command("translate", {"input": "c;d"}) == "'/a b'/x 5 'c;d'"
    assert commands.command("train", {}) == ""


def test_a_row_of_commands_has_its_options_in_the_command():
    given = {**GIVEN, "run": ["reinhard"], "methods": {"reinhard": {"options": {"strength": 0.5}}}}
    commands = make_plan(given).rows["reinhard"].commands
    places = {name: name for name in ("input", "model", "output", "seed", "height", "width")}
    assert " --strength 0.5" in commands.command("translate", places)
